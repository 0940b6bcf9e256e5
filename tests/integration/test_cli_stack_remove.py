"""`speechcall stack remove`: nothing of the stack is left, whatever interrupts it, and nothing of others is touched."""

from itertools import count

import boto3
import pytest

from cli.deployment import Place
from cli.main import app
from tests.kit.command_line import CliRunner
from tests.kit.lasting_stack import NAME, Interrupted, empty_account, make_stack, what_is_there


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr("cli.stack.command.pause_for", lambda _seconds: None)
    with empty_account() as made:
        yield made


def run(world, *arguments):
    return CliRunner().invoke(app, ["stack", "remove", *arguments], obj=world.open)


def remove(world, *more, stack=NAME):
    return run(world, "--stack", stack, "--confirm", NAME, *more)


def others_of(names):
    """What is there that is none of the stack's."""
    return {f"{names['id'].rsplit('/', 1)[-1].partition('-')[0]}0-of-another"}


def deleted(world):
    """A stack that somebody has deleted without this command."""
    names = make_stack()
    world.open(Place(stack=NAME)).client("cloudformation").delete_stack(StackName=names["id"])
    return names


def put_message(names, state="queued"):
    item = {"pk": {"S": "M#1"}, "sk": {"S": "MESSAGE"}, "due_shard": {"S": state}, "due_at": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName=names["MessagesTable"], Item=item)


def test_nothing_is_left_and_nothing_of_others_is_touched(world):
    names = make_stack()
    boto3.client("dynamodb").create_table(
        TableName=f"{names['MessagesTable']}-restored-1",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    listed = run(world, "--stack", NAME, "--dry-run")
    assert listed.exit_code == 0, listed.output
    assert world.changed == []
    for logical in ("MessagesTable", "RegistryTable", "PromptsBucket", "WebhookSecretsKey", "LogGroup"):
        assert names[logical] in listed.output
    assert "2 state machines" in listed.output
    assert "(3 objects and versions" in listed.output
    done = remove(world)
    assert done.exit_code == 0, done.output
    assert "Nothing of it is left" in done.output
    assert what_is_there(names) == others_of(names)
    assert (
        boto3.client("kms").describe_key(KeyId=names["WebhookSecretsKey"])["KeyMetadata"]["KeyState"]
        == "PendingDeletion"
    )
    again = remove(world)
    assert (again.exit_code, again.output) == (0, f"Nothing of {names['id']} is left.\n")


def test_it_survives_an_interruption_at_each_call_that_changes_something(world):
    """Killed before it, and behind it, each time where the last run came to: the states of a run killed anywhere."""
    names = make_stack()
    places = []
    for turn in count():
        world.changed.clear()
        world.die = ("after", 0) if turn % 2 else ("before", 0)
        try:
            done = remove(world)
        except Interrupted as killed:
            places.append((world.die[0], str(killed)))
            continue
        if isinstance(done.exception, Interrupted):
            places.append((world.die[0], str(done.exception)))
            continue
        assert done.exit_code == 0, done.output
        break
    assert what_is_there(names) == others_of(names)
    changing = [operation for when, operation in places if when == "after"]
    assert changing == [operation for when, operation in places if when == "before"]
    assert {"DeleteStack", "DeleteTable", "UpdateTable", "DeleteObjects", "AbortMultipartUpload"} <= set(changing)
    assert {"DeleteBucket", "DeleteStateMachine", "ScheduleKeyDeletion"} <= set(changing)


@pytest.mark.parametrize("part", ["queued#1", "calling#0", "preparing#3", "later", "settling", "webhook#2"])
def test_it_refuses_while_something_is_unfinished_unless_told(world, part):
    names = make_stack()
    put_message(names, part)
    before = what_is_there(names)
    for arguments in ((), ("--dry-run",)):
        refused = remove(world, *arguments)
        assert refused.exit_code == 3
        assert "unfinished" in refused.output
    assert (world.changed, what_is_there(names)) == ([], before)
    if part == "later":
        assert remove(world, "--drop-unfinished").exit_code == 0
        assert what_is_there(names) == others_of(names)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--stack", NAME], 2, f"nobody can be asked: --confirm {NAME}"),
        (["--stack", NAME, "--confirm", "trail"], 3, "trail was typed: nothing was done"),
        (["--stack", "trail", "--confirm", "trail"], 3, "There is no stack trail"),
        (["--stack", "other", "--confirm", "other"], 3, "is no stack of SpeechCall"),
        (["--local"], 2, "--stack NAME"),
        (["--stack", NAME, "--key-days", "6"], 2, "--key-days"),
    ],
)
def test_what_is_not_meant_is_not_done(world, arguments, status, said):
    names = make_stack()
    queue = '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=queue)
    before = what_is_there(names)
    refused = run(world, *arguments)
    assert refused.exit_code == status, refused.output
    assert said in " ".join(refused.output.split())
    assert (world.changed, what_is_there(names)) == ([], before)


def test_it_asks_at_a_terminal(world, monkeypatch):
    names = make_stack()
    monkeypatch.setattr("cli.stack.command.is_terminal", lambda: True)
    refused = CliRunner().invoke(app, ["stack", "remove", "--stack", NAME], obj=world.open, input="no\n")
    assert (refused.exit_code, world.changed) == (3, [])
    # With --json what is printed is the answer alone
    assert ("Type the stack's name" in refused.stdout, "Type the stack's name" in refused.stderr) == (False, True)
    done = CliRunner().invoke(app, ["stack", "remove", "--stack", NAME], obj=world.open, input=f"{NAME}\n")
    assert done.exit_code == 0, done.output
    assert what_is_there(names) == others_of(names)


def test_a_protected_stack_says_what_takes_the_protection_away(world, monkeypatch):
    make_stack()
    described = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    answer = {**described, "EnableTerminationProtection": True}
    monkeypatch.setattr("cli.stack.identity._described", lambda *_: answer)
    refused = remove(world)
    assert refused.exit_code == 3
    assert f"--no-enable-termination-protection --stack-name {NAME}" in " ".join(refused.output.split())
    assert world.changed == []


def test_of_two_deleted_stacks_of_a_name_the_last_is_meant_and_the_other_is_named(world):
    first, second = [deleted(world) for _ in range(2)]
    done = remove(world)
    assert done.exit_code == 0, done.output
    assert f"is not looked at: {first['id']}" in done.output
    left = what_is_there(first)
    assert first["MessagesTable"] in left
    assert second["MessagesTable"] not in left
    named = remove(world, stack=first["id"])
    assert named.exit_code == 0, named.output
    assert first["MessagesTable"] not in what_is_there(first)
