"""docs/calling-hours.md: what its cURLs send is accepted, and means what the page says."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.status.use_cases.status import History, describe_message
from tests.kit.samples import NOW, QUEUED, FakeClock
from tests.stores.lists import MemoryLists
from tests.stores.memory import MemoryMessages

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
