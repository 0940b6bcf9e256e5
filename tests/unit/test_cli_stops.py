"""`speechcall message|list|campaign|account …` that stop something, on stores in memory."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from cli import queues
from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.stops import CampaignNumbers
from speechcall.messages.use_cases.message_ports import Brake, LineTaken
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.ids import last_id
from speechcall.shared.rules.outcome import End, Outcome
from speechcall.status.use_cases.status import Summary
from tests.kit.samples import ASK, NOW, message
from tests.stores.accounts import MemoryAccounts
from tests.stores.stops import MemoryStops

ACME, LATER = "acme", NOW + 10**12


@dataclass
class Deployment:
    """An account with a list of two messages that wait, in the campaign `spring`."""

    messages: MemoryMessages = field(default_factory=MemoryMessages)

    def __post_init__(self):
        self.accounts = MemoryAccounts(Account(ACME, ("+380",)))
        numbers = CampaignNumbers(2, 2, 0)
        self.stops = MemoryStops(self.messages, {(ACME, "spring"): numbers}, {(ACME, "spring"): ["7"]})
        self.messages.add([message(mid, list_id="7", campaign="spring", created_msec=LATER) for mid in ("8", "9")])
        for mid in ("8", "9"):
            self.messages.queue(self.messages.get(mid), (ASK,), NOW)
        self.lists = self.history = self

    def find_list(self, list_id):
        made = SimpleNamespace(list_id="7", account_id=ACME, message_ids=("8", "9"), expires_at=1)
        return made if list_id == "7" else None

    def summaries(self, mids, *, is_now=False):
        found = [self.messages.get(mid) for mid in mids]
        return [
            Summary(one.mid, one.recipient, one.state, one.outcome, one.reason, LATER, is_held=one.is_held)
            for one in found
        ]

    def call(self, mid):
        claimed = self.messages.claim_line(self.messages.get(mid), "arn:flow", Pool(9, 100), NOW)
        assert claimed == LineTaken()


@pytest.fixture
def deployment():
    return Deployment()


@pytest.fixture
def run(deployment):
    def invoke(*words, said=None):
        return CliRunner().invoke(app, [*words, "--local"], input=said, obj=lambda _place: deployment)

    return invoke


def test_a_message_is_cancelled_and_one_in_a_call_is_hung_up_by_its_job(run, deployment):
    assert run("message", "cancel", "8").output == "The message 8 is cancelled.\n"
    assert deployment.messages.get("8").outcome == "cancelled"
    deployment.call("9")
    assert "it is not dialled again" in run("message", "cancel", "9").output
    assert "is ended within a minute" in run("message", "cancel", "9", "--hangup").output
    assert [job.what.name for job in deployment.stops.jobs(9)] == ["9"]
    unknown = run("message", "cancel", "1")
    assert (unknown.exit_code, unknown.output) == (3, "Error: There is no message 1, or it has expired.\n")
    assert run("message", "cancel", "x").exit_code == 2


@pytest.mark.parametrize("more", [[], ["--hangup"]])
def test_nothing_is_promised_of_a_call_that_is_over(run, deployment, more):
    """How it ended is still asked for: no call is up that --hangup could end."""
    deployment.call("9")
    calling = deployment.messages.get("9")
    assert deployment.messages.settle(calling, End.LOST, Outcome("failed", "unconfirmed"), NOW + 1)
    assert deployment.messages.get("9").state is State.SETTLING
    told = run("message", "cancel", "9", *more)
    assert told.exit_code == 3
    assert told.output == (
        "It is too late: the message's call is over, and how it ended is still asked for; it is not dialled again.\n"
    )
    assert deployment.messages.get("9").cancelled_msec is not None


def test_a_list_is_paused_resumed_and_cancelled(run, deployment):
    assert run("list", "pause", "7").output.startswith("The list 7 is paused. No call of it begins")
    assert deployment.messages.hold_back(deployment.messages.get("8"), LATER + 1)
    assert run("list", "resume", "7").output == "The list 7 is dialled again.\n"
    assert not deployment.messages.get("8").is_held
    deployment.call("9")
    told = run("list", "cancel", "7", "--hangup").output
    assert told.startswith("The list 7 is cancelled: 1 not dialled, 1 in progress, 0 finished before.")
    assert [job.hangs_up for job in deployment.stops.jobs(9)] == [True]
    final = run("list", "resume", "7")
    assert (final.exit_code, final.output) == (3, "Error: The list 7 is cancelled, and that is final.\n")
    assert run("list", "cancel", "6").exit_code == 3


def test_a_campaign_is_paused_resumed_and_cancelled(run, deployment):
    assert "is paused" in run("campaign", "pause", ACME, "spring").output
    assert "is dialled again" in run("campaign", "resume", ACME, "spring").output
    assert "2 not dialled, 0 in progress" in run("campaign", "cancel", ACME, "spring").output
    assert run("campaign", "pause", ACME, "spring").exit_code == 3
    unknown = run("campaign", "cancel", ACME, "autumn")
    assert (unknown.exit_code, unknown.output) == (3, "Error: The account acme has no campaign autumn.\n")
    assert run("campaign", "cancel", ACME, "a.b").exit_code == 2


def test_an_accounts_messages_are_paused_resumed_and_cancelled(run, deployment):
    turns = deployment.messages.turns
    assert "is paused" in run("account", "pause", ACME).output
    assert turns.find(ACME, False).is_paused
    assert turns.find(ACME, True).is_paused
    assert "is dialled for again" in run("account", "resume", ACME).output
    assert not turns.find(ACME, False).is_paused
    assert "that wait are cancelled" in run("account", "cancel-queue", ACME).output
    assert [job.what.kind for job in deployment.stops.jobs(9)] == [Brake.ACCOUNT]
    assert turns.find(ACME, True).cancelled_upto > last_id(NOW)
    assert run("account", "pause", "nobody").exit_code == 3


@pytest.mark.parametrize("queue", ["keep", "pause", "cancel"])
def test_who_disables_an_account_says_what_becomes_of_its_messages(run, deployment, queue):
    asked = run("account", "disable", ACME)
    assert asked.exit_code == 2
    assert "--queue keep" in asked.output
    assert not deployment.accounts.find(ACME).disabled
    assert run("account", "disable", ACME, "--queue", queue).exit_code == 0
    assert deployment.accounts.find(ACME).disabled
    turn = deployment.messages.turns.find(ACME, False)
    assert (turn.is_paused, turn.cancelled_upto > 0) == (queue == "pause", queue == "cancel")


def test_at_a_terminal_it_is_asked_for_until_it_is_said(run, deployment, monkeypatch):
    monkeypatch.setattr(queues, "is_terminal", lambda: True)
    told = run("account", "disable", ACME, said="yes\nPAUSE\n")
    assert told.exit_code == 0
    assert "Its messages are paused" in told.output
    assert replace(deployment.messages.get("8"), state=State.QUEUED) == deployment.messages.get("8")
