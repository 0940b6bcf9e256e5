"""`speechcall list rehearse` on the stored queue: it is read as it is, it counts, and nothing of it changes."""

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cli.deployment import Deployment
from cli.exit_codes import REFUSED, USAGE
from cli.main import app
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, LineTaken
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.rehearsal.adapters import standing_reader
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.ids import new_ids
from speechcall.shared.rules.outcome import EXPIRED
from tests.kit.command_line import CliRunner
from tests.kit.registry import client_of_kms, empty_tables
from tests.kit.samples import ASK, MESSAGE

MESSAGE_FILE = {
    "from": "Shop",
    "text": "order",
    "type": "speechcall",
    "menu": [{"say": {"text": "Hello.", "language": "en-GB"}, "dtmfActions": {"d1": [{"action": "hangup"}]}}],
}
CALLEES = {"outcomes": {"answered": 1}, "ringSeconds": 5, "talkSeconds": 25, "handlingSeconds": 0}
PEOPLE = "phone\n" + "\n".join(f"+38067123456{number}" for number in range(8))


@contextmanager
def stack_with_a_queue():
    """A deployment, its messages and its client; another account has 6 messages that wait, one in a call, one over."""
    with empty_tables() as (client, table, registry):
        key = client_of_kms().create_key()["KeyMetadata"]["KeyId"]
        names = {"MessagesTable": table, "RegistryTable": registry, "WebhookSecretsKey": key}
        session = boto3.Session("testing", "testing", region_name="eu-central-1")
        deployment = Deployment(session, names.__getitem__, Config())
        for name in ("acme", "other"):
            DynamoAccounts(client, registry).add(Account(name, ("+380",)), {})
        deployment.opt_outs.digest("+380670000000")  # as the first message ever makes the stack's secret
        DynamoPool(client, registry).tell_stack(Pool(2, 5))
        messages, now = DynamoMessages(client, table, registry), SystemClock().now_msec()
        list_id, *mids = new_ids(9, now - 60_000, lambda _bits: 0)
        base = replace(MESSAGE, list_id=list_id, account_id="other", created_msec=now - 60_000)
        made = [replace(base, mid=mid, number=f"+4930{at:07}") for at, mid in enumerate(mids)]
        messages.add(made)
        for one in made[:7]:
            messages.queue(one, (ASK,), now)
        assert isinstance(messages.claim_line(messages.get(mids[0]), "arn:flow", Pool(2, 5), now), LineTaken)
        messages.postpone(mids[1], State.QUEUED, now + 30_000)
        messages.refuse(messages.get(mids[2]), EXPIRED, None, now)
        yield deployment, made, client, (table, registry)


@pytest.fixture
def files(tmp_path):
    for name, content in (("menu.json", MESSAGE_FILE), ("callees.json", CALLEES)):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    return tmp_path


def rehearse(deployment, files, *options, account="acme"):
    given = [str(files / "menu.json"), str(files / "people.csv"), "--map", "to=phone", "--account", account]
    given += ["--callees", str(files / "callees.json"), "--stack", "s", *options]
    return CliRunner().invoke(app, ["list", "rehearse", *given], obj=lambda _place: deployment)


def items(client, tables):
    return [client.scan(TableName=table)["Items"] for table in tables]


def test_the_queue_is_read_as_it_stands_and_nothing_is_written():
    with stack_with_a_queue() as (deployment, made, client, tables):
        DynamoStops(client, tables[1]).pause(Stopped(Brake.LIST, "other", made[0].list_id), SystemClock().now_msec(), 0)
        before = items(client, tables)
        counts = []
        found = deployment.standing(deployment.accounts.all(), [], counts.append)
        states = {one.mid: one.state for one in found.messages}
        assert states == {
            made[0].mid: State.CALLING,
            **{one.mid: State.QUEUED for one in (made[1], *made[3:7])},
            made[7].mid: State.PREPARING,
        }
        for one in found.messages:
            stored = deployment.messages.get(one.mid)
            assert (one, one.stands, one.due_msec) == (stored, stored.stands, stored.due_msec)
        assert found.lines == deployment.lines.read()
        assert found.stopped == {(Brake.LIST, made[0].list_id): "paused"}
        assert [turn for turn in found.turns if turn.is_waiting] == deployment.turns.waiting(10)
        assert counts == [7]
        assert items(client, tables) == before


def test_what_waits_goes_with_the_list_and_stays_as_it_is(files):
    with stack_with_a_queue() as (deployment, _, client, tables):
        before = items(client, tables)
        told = rehearse(deployment, files, "--seeds", "2", "--json")
        assert told.exit_code == 0, told.output
        found = json.loads(told.stdout)
        assert items(client, tables) == before
    assert (found["messages"], found["waiting"], found["inCalls"], found["seeds"]) == (8, 6, 1, 2)
    assert found["outcomes"] == {"answered": {"p50": 8, "p95": 8}}
    assert found["calls"] == {"p50": 8, "p95": 8}
    assert sum(found["callsBegun"]["mean"]) == pytest.approx(8, abs=0.1)
    # 15 calls of 30 s on two lines, and each account has its turn until the shorter queue is empty.
    assert 180 <= found["seconds"]["p50"] <= 250


def test_what_if_there_were_more_lines(files):
    with stack_with_a_queue() as (deployment, *_):
        told = rehearse(deployment, files, "--seeds", "1", "--lines", "20")
    assert told.exit_code == 0, told.output
    assert "8 messages of acme" in told.output
    assert "behind 6 that wait and 1 calls; 1 rehearsals." in told.output
    (over,) = [line for line in told.output.splitlines() if line.startswith("over after")]
    assert 30 <= float(over.split()[2]) < 40
    assert "answered" in told.output
    assert "########" in told.output


WRONG: dict[str, tuple[dict[str, Any], str, int]] = {
    "callees": (
        {"callees.json": {**CALLEES, "outcomes": {"answered": 0.5}}},
        "INVALID_CALLEES callees.outcomes has shares whose sum is 0.5; it must be 1, as in {",
        REFUSED,
    ),
    "menu": ({"menu.json": {**MESSAGE_FILE, "menu": []}}, "The API would refuse the list", REFUSED),
    "hours": ({"menu.json": {**MESSAGE_FILE, "windows": 5}}, "windows must be an array of 1 to 7 windows", REFUSED),
    "map": ({"people.csv": "number\n+380671234567"}, 'has no column "phone"', USAGE),
    "cell": ({"people.csv": "phone,a\n+380671234567"}, "has 1 cells; the header has 2", REFUSED),
    "number": ({"people.csv": PEOPLE + "\n+49301234567"}, "row 10: phone", REFUSED),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_rehearsed_is_refused_with_its_place(files, what):
    contents, said, status = WRONG[what]
    for name, content in contents.items():
        (files / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with stack_with_a_queue() as (deployment, *_):
        told = rehearse(deployment, files)
    assert (told.exit_code, said in told.output.replace("\n  ", " ")) == (status, True), told.output


def test_an_account_that_is_none_and_a_queue_that_is_too_long(files, monkeypatch):
    with stack_with_a_queue() as (deployment, *_):
        assert "There is no account nobody." in rehearse(deployment, files, account="nobody").output
        monkeypatch.setattr(standing_reader, "MOST_READ", 3)
        told = rehearse(deployment, files)
        assert told.exit_code == REFUSED
        assert "more than 3 messages wait" in told.output
