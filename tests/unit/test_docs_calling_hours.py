"""docs/calling-hours.md: what its cURLs send is accepted, and means what the page says."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.rfc3339 import to_msec
from tests.kit.samples import FakeClock
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
