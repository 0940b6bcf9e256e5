"""Messages whose menus break a promise of their request, or of their account."""

import json
from dataclasses import replace
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.prove import prove
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases import judge_promises
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.shared.rules.errors import InvalidRequest
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

HANGUP = {"action": "hangup"}
AGAIN = {"action": "gotoMenu", "menu": 0}
CONFIRM = {"action": "webhook", "url": "https://shop.example/confirmed", "body": {"order": 1}}
SURE = {"name": "sure", "never": {"webhook": "*/confirmed", "by": "wrong"}}
SHORT = {"always": {"callSeconds": "<= 40"}}
ACME = Account("acme", ("+380",))
UPLOADED = "ivr_651854"
"""Its length is 2 s in the stores in memory."""


def message(**lists):
    menu = {"introUrl": UPLOADED, "dtmfActions": lists}
    return {"from": "Shop", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [menu]}


GOOD = message(d1=[CONFIRM, HANGUP], wrong=[HANGUP])
BAD = message(d1=[CONFIRM, HANGUP], wrong=[CONFIRM, HANGUP])


def body(*messages, **envelope):
    return json.dumps({"messages": [*messages], **envelope}).encode()


def check(content, account=ACME, limits=AS_DEPLOYED):
    lists = MemoryLists({("acme", UPLOADED)})
    return check_messages(account, content, prompts=lists, clock=FakeClock(), limits=limits)


def send(content, account=ACME, key=None, lists=None):
    drawn = iter(range(10**6))
    stores: Any = {
        "messages": MemoryMessages(),
        "lists": MemoryLists({("acme", UPLOADED)}) if lists is None else lists,
        "clock": FakeClock(),
    }
    return accept_messages(account, content, key, **stores, random_bits=lambda bits: next(drawn) % (1 << bits))


def test_a_message_that_keeps_its_promises_is_acceptable_and_the_check_says_what_is_known():
    (one,) = check(body(GOOD, promises=[SURE]))["messages"]
    assert one["status"] == "acceptable"
    said = "holds in every call of at most 50 menus, 900 s and 2 silent repeats"
    assert one["promises"] == [{"promise": "sure", "result": "proved", "message": said}]
    assert send(body(GOOD, promises=[SURE]))["messages"][0]["status"] == "sent"


def test_a_message_that_breaks_one_is_rejected_with_a_shortest_call():
    answer = check(body(GOOD, BAD, promises=[SURE]))
    assert [one["status"] for one in answer["messages"]] == ["acceptable", "rejected"]
    rejected = answer["messages"][1]
    path = "menu[0].dtmfActions.wrong[0]"
    assert (rejected["error"]["code"], rejected["error"]["path"]) == ("PROMISE_BROKEN", f"messages[1].{path}")
    (judged,) = rejected["promises"]
    keys = [{"menu": 0, "heard": "idle"}]
    assert judged["counterexample"] == {"path": path, "words": "menu 0: silence", "keys": keys}
    sent = send(body(GOOD, BAD, promises=[SURE]))
    assert [one["status"] for one in sent["messages"]] == ["sent", "rejected"]
    assert sent["messages"][1] == {name: value for name, value in rejected.items() if name != "promises"}


def test_an_account_requires_promises_of_every_request():
    strict = replace(ACME, requires=json.dumps([SURE]))
    assert send(body(GOOD), strict)["messages"][0]["status"] == "sent"
    with pytest.raises(InvalidRequest) as refused:
        send(body(BAD), strict)
    assert refused.value.code == "PROMISE_BROKEN"
    (one,) = check(body(BAD), strict)["messages"]
    assert one["promises"][0]["isRequired"] is True
    assert "promises" not in check(body(BAD))["messages"][0]


def test_a_repeat_is_answered_as_before_whatever_the_account_requires_by_then():
    lists = MemoryLists({("acme", UPLOADED)})
    first = send(body(BAD), key="k", lists=lists)
    assert send(body(BAD), replace(ACME, requires=json.dumps([SURE])), key="k", lists=lists) == first


@pytest.mark.parametrize("stored", ['[{"later": {}}]', "{", "[]"])
def test_promises_of_a_later_release_let_nothing_through(stored):
    (one,) = check(body(GOOD), replace(ACME, requires=stored))["messages"]
    assert (one["status"], one["error"]["code"]) == ("rejected", "PROMISE_UNDECIDED")


def test_the_length_of_an_uploaded_introduction_counts_and_another_is_unknown():
    exact = {"always": {"callSeconds": "<= 12"}}
    assert check(body(GOOD, promises=[exact]))["messages"][0]["status"] == "acceptable"
    one = check(body(GOOD, promises=[{"always": {"callSeconds": "<= 11"}}]))["messages"][0]
    assert "it takes 12 s, which is more than 11 s" in one["error"]["message"]
    unknown = message(d1=[HANGUP])
    unknown["menu"][0]["introUrl"] = "https://shop.example/intro.wav"
    one = check(body(unknown, promises=[exact]))["messages"][0]
    assert (one["error"]["code"], one["error"]["path"]) == ("PROMISE_UNDECIDED", "messages[0].menu[0]")


def test_a_menu_that_is_repeated_takes_longer_than_the_same_that_is_not():
    exact = {"always": {"callSeconds": "<= 12"}}
    longer = message(d1=[HANGUP])
    longer["menu"][0]["repeat"] = {"times": 1}
    first, second = check(body(message(d1=[HANGUP]), longer, promises=[exact]))["messages"]
    assert (first["status"], second["status"]) == ("acceptable", "rejected")
    assert "it takes 24 s, which is more than 12 s" in second["error"]["message"]


def test_the_limits_are_those_of_the_stack_and_the_message():
    never = {"never": {"ends": "silence"}}
    once = message(d1=[HANGUP], wrong=[AGAIN])
    assert check(body(once, promises=[never]), limits=CallLimits(2))["messages"][0]["status"] == "acceptable"
    words = [
        check(body(one, promises=[never]))["messages"][0]["promises"][0]["counterexample"]["words"]
        for one in (once, once | {"silentRepeats": 0})
    ]
    assert [text.count("silence") for text in words] == [3, 1]


def test_messages_whose_calls_are_alike_are_looked_through_once(monkeypatch):
    asked = []

    def counted(*given):
        asked.append(given)
        return prove(*given)

    monkeypatch.setattr(judge_promises, "prove", counted)
    others = [message(d1=[CONFIRM | {"body": {"order": number}}, HANGUP], wrong=[HANGUP]) for number in range(5)]
    longer = message(d1=[CONFIRM, HANGUP], d2=[HANGUP], wrong=[HANGUP])
    assert "rejected" not in check(body(*others, longer, promises=[SURE, SHORT]))
    assert len(asked) == 4


def test_a_request_has_so_many_states_to_look_at_and_an_answer_so_many_keys(monkeypatch):
    monkeypatch.setattr(judge_promises, "MOST_STATES_A_REQUEST", 3)
    loop = message(d1=[AGAIN], wrong=[AGAIN])
    promises = [{"always": {"menus": "<= 4"}}, {"always": {"menus": "<= 60"}}]
    results = [one["result"] for one in check(body(loop, promises=promises))["messages"][0]["promises"]]
    assert results == ["undecided", "undecided"]
    monkeypatch.setattr(judge_promises, "MOST_STATES_A_REQUEST", 10**6)
    monkeypatch.setattr(judge_promises, "MOST_KEYS_TOLD", 6)
    (one,) = check(body(loop, promises=[{"always": {"menus": "<= 4"}}, {"always": {"menus": "<= 3"}}]))["messages"]
    assert ["keys" in judged["counterexample"] for judged in one["promises"]] == [True, False]
    assert len(one["error"]["details"]) == 2


def test_many_broken_promises_of_many_messages_are_a_short_answer():
    loops = [message(**{key: [AGAIN] for key in ("d1", "d2", "wrong")}) for _ in range(100)]
    never = [{"name": f"{number:x<64}", "never": {"ends": "limit"}} for number in range(20)]
    with pytest.raises(InvalidRequest) as refused:
        send(body(*loops, promises=never), replace(ACME, burst=1000))
    assert len(refused.value.problems) == 200
    assert sum(len(one.message.encode()) for one in refused.value.problems) < 100_000
    assert len(json.dumps(check(body(*loops, promises=never)))) < 4_000_000


def test_promises_that_cannot_be_read_refuse_the_request():
    for asked in (check, send):
        with pytest.raises(InvalidRequest) as refused:
            asked(body(GOOD, promises=[{"never": {}}, {"nevr": {}}]))
        assert refused.value.code == "INVALID_PROMISE"
        assert [one.path for one in refused.value.problems] == ["promises[0].never", "promises[1].nevr"]
