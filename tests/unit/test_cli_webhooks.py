"""`speechcall webhook …`, on deliveries in memory."""

import json
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.use_cases.status import History
from speechcall.webhooks.rules.delivery import Attempt, DeliveryState, ShownState, Wait
from tests.kit.command_line import CliRunner
from tests.kit.samples import MESSAGE, MID
from tests.kit.webhook_bench import task_of
from tests.stores.accounts import MemoryAccounts
from tests.stores.webhooks import MemoryDeliveries, VirtualQueue

NOW = SystemClock().now_msec()
TASKS = [task_of(MESSAGE, step) for step in range(5)]
FAILED, DEAD, DELIVERED, PENDING, QUEUED = (task.event_id for task in TASKS)
HOUR = 3_600_000


@dataclass
class Deployment:
    """Five webhooks of a message: one failed two hours ago, one dead half an hour ago, one delivered, one pending, and
    one that waits for its first attempt.
    """

    accounts: Any
    deliveries: MemoryDeliveries
    webhook_queue: VirtualQueue

    @property
    def history(self):
        return self

    def read(self, mid):
        found = [self.deliveries.find(MID, task.event_id) for task in TASKS]
        return History(MESSAGE, (), found) if mid == MID else None


@pytest.fixture
def deployment():
    deliveries = MemoryDeliveries()
    ends = [
        (Attempt(NOW - 2 * HOUR, 10, 404, None), DeliveryState.FAILED, None),
        (Attempt(NOW - HOUR // 2, 10_000, None, "TIMEOUT"), DeliveryState.DEAD, None),
        (Attempt(NOW - HOUR // 2, 10, 200, None), DeliveryState.DELIVERED, None),
        (Attempt(NOW, 10, 503, None), DeliveryState.PENDING, Wait.of(30, NOW)),
    ]
    for task in TASKS:
        deliveries.begin(task, MESSAGE, "https://api.example.com", NOW)
    for task, (attempt, state, wait) in zip(TASKS[:4], ends, strict=True):
        deliveries.record(task, attempt, state, wait)
    return Deployment(MemoryAccounts(Account("acme", ("*",))), deliveries, VirtualQueue(NOW))


@pytest.fixture
def run(deployment):
    def invoke(*arguments):
        return CliRunner().invoke(app, ["webhook", *arguments, "--local"], obj=lambda _place: deployment)

    return invoke


def listed(result):
    return [row["id"] for row in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--account", "acme"], [FAILED, DEAD]),
        (["--account", "acme", "--since", "1h"], [DEAD]),
        (["--account", "acme", "--since", "90m", "--state", "failed"], []),
        (["--account", "acme", "--state", "failed"], [FAILED]),
        (["--account", "acme", "--since", "10m"], []),
        (["--message", MID], [FAILED, DEAD, DELIVERED, PENDING, QUEUED]),
        (["--message", MID, "--state", "pending"], [PENDING]),
        (["--message", MID, "--state", "queued"], [QUEUED]),
        (["--message", MID, "--state", "delivered"], [DELIVERED]),
        (["--message", MID, "--state", "failed"], [FAILED]),
        (["--message", MID, "--state", "dead"], [DEAD]),
    ],
)
def test_what_was_given_up_for_an_account_and_all_of_a_message(run, arguments, ids):
    assert listed(run("list", *arguments, "--json")) == ids


def test_a_state_that_is_shown_can_be_asked_for(run):
    rows = json.loads(run("list", "--message", MID, "--json").stdout)
    assert {row["state"] for row in rows} == set(get_args(ShownState))
    for row in rows:
        assert json.loads(run("list", "--message", MID, "--state", row["state"], "--json").stdout) == [row]


def test_the_list_is_a_table_without_urls(run):
    output = run("list", "--message", MID).stdout
    lines = [line.split() for line in output.splitlines()]
    assert lines[0] == ["WEBHOOK", "DESTINATION", "STATE", "ATTEMPTS", "LAST", "ANSWER", "NEXT"]
    assert lines[2][:4] == [DEAD, "https://api.example.com", "dead", "1"]
    assert lines[2][5] == "TIMEOUT"
    assert "/callback" not in output
    assert run("list", "--account", "acme", "--since", "1m").stdout == "There are none.\n"


def test_one_webhook_with_its_attempts(run):
    output = run("show", DEAD).stdout
    assert "state       dead\n" in output
    assert "10000  -       TIMEOUT" in output
    shown = json.loads(run("show", DEAD, "--json").stdout)
    assert shown["id"] == DEAD
    assert [attempt["error"] for attempt in shown["attempts"]] == ["TIMEOUT"]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ([FAILED], [FAILED]),
        ([DELIVERED], [DELIVERED]),
        (["--message", MID], [FAILED, DEAD]),
        (["--account", "acme"], [FAILED, DEAD]),
        (["--account", "acme", "--since", "1h"], [DEAD]),
        (["--account", "acme", "--state", "dead"], [DEAD]),
        (["--account", "acme", "--since", "1m"], []),
    ],
)
def test_replay_of_one_of_a_message_or_of_an_account(run, deployment, arguments, ids):
    result = run("replay", *arguments)
    assert result.exit_code == 0
    assert result.stdout.split() == ids
    assert [task.event_id for _, _, task, _ in deployment.webhook_queue.waiting] == ids
    assert all(deployment.deliveries.find(MID, one)[1].state is DeliveryState.PENDING for one in ids)
    assert "again, with the id" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["list"], 2, "say which: --message ID, or --account ID."),
        (["list", "--account", "acme", "--message", MID], 2, "say which"),
        (["replay"], 2, "say which"),
        (["list", "--account", "acme", "--since", "yesterday"], 2, "90m, 24h, 7d"),
        (["list", "--account", "nobody"], 3, "There is no account nobody"),
        (["list", "--message", "1"], 3, "There is no message 1, or it has expired."),
        (["list", "--message", "x"], 2, "up to 19 digits"),
        (["show", "1-1-2-m0-d1-0"], 3, "There is no webhook 1-1-2-m0-d1-0"),
        (["show", "x"], 2, "an id of a webhook looks like"),
        (["replay", PENDING], 3, "This webhook is still being tried."),
    ],
)
def test_what_cannot_be_is_one_sentence(run, deployment, arguments, status, complaint):
    result = run(*arguments)
    assert result.exit_code == status
    assert deployment.webhook_queue.waiting == []
    assert complaint in result.output


NOT_GIVEN_UP = ("queued", "pending", "delivered")
WITH_ACCOUNT = "with --account, --state is failed or dead: only what was given up is listed."
OF_REPLAY = "--state is failed or dead here: only what was given up is sent again."
WHICH = "say which: WEBHOOK_ID, --message ID, or --account ID."


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["replay", FAILED, "--message", MID], WHICH),
        (["replay", FAILED, "--account", "acme"], WHICH),
        (["replay", "--message", MID, "--account", "acme"], WHICH),
        (["replay", FAILED, "--message", MID, "--account", "acme", "--state", "dead"], WHICH),
        (["replay", "--state", "dead"], WHICH),
        (["replay", FAILED, "--state", "dead"], "--since and --state do not go with WEBHOOK_ID"),
        (["replay", FAILED, "--since", "24h"], "--since and --state do not go with WEBHOOK_ID"),
        (["replay", "--message", MID, "--since", "24h"], "--since goes with --account."),
        (["list", "--message", MID, "--since", "24h"], "--since goes with --account."),
        *((["list", "--account", "acme", "--state", state], WITH_ACCOUNT) for state in NOT_GIVEN_UP),
        *((["replay", "--account", "acme", "--state", state], OF_REPLAY) for state in NOT_GIVEN_UP),
        *((["replay", "--message", MID, "--state", state], OF_REPLAY) for state in NOT_GIVEN_UP),
        (["list", "--message", MID, "--state", "lost"], "'lost' is not one of 'queued', 'pending', 'delivered'"),
    ],
)
def test_an_option_that_would_not_count_is_refused_and_nothing_is_sent_again(run, deployment, arguments, complaint):
    result = run(*arguments)
    assert (result.exit_code, complaint in " ".join(result.output.split())) == (2, True), result.output
    assert deployment.webhook_queue.waiting == []
    assert deployment.deliveries.find(MID, FAILED)[1].state is DeliveryState.FAILED
