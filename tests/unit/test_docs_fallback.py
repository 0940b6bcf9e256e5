"""docs/fallback.md: what its cURL sends is accepted, and means what the page says; its lengths and words are ours."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.fallback import CAUSES, NO_KEY, REASONS, Fallback, FallbackStatus
from speechcall.messages.rules.message import State
from speechcall.messages.rules.sms import MOST_GSM, MOST_OTHER, parts_of
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.requests.use_cases.request_models import StatusEventName
from speechcall.status.use_cases.status import History, describe_message
from tests.kit.samples import NOW, FakeClock
from tests.stores.lists import MemoryLists

PAGE = (Path(__file__).parents[2] / "docs" / "fallback.md").read_text(encoding="utf-8")
(CURL,) = [shlex.split(block.partition("```")[0].replace("\\\n", " ")) for block in PAGE.split("```sh\n")[1:]]
GRANTED = Account("acme", ("*",), sms_per_day=10)


def post(body: Any, account: Account = GRANTED, *, sends_sms: bool = True) -> Any:
    messages = MemoryMessages()
    answer: Any = accept_messages(
        account,
        json.dumps(body).encode(),
        messages=messages,
        lists=MemoryLists({("acme", "ivr_651854")}),
        clock=FakeClock(),
        random_bits=lambda _: 1,
        sends_sms=sends_sms,
    )
    return [messages.get(one["messageId"]) for one in answer["messages"]]


def test_the_curl_of_the_page_is_accepted_and_means_what_it_says():
    assert (CURL[0], CURL[3]) == ("curl", "$URL/bat/messagelist")
    body = json.loads(CURL[CURL.index("-d") + 1])
    (message,) = post(body)
    given = body["messages"][0]["fallback"]
    assert message.fallback == Fallback(given["text"], tuple(given["on"]))
    assert message.status_events == ("final", "fallback")
    assert describe_message(History(message, [], []), NOW).get("fallbacks") == [{"type": "sms", "status": "not_used"}]
    # Absent, `on` is all but `noKey`.
    del body["messages"][0]["fallback"]["on"]
    (message,) = post(body)
    assert set(message.fallback.on) == {*CAUSES} - {NO_KEY}


def test_one_whose_time_is_up_awaits_its_sms_also_before_that_is_written_down():
    body = json.loads(CURL[CURL.index("-d") + 1])
    (message,) = post(body)
    queued = replace(message, state=State.QUEUED)
    later = describe_message(History(queued, [], []), queued.dial_until_msec)
    assert (later["call"]["outcome"], later.get("fallbacks")) == ("expired", [{"type": "sms", "status": "pending"}])


def test_the_page_has_every_end_status_and_reason_and_the_lengths():
    first_cells = re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE)
    words = {word for cell in first_cells for word in re.findall(r"`(\w+)`", cell)}
    assert {*CAUSES, *(status.value for status in FallbackStatus)} <= words
    assert [reason for reason in REASONS if f"`{reason}`" not in PAGE] == []
    assert "fallback" in get_args(StatusEventName)
    assert f"1 to {MOST_GSM:,} places" in PAGE
    assert f"at most {MOST_OTHER} places" in PAGE
    (gsm,) = re.findall(r"^\| GSM alphabet \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    (other,) = re.findall(r"^\| others \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    for letter, (one, each) in (("a", map(int, gsm)), ("ж", map(int, other))):
        assert (parts_of(letter * one), parts_of(letter * (one + 1))) == (1, 2)
        assert (parts_of(letter * 2 * each), parts_of(letter * (2 * each + 1))) == (2, 3)


@pytest.mark.parametrize("account", [GRANTED, Account("acme", ("*",))])
def test_a_message_without_one_is_accepted_as_ever(account):
    body = json.loads(CURL[CURL.index("-d") + 1])
    del body["messages"][0]["fallback"]
    (message,) = post(body, account, sends_sms=False)
    assert message.fallback is None
    assert "fallbacks" not in describe_message(History(message, [], []), NOW)
