"""`consent`: on which ground somebody is called. Kept, told and exported; in no log."""

import csv
import io
import json
import logging
from random import Random
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters import message_items
from speechcall.optouts.rules.opt_out import Consent
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.errors import InvalidRequest
from speechcall.status.use_cases.export import Format, render, row_of
from speechcall.status.use_cases.status import NOT_HELD, History, describe_message
from tests.kit.samples import MESSAGE, NOW, FakeClock
from tests.stores.lists import MemoryLists

HANGUP = {"action": "hangup"}
MENU = {"introUrl": "https://a.example/1.wav", "dtmfActions": {"d1": [HANGUP]}}
ONE = {"from": "Shop", "to": "+380936670003", "text": "ivr", "type": "speechcall", "menu": [MENU]}
GIVEN: Any = {"basis": "contract", "at": "2026-09-01T09:00:00+03:00", "ref": "order 4711"}
OTHER = {"basis": "form", "at": "2026-08-01T00:00:00Z", "ref": "7"}


def sent(envelope: dict[str, Any], *entries: dict[str, Any]) -> list[Any]:
    """The messages of a request, as they are stored."""
    store = MemoryMessages()
    body = json.dumps({**envelope, "messages": [ONE | entry for entry in entries]}).encode()
    answer = accept_messages(
        Account("acme", ("*",)),
        body,
        messages=store,
        lists=MemoryLists(),
        clock=FakeClock(),
        random_bits=Random(1).getrandbits,
    )
    return [store.get(one["messageId"]) for one in answer["messages"] if one["status"] == "sent"]


def test_that_of_a_message_goes_before_that_of_the_envelope():
    own, its_envelopes, none = sent({"consent": GIVEN}, {"consent": OTHER}, {}, {"consent": None})
    assert own.consent == Consent(**OTHER)
    assert its_envelopes.consent == Consent(**GIVEN)
    assert none.consent is None
    assert sent({}, {})[0].consent is None


def test_it_is_stored_told_and_exported_and_in_no_log(caplog):
    with caplog.at_level(logging.DEBUG):
        (message,) = sent({}, {"consent": GIVEN})
    assert message_items.load(from_wire(to_wire(message_items.dump(message)))) == message
    assert "consent" not in message_items.dump(MESSAGE)
    history = History(message, (), ())
    assert describe_message(history, NOW)["consent"] == GIVEN
    assert "consent" not in describe_message(History(MESSAGE, (), ()), NOW)
    row = row_of(history, NOW, NOT_HELD)
    cells: Any
    (cells,) = csv.DictReader(io.StringIO(render([row], Format.CSV, begins=True), newline=""))
    for told in (cells, json.loads(render([row], Format.JSONL, begins=True))):
        assert (told["consentBasis"], told["consentAt"], told["consentRef"]) == tuple(GIVEN.values())
    assert "order 4711" not in caplog.text + repr(message)


@pytest.mark.parametrize(
    "wrong",
    [
        "yes",
        [],
        {},
        {"basis": "form", "at": "2026-09-01T09:00:00Z"},
        GIVEN | {"more": 1},
        GIVEN | {"basis": ""},
        GIVEN | {"ref": "x" * 257},
        GIVEN | {"ref": 7},
        GIVEN | {"at": "2026-09-01"},
        GIVEN | {"at": "2026-02-30T09:00:00Z"},
        GIVEN | {"at": 1_790_000_000},
        GIVEN | {"at": "2027-09-01T09:00:00Z"},
    ],
)
def test_what_is_none_is_refused_in_a_message_and_around_them(wrong):
    for envelope, entry in (({}, {"consent": wrong}), ({"consent": wrong}, {})):
        with pytest.raises(InvalidRequest) as refused:
            sent(envelope, entry)
        assert {problem.code for problem in refused.value.problems} == {"INVALID_CONSENT"}
        assert all("consent" in problem.path for problem in refused.value.problems)
