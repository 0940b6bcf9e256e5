"""`speechcall stack restore`: what it refuses, what it puts back, and that an interrupted run is simply run again."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from cli.main import app
from speechcall.messages.adapters.message_items import dump
from speechcall.shared.adapters.keys import message_key
from speechcall.shared.adapters.table import from_wire, to_wire
from tests.kit.command_line import CliRunner
from tests.kit.lasting_stack import NAME, Interrupted, empty_account, make_stack
from tests.kit.samples import MID, message

AT = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="seconds")


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr("cli.stack.command.pause_for", lambda _seconds: None)
    with empty_account() as made:
        yield made


@pytest.fixture
def names(world):
    made = make_stack()
    for logical in ("MessagesTable", "RegistryTable"):
        recovered(made[logical])
        for place in range(3):
            boto3.client("dynamodb").put_item(TableName=made[logical], Item=item(place))
    return made


def recovered(table):
    boto3.client("dynamodb").update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def item(place, text="then"):
    return {"pk": {"S": f"X#{place}"}, "sk": {"S": "X"}, "text": {"S": text}}


def restore(world, *more, at=AT):
    return CliRunner().invoke(
        app, ["stack", "restore", "--stack", NAME, "--at", at, "--confirm", NAME, *more], obj=world.open
    )


def copy_now(names):
    """Copies as they were before anything was lost, since moto restores a table as it is."""
    dynamodb = boto3.client("dynamodb")
    found = {}
    for logical, option in (("MessagesTable", "--messages-from"), ("RegistryTable", "--registry-from")):
        found[option] = f"{logical}-copy"
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=names[logical], TargetTableName=found[option], UseLatestRestorableTime=True
        )
    return [word for pair in found.items() for word in pair]


def lose(names):
    for logical in ("MessagesTable", "RegistryTable"):
        boto3.client("dynamodb").delete_item(
            TableName=names[logical], Key={name: item(1)[name] for name in ("pk", "sk")}
        )
        boto3.client("dynamodb").put_item(TableName=names[logical], Item=item(2, "now"))


def texts(table):
    found = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return sorted((one["pk"]["S"], one["text"]["S"]) for one in found if "text" in one)


def chosen_lines(names):
    key = {"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
    return boto3.client("dynamodb").get_item(TableName=names["RegistryTable"], Key=key)["Item"].get("chosen_lines")


PUT_BACK = [("X#0", "then"), ("X#1", "then"), ("X#2", "now")]


def test_what_is_missing_is_put_back_and_nothing_else_is_changed(world, names):
    copies = copy_now(names)
    lose(names)
    done = restore(world, "--json", *copies)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["registry"], report["messages"]) == (1, 1)
    for logical in ("MessagesTable", "RegistryTable"):
        assert texts(names[logical]) == PUT_BACK
    assert chosen_lines(names) is None
    (record,) = [
        one for one in boto3.client("dynamodb").scan(TableName=names["RegistryTable"])["Items"] if "at_msec" in one
    ]
    assert (record["pk"]["S"], record["action"]["S"]) == ("AUDIT#", "stack restore")


def test_both_tables_are_restored_to_the_moment_under_names_of_their_own(world, names):
    done = restore(world)
    assert done.exit_code == 0, done.output
    moment = datetime.fromisoformat(AT).strftime("%Y%m%d%H%M%S")
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    assert {f"{names[one]}-restored-{moment}" for one in ("MessagesTable", "RegistryTable")} <= set(tables)
    assert world.changed.count("RestoreTableToPointInTime") == 2
    assert restore(world).exit_code == 0  # they are there: taken as they are


def test_it_survives_an_interruption_at_each_call_that_changes_something(world, names):
    boto3.client("dynamodb").update_item(
        TableName=names["RegistryTable"],
        Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}},
        UpdateExpression="SET chosen_lines = :seven",
        ExpressionAttributeValues={":seven": {"N": "7"}},
    )
    copies = copy_now(names)
    lose(names)
    done, killed = None, 0
    while done is None:
        world.changed.clear()
        world.die = ("before" if killed % 2 else "after", killed // 2)
        try:
            done = restore(world, *copies)
        except Interrupted:
            killed += 1
    assert done.exit_code == 0, done.output
    assert killed > 6
    for logical in ("MessagesTable", "RegistryTable"):
        assert texts(names[logical]) == PUT_BACK
    assert chosen_lines(names) == {"N": "7"}


def test_a_message_that_was_called_since_is_ended_and_told_after_an_interruption_too(world, names, monkeypatch):
    """Killed at each change: where it was put back and not ended, the next run ends it, and does not wait for sweep."""
    dynamodb = boto3.client("dynamodb")
    key = to_wire(message_key(MID))
    waiting = to_wire({**dump(message(MID)), "state": "queued", "order_pk": "WAITING#a", "order_sk": MID})
    dynamodb.put_item(TableName=names["MessagesTable"], Item=waiting)
    copies = copy_now(names)
    machine = next(
        one["stateMachineArn"]
        for one in boto3.client("stepfunctions").list_state_machines()["stateMachines"]
        if one["name"].endswith("-one")
    )
    monkeypatch.setenv("SF_EXECUTION_HISTORY_TYPE", "FAILURE")  # moto: an execution that is over at once
    boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name=f"{MID}-1")
    states, killed = list[str](), 0
    while True:
        dynamodb.delete_item(TableName=names["MessagesTable"], Key=key)
        world.changed.clear()
        world.die = ("before", killed)
        try:
            restore(world, *copies)
            break
        except Interrupted:
            killed += 1
        found = dynamodb.get_item(TableName=names["MessagesTable"], Key=key).get("Item")
        states.append(found["state"]["S"] if found else "lost")
        world.die = None
        done = restore(world, "--json", *copies)
        assert done.exit_code == 0, done.exception or done.output
        report = json.loads(done.stdout)
        # What an earlier run has ended is not told again.
        assert report["called_since"] == ([] if states[-1] == "finished" else [MID])
        ended = from_wire(dynamodb.get_item(TableName=names["MessagesTable"], Key=key)["Item"])
        assert (ended["state"], ended["outcome"], ended["reason"]) == ("finished", "failed", "unconfirmed")
    assert set(states) == {"lost", "calling", "finished"}


@pytest.mark.parametrize(
    ("at", "status", "said"),
    [
        ("2026-11-30T11:55:00", 2, "a moment with its offset"),
        ("yesterday", 2, "a moment with its offset"),
        (timedelta(days=1), 3, "can be restored to moments from"),
        (timedelta(days=-400), 3, "can be restored to moments from"),
    ],
)
def test_a_moment_that_cannot_be_had_is_refused(world, names, at, status, said):
    moment = (datetime.now(UTC) + at).isoformat() if isinstance(at, timedelta) else at
    refused = restore(world, at=moment)
    assert refused.exit_code == status, refused.output
    assert said in " ".join(refused.output.split())
    assert world.changed == []


def test_a_dry_run_changes_nothing(world, names):
    told = restore(world, "--dry-run")
    assert told.exit_code == 0
    assert world.changed == []
    as_json = restore(world, "--dry-run", "--json")
    assert (as_json.exit_code, as_json.stderr, world.changed) == (0, "", [])
    assert json.loads(as_json.stdout) == {"said": told.stdout.splitlines()}


def test_a_table_without_recovery_is_refused(world):
    make_stack()
    refused = restore(world)
    assert refused.exit_code == 3
    assert "has no point-in-time recovery" in " ".join(refused.output.split())
