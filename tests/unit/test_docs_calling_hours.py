"""docs/calling-hours.md: what its cURLs send is accepted, and means what the page says."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.dial_times import Caps, Counted, next_day_msec
from speechcall.messages.rules.may_ring import may_ring
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.rehearsal.adapters.memory_turns import MemoryTurns
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.status.use_cases.status import History, describe_message
from tests.kit.command_line import CliRunner
from tests.kit.samples import NOW, QUEUED, FakeClock
from tests.stores.accounts import MemoryAccounts
from tests.stores.lists import MemoryLists
from tests.stores.webhook_secrets import MemoryWebhookSecrets

PAGE = (Path(__file__).parents[2] / "docs" / "calling-hours.md").read_text(encoding="utf-8")
CURLS = [shlex.split(block.partition("```")[0].replace("\\\n", " ")) for block in PAGE.split("```sh\n")[1:]]


@pytest.fixture
def sent():
    """Sends what a cURL of the page would."""
    messages, lists = MemoryMessages(), MemoryLists({("acme", "ivr_651854")})

    def send(curl):
        assert (curl[0], curl[3]) == ("curl", "$URL/bat/messagelist")
        body = curl[curl.index("-d") + 1].encode()
        answer: Any = accept_messages(
            Account("acme", ("*",)), body, messages=messages, lists=lists, clock=FakeClock(), random_bits=lambda _: 1
        )
        assert json.loads(body)["messages"]
        return [messages.get(one["messageId"]) for one in answer["messages"]]

    return send


def test_a_message_is_sent_at_its_moment(sent):
    (message,) = sent(CURLS[0])
    assert message.send_at_msec == to_msec("2026-10-01T06:00:00Z")
    assert message.hours == ()
    assert message.dial_until_msec == message.send_at_msec + 86_400_000


def test_messages_have_the_hours_of_their_request_on_their_own_clocks(sent):
    windows = (Window(540, 1200, (0, 1, 2, 3, 4)), Window(600, 1080, (5,)))
    kyiv, new_york = sent(CURLS[1])
    assert kyiv.hours == (Hours(windows, ("Europe/Kyiv",), ("2026-12-25",)),)
    assert new_york.hours == (Hours(windows, ("America/New_York",), ("2026-12-25",)),)
    assert len(CURLS) == 2


def test_the_check_says_when_each_message_may_be_dialled_first():
    account, lists = Account("acme", ("*",)), MemoryLists({("acme", "ivr_651854")})
    # NOW is a Monday, 14:13:20 UTC: 17:13 in Kyiv, 10:13 in New York.
    clock = FakeClock()
    at_a_moment, in_hours = (json.loads(curl[curl.index("-d") + 1]) for curl in CURLS)
    answer: Any = check_messages(account, json.dumps(at_a_moment).encode(), prompts=lists, clock=clock)
    assert [one["dialledFrom"] for one in answer["messages"]] == ["2026-10-01T06:00:00.000Z"]
    in_hours["notOn"] = ["2026-09-21"]
    in_hours["messages"].append(in_hours["messages"][0] | {"notOn": None})
    answer = check_messages(account, json.dumps(in_hours).encode(), prompts=lists, clock=clock)
    assert [one.get("dialledFrom") for one in answer["messages"]] == [
        "2026-09-22T06:00:00.000Z",
        "2026-09-22T13:00:00.000Z",
        None,
    ]


def test_the_status_says_when_a_message_that_waits_for_its_moment_is_dialled():
    evening = (Hours((Window(1200, 1260),), ("UTC",)),)
    waits = replace(QUEUED, stands=True)
    later = NOW + 3_600_000
    told = [
        describe_message(History(message, (), ()), NOW)["call"]["nextAttemptAt"]
        for message in (
            waits,
            replace(waits, hours=evening),
            replace(waits, send_at_msec=later, due_msec=later, stands=False),
            replace(waits, hours=(Hours((Window(840, 900),), ("UTC",)),)),
        )
    ]
    assert told == [None, "2026-09-21T20:00:00.000Z", "2026-09-21T15:13:20.000Z", None]


def test_the_status_says_when_a_message_whose_number_may_have_no_call_now_is_dialled():
    capped = replace(QUEUED, due_msec=NOW + 3_600_000)
    told = [
        describe_message(History(message, (), ()), NOW)["call"]["nextAttemptAt"]
        for message in (capped, replace(capped, due_msec=NOW + 60_000))
    ]
    assert told == ["2026-09-21T15:13:20.000Z", None]


# --------------------------------------------------------------------- limits
COMMANDS = [
    shlex.split(line.strip()) for line in PAGE.splitlines() if line.strip().startswith("speechcall account set")
]


def test_the_commands_of_the_page_limit_an_account():
    accounts = MemoryAccounts(Account("acme", ("*",)))
    for command in COMMANDS:
        assert command[:4] == ["speechcall", "account", "set", "acme"]
        deployment = SimpleNamespace(accounts=accounts, turns=MemoryTurns(), webhook_secrets=MemoryWebhookSecrets())
        result = CliRunner().invoke(app, [*command[1:], "--local"], obj=lambda _place, made=deployment: made)
        assert result.exit_code == 0, result.output
    assert (accounts.find("acme").calls_per_number, accounts.find("acme").minutes_per_day) == (2, 600)


def test_the_check_says_what_limits_a_message_and_what_that_means_now():
    account, lists = (
        Account("acme", ("*",), calls_per_number=2, minutes_per_day=9),
        MemoryLists({("acme", "ivr_651854")}),
    )
    body = json.loads(CURLS[1][CURLS[1].index("-d") + 1])
    body["messages"][0]["windows"] = body["messages"][0]["timeZone"] = body["messages"][0]["notOn"] = None
    calls = Counted(2, (NOW - 3_600_000, NOW - 7_200_000))
    known = {"+380671234567": Caps((calls,)), "+12125550123": Caps((Counted(2),))}

    def checked(ttl=None, found=known):
        asked = {**body, "messages": [one | ({"ttl": ttl} if ttl else {}) for one in body["messages"]]}
        answer: Any = check_messages(
            account, json.dumps(asked).encode(), prompts=lists, clock=FakeClock(), caps_of=lambda *_: found
        )
        return answer["messages"]

    kyiv, new_york = checked(ttl=172_800)
    limit = "2 times in any 24 hours, all messages of this account together"
    assert kyiv["mayRing"] == f"may ring only {limit}"
    assert kyiv["dialledFrom"] == "2026-09-22T12:18:20.000Z"
    (warning,) = [one for one in kyiv["warnings"] if one["code"] == "CALLS_PER_NUMBER"]
    assert warning["path"] == "messages[0].to"
    assert "has had 2 calls" in warning["message"]
    assert "expired" not in warning["message"]
    assert new_york["mayRing"] == (
        "may ring only mon-fri 09:00-20:00, sat 10:00-18:00 on the clock of America/New_York, not on 2026-12-25; "
        f"and only {limit}"
    )
    assert "dialledFrom" not in new_york
    assert not [one for one in new_york.get("warnings", ()) if "PER" in one["code"]]
    # Its time is up before it may be called.
    (warning,) = [one for one in checked(ttl=3600)[0]["warnings"] if one["code"] == "CALLS_PER_NUMBER"]
    assert warning["message"].endswith("so it would end as expired")
    # The account has no minutes left.
    spent = checked(ttl=172_800, found=dict.fromkeys(known, Caps(spent_until_msec=next_day_msec(NOW))))
    assert [one["dialledFrom"] for one in spent] == ["2026-09-22T00:00:00.000Z", "2026-09-22T13:00:00.000Z"]
    assert [[one["code"] for one in each["warnings"] if "PER" in one["code"]] for each in spent] == [
        ["MINUTES_PER_DAY"],
        ["MINUTES_PER_DAY"],
    ]


def test_an_account_without_limits_reads_nothing_for_a_check_and_is_told_nothing():
    def never(*_):
        raise AssertionError("its calls are not counted")

    body = json.dumps(json.loads(CURLS[0][CURLS[0].index("-d") + 1]) | {"sendAt": None}).encode()
    lists = MemoryLists({("acme", "ivr_651854")})
    answer: Any = check_messages(Account("acme", ("*",)), body, prompts=lists, clock=FakeClock(), caps_of=never)
    assert not {"mayRing", "dialledFrom"} & set(answer["messages"][0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), None),
        ((Hours((Window(1320, 360),), ("UTC",)),), "22:00-06:00 on the clock of UTC"),
        ((Hours((), ("recipient",), ("2026-12-25", "2027-01-01")),), None),
        (
            (Hours((Window(0, 1440, (1, 3)),), ("A", "B", "C", "D", "E")),),
            "tue,thu 00:00-24:00 on the clocks of A, B, C and 2 other zones, all at once",
        ),
        ((Hours((Window(60, 120),), ("A", "B")),), "01:00-02:00 on the clocks of A and B, all at once"),
        ((Hours((Window(60, 120),), ()),), "01:00-02:00 on the account's clock"),
    ],
)
def test_hours_in_words(given, words):
    if given and not given[0].windows:
        words = "at any hour on the clock of the callee, not on 2026-12-25 and 2027-01-01"
    assert may_ring(given) == (words and f"may ring only {words}")
    assert may_ring(given, calls_per_number=1).endswith("once in any 24 hours, all messages of this account together")
