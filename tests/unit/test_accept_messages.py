"""POST /bat/messagelist: checked, stored together, answered in the order sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.menu import Webhook
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.when_to_dial import Dialable, next_dial
from speechcall.prompts.rules.prompt import Prompt
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases import field_checks
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    MalformedJson,
    PayloadTooLarge,
    RequestError,
    StoreUnavailable,
    TooManyMenuShapes,
)
from speechcall.shared.rules.json_text import MAX_JSON_BYTES
from tests.kit.samples import NOW, FakeClock
from tests.stores.lists import MemoryLists
from tests.stores.shapes import MemoryShapes

HOOK = {"action": "webhook", "url": "https://api.example.com/callback/option1", "body": {"confirm": True}}
HANGUP = {"action": "hangup"}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HOOK, HANGUP], "wrong": [HANGUP]}}


def entry(to="+380936670003", **more):
    return {"from": "BazarCOM", "to": to, "text": "ivr", "type": "speechcall", "menu": [MENU], **more}


ACME = Account("acme", ("*",))


class Lists(MemoryShapes):
    """The lists and the uploaded prompts of one account."""

    def __init__(self, *prompts):
        super().__init__()
        self.lists, self.keys, self.spent, self.asked = [], {}, [], []
        self.prompts = {name: Prompt("s3:a", 2.0) for name in prompts}

    def add_list(self, made, key):
        if key and key in self.keys:
            return self.keys[key]
        if any(one.list_id == made.list_id for one in self.lists):
            return None
        self.lists.append(made)
        if key:
            self.keys[key] = made
        return made

    def find_list_by_key(self, account_id, key):
        return self.keys.get(key)

    def keep_accepting(self, stored, now_msec):
        raise AssertionError("no list is of a campaign here")

    def confirm_list(self, stored):
        raise AssertionError("no list is of a campaign here")

    def spend(self, account, messages, now_msec, urgent=0):
        self.spent.append(messages)

    def give_back(self, account, messages, now_msec, urgent=0):
        self.spent.remove(messages)

    def find_prompt(self, account_id, identifier):
        self.asked.append((account_id, identifier))
        return self.prompts.get(identifier)


class Api:
    """One account's way in."""

    def __init__(self):
        self.messages, self.lists, self.drawn = MemoryMessages(), Lists("ivr_651854"), 5

    def post(self, body, key=None, account=ACME, **more):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return accept_messages(
            account,
            content,
            key,
            messages=self.messages,
            lists=self.lists,
            clock=FakeClock(),
            random_bits=lambda bits: self.drawn,
            **more,
        )

    def refused(self, body, error=InvalidRequest):
        with pytest.raises(error) as refused:
            self.post(body)
        assert not self.lists.lists
        assert not self.messages._messages
        return refused.value


@pytest.fixture
def api():
    return Api()


def test_the_answer_is_that_of_the_specification(api):
    answer = api.post({"messages": [entry()]})
    (message,) = answer["messages"]
    assert message == {"messageId": message["messageId"], "recipient": "+380936670003", "status": "sent"}
    assert set(answer) == {"messages", "messagelistId"}


@pytest.mark.parametrize("is_simulated", [True, False])
def test_whether_a_phone_will_ring_is_stored_with_the_message_and_its_list(api, is_simulated):
    answer = api.post({"messages": [entry()]}, is_simulated=is_simulated)
    assert api.messages.get(answer["messages"][0]["messageId"]).is_simulated is is_simulated
    (stored,) = api.lists.lists
    assert stored.is_simulated is is_simulated


def test_an_accepted_message_is_stored_as_it_was_given(api):
    answer = api.post({"messages": [entry("380936670003")]})
    stored = api.messages.get(answer["messages"][0]["messageId"])
    assert stored.sender == "BazarCOM"
    assert stored.recipient == "380936670003"
    assert stored.number == "+380936670003"
    assert stored.account_id == "acme"
    assert stored.list_id == answer["messagelistId"]
    assert stored.state == State.PREPARING
    assert stored.created_msec == NOW
    assert stored.expires_at == NOW // 1000 + (1 + 2 + 30) * 86_400
    assert stored.attempt == 0
    assert stored.menus[0].actions["d1"][0].body == '{"confirm":true}'
    (made,) = api.lists.lists
    assert made.list_id == answer["messagelistId"]
    assert made.account_id == "acme"
    assert made.message_ids == (answer["messages"][0]["messageId"],)
    assert made.created_msec == NOW
    assert made.expires_at == stored.expires_at + 5 * 86_400


def test_ids_are_decimal_strings_in_the_order_sent(api):
    answer = api.post({"messages": [entry() for _ in range(100)]})
    ids = [int(message["messageId"]) for message in answer["messages"]]
    assert ids == sorted(set(ids))
    assert int(answer["messagelistId"]) < ids[0]


def test_a_rejected_message_keeps_its_place_and_is_counted(api):
    answer = api.post({"messages": [entry(), entry("12"), 7, entry("+380936670004")]})
    assert [message["status"] for message in answer["messages"]] == ["sent", "rejected", "rejected", "sent"]
    assert answer["rejected"] == 2
    assert [message["recipient"] for message in answer["messages"]] == ["+380936670003", "12", None, "+380936670004"]
    error = answer["messages"][1]["error"]
    assert error["code"] == "INVALID_RECIPIENT"
    assert error["path"] == "messages[1].to"
    assert "messageId" not in answer["messages"][1]
    stored = api.messages.get(answer["messages"][3]["messageId"])
    assert stored.number == "+380936670004"
    assert len(api.lists.lists[0].message_ids) == 2


def test_a_rejected_message_with_several_problems_tells_them_all(api):
    answer = api.post({"messages": [entry(), entry("12", text="")]})
    error = answer["messages"][1]["error"]
    assert error["code"] == "INVALID_RECIPIENT"
    assert [detail["path"] for detail in error["details"]] == ["messages[1].to", "messages[1].text"]


def test_when_every_message_is_refused_so_is_the_request(api):
    error = api.refused({"messages": [entry("12"), entry(type="sms")]})
    assert error.status == 400
    assert error.code == "INVALID_RECIPIENT"
    assert [problem.path for problem in error.problems] == ["messages[0].to", "messages[1].type"]


@pytest.mark.parametrize("body", [{}, {"messages": None}, {"messages": {}}, {"messages": "x"}])
def test_an_envelope_without_a_list_is_unusable(api, body):
    error = api.refused(body)
    assert error.code == "INVALID_REQUEST"
    assert error.problems[0].path == "messages"


@pytest.mark.parametrize("body", [None, [], "messages", 1, [entry()]])
def test_an_envelope_that_is_no_object_is_wrong_as_a_whole(api, body):
    error = api.refused(body)
    assert error.code == "INVALID_REQUEST"
    assert error.problems[0].path == ""


@pytest.mark.parametrize("count", [0, 101])
def test_a_list_holds_1_to_100_messages(api, count):
    error = api.refused({"messages": [entry()] * count})
    assert f"holds {count} messages" in error.problems[0].message


def test_what_is_no_json_is_refused_before_anything_is_stored(api):
    assert api.refused(b'{"messages":[],"messages":[]}', MalformedJson).status == 400
    assert api.refused(b"", MalformedJson).code == "MALFORMED_JSON"


def test_more_than_a_mebibyte_is_too_large(api):
    body = json.dumps({"messages": [entry()]}).encode()
    assert api.refused(body + b" " * (MAX_JSON_BYTES + 1 - len(body)), PayloadTooLarge).status == 413
    assert api.post(body + b" " * (MAX_JSON_BYTES - len(body)))["messages"]


def test_an_identifier_that_the_account_has_not_uploaded_is_refused_where_it_stands(api):
    other = MENU | {"introUrl": "ivr_1"}
    answer = api.post({"messages": [entry(menu=[MENU, other]), entry()]})
    error = answer["messages"][0]["error"]
    assert error["code"] == "UNKNOWN_AUDIO"
    assert error["path"] == "messages[0].menu[1].introUrl"
    assert answer["messages"][1]["status"] == "sent"


def test_each_identifier_is_looked_up_once_and_a_url_never(api):
    by_url = MENU | {"introUrl": "https://example.com/a.wav"}
    api.post({"messages": [entry(menu=[MENU, by_url, MENU]) for _ in range(3)]})
    assert api.lists.asked == [("acme", "ivr_651854")]


def test_a_message_whose_menus_are_too_large_to_store_is_refused(api):
    full = MENU | {"dtmfActions": {f"d{digit}": [HOOK | {"body": {"a": "x" * 8000}}] for digit in range(9)}}
    answer = api.post({"messages": [entry(), entry(menu=[full])]})
    assert answer["messages"][1]["error"]["path"] == "messages[1].menu"
    assert answer["rejected"] == 1


def test_unknown_fields_are_told_back_as_warnings(api):
    answer = api.post({"messages": [entry(colour=60), entry()]})
    (warning,) = answer["messages"][0]["warnings"]
    assert warning["code"] == "UNKNOWN_FIELD"
    assert warning["path"] == "messages[0].colour"
    assert "warnings" not in answer["messages"][1]


def test_a_ring_time_that_cannot_be_kept_is_told_back(api):
    body = json.dumps({"messages": [entry(ringTimeoutSec=20), entry()]}).encode()
    checked: Any = check_messages(ACME, body, prompts=Lists("ivr_651854"), clock=FakeClock(), ring_time_kept=False)
    one, other = checked["messages"]
    assert [warning["code"] for warning in one["warnings"]] == ["RING_TIMEOUT_NOT_KEPT", "NO_OPT_OUT_KEY"]
    assert [warning["code"] for warning in other["warnings"]] == ["NO_OPT_OUT_KEY"]
    kept: Any = check_messages(ACME, body, prompts=Lists("ivr_651854"), clock=FakeClock())["messages"]
    assert [[warning["code"] for warning in message["warnings"]] for message in kept] == [["NO_OPT_OUT_KEY"]] * 2


def test_what_the_sender_says_of_dialling_is_stored_and_nothing_else_changes(api):
    said = {"customerMessageId": "order-7", "ttl": 60, "ringTimeoutSec": 20, "redial": {"attempts": 2}}
    answer = api.post({"messages": [entry(**said), entry()]})
    with_it, without = (api.messages.get(one["messageId"]) for one in answer["messages"])
    fields = {"customer_id": "order-7", "ttl_seconds": 60, "ring_seconds": 20, "redial": Redial(2)}
    fields["expires_at"] = without.expires_at - 86_400 + 60
    assert with_it == replace(without, mid=with_it.mid, **fields)
    assert without.customer_id is None
    assert without.ttl_seconds == 86_400
    assert without.ring_seconds == 45
    assert without.redial is None
    assert without.dial_until_msec == without.created_msec + 86_400_000


def test_the_senders_own_id_comes_back_beside_ours_and_beside_a_rejection(api):
    answer = api.post(
        {"messages": [entry(customerMessageId="a"), entry(customerMessageId="b", to="12"), entry(), entry(to="1")]}
    )
    assert [one.get("customerMessageId") for one in answer["messages"]] == ["a", "b", None, None]
    assert [one["status"] for one in answer["messages"]] == ["sent", "rejected", "sent", "rejected"]


def test_a_senders_id_that_cannot_be_is_not_told_back_whatever_its_length(api):
    refused = api.post({"messages": [entry(), entry(customerMessageId="x" * 5000), entry(customerMessageId=7)]})
    assert [one.get("customerMessageId") for one in refused["messages"]] == [None, None, None]


def test_countless_unknown_fields_do_not_make_an_answer_that_cannot_be_given(api):
    # Given messages that are accepted, with a mebibyte of unknown fields
    noise = {f"{number}" + "n" * 90: 0 for number in range(100)}
    answer = api.post({"messages": [entry(**noise) for _ in range(80)]})
    # Then the answer, without which the client would send them again, is small
    assert len(json.dumps(answer)) < 500_000
    assert all(message["status"] == "sent" for message in answer["messages"])


def test_messages_are_stored_together_or_not_at_all(api):
    # Given another request that has drawn the same ids
    api.post({"messages": [entry()]})
    before = dict(api.messages._messages)
    # When a longer one draws them again
    with pytest.raises(StoreUnavailable):
        api.post({"messages": [entry(), entry()]})
    # Then none of its messages is there
    assert api.messages._messages == before


def test_a_repeat_with_the_same_key_gets_the_same_answer_and_spends_nothing(api):
    first = api.post({"messages": [entry()]}, key="k")
    assert api.post({"messages": [entry()]}, key="k") == first
    assert len(api.lists.lists) == 1
    assert len(api.messages._messages) == 1
    assert api.lists.spent == [1]


def test_a_repeat_writes_the_messages_that_a_crash_left_out(api):
    first = api.post({"messages": [entry("+1"), entry()]}, key="k")
    kept = dict(api.messages._messages)
    api.messages._messages.clear()
    assert api.post({"messages": [entry("+1"), entry()]}, key="k") == first
    assert api.messages._messages == kept


TWICE = entry(menu=[MENU | {"dtmfActions": {"d1": [HOOK | {"headers": {"X-A": "1", "x-a": "2"}}]}}])


@pytest.mark.parametrize("others", [[], [entry("+380936670004")]])
def test_a_repeat_is_answered_although_the_rules_have_become_stricter_meanwhile(api, monkeypatch, others):
    # Given a message that a release before took, and that would be refused today
    with monkeypatch.context() as before:
        before.setattr(field_checks, "repeated", lambda _names: None)
        first = api.post({"messages": [TWICE, *others]}, key="k")
    stored = dict(api.messages._messages)
    # When its sender repeats the request
    assert api.post({"messages": [TWICE, *others]}, key="k") == first
    # Then it is answered as it was, and nothing is changed
    assert api.messages._messages == stored
    assert api.lists.spent == [1 + len(others)]


def test_what_a_crash_left_out_is_not_called_sent_when_it_cannot_be_written_any_more(api, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(field_checks, "repeated", lambda _names: None)
        api.post({"messages": [TWICE, entry()]}, key="k")
    api.messages._messages.clear()
    with pytest.raises(StoreUnavailable):
        api.post({"messages": [TWICE, entry()]}, key="k")
    assert not api.messages._messages


def test_a_repeat_is_answered_even_when_its_prompt_has_gone(api):
    first = api.post({"messages": [entry()]}, key="k")
    api.lists.prompts = ()
    assert api.post({"messages": [entry()]}, key="k") == first


def test_a_key_with_another_body_is_refused(api):
    api.post({"messages": [entry()]}, key="k")
    with pytest.raises(IdempotencyKeyReused):
        api.post({"messages": [entry("+380936670004")]}, key="k")
    assert len(api.messages._messages) == 1


NAMED = {
    "menus": [MENU | {"dtmfActions": {"d1": [HOOK | {"body": {"order": "{{order}}"}}, HANGUP], "wrong": [HANGUP]}}]
}


def named(order, **more):
    return {name: value for name, value in entry(vars={"order": order}, **more).items() if name != "menu"}


def test_what_stands_in_shared_menus_is_kept_in_a_messages_own_menus_alone(api):
    answer = api.post({**NAMED, "messages": [named("Ann 4711"), named("Bob 4712", to="+380936670004")]}, key="k")
    first, second = (api.messages.get(one["messageId"]) for one in answer["messages"])
    bodies = [one.body for kept in (first, second) for one in kept.menus[0].actions["d1"] if isinstance(one, Webhook)]
    assert bodies == ['{"order":"Ann 4711"}', '{"order":"Bob 4712"}']
    without_menus = [replace(one, menus=(), menus_text=None) for one in (first, second)]
    assert "Ann" not in repr((without_menus, api.lists.lists, api.lists.brought))
    assert len(api.lists.brought[("acme", "2026-09-21")]) == 1


def test_a_key_with_other_values_is_refused_and_with_the_same_is_a_repeat(api):
    first = api.post({**NAMED, "messages": [named("1")]}, key="k")
    assert api.post({**NAMED, "messages": [named("1")]}, key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        api.post({**NAMED, "messages": [named("2")]}, key="k")
    assert len(api.messages._messages) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb"])
def test_a_key_that_cannot_be_one_is_refused(api, key):
    with pytest.raises(RequestError):
        api.post({"messages": [entry()]}, key=key)


def test_an_account_calls_only_its_destinations_and_as_its_senders(api):
    account = Account("acme", ("+380",), senders={"BazarCOM": "+4930123456"})
    answer = api.post({"messages": [entry(), entry("+4930123456"), entry(**{"from": "Other"})]}, account=account)
    sent, foreign, other = answer["messages"]
    assert api.messages.get(sent["messageId"]).caller_id == "+4930123456"
    assert foreign["error"]["code"] == "INVALID_RECIPIENT"
    assert foreign["error"]["path"] == "messages[1].to"
    assert other["error"]["code"] == "INVALID_SENDER"
    assert other["error"]["path"] == "messages[2].from"
    assert api.lists.spent == [1]


def test_the_longest_prefix_that_fits_a_number_decides_whether_it_is_called(api):
    account = Account("acme", ("*", "+380441"), denied=("+38", "+38044", "+4930"))
    numbers = ["+380671234567", "+380442234567", "+380441234567", "+4930123456", "+4940123456"]
    answer = api.post({"messages": [entry(to) for to in numbers]}, account=account)
    assert [one["recipient"] for one in answer["messages"] if one["status"] == "sent"] == [numbers[2], numbers[4]]
    assert answer["messages"][0]["error"]["message"].endswith("which are: *, +380441, without +38, +38044, +4930")


@pytest.mark.parametrize(("premium", "sent"), [(False, [0, 5]), (True, [0, 1, 2, 3, 4, 5])])
def test_premium_numbers_are_for_accounts_that_may_call_them(api, premium, sent):
    numbers = ["+380671234567", "+380900212345", "+979123456789", "+80812345678", "+49900112345678", "+80012345678"]
    body = {"messages": [entry(to) for to in numbers]}
    answer = api.post(body, account=Account("acme", ("*",), premium=premium))
    taken = [one["recipient"] for one in answer["messages"] if one["status"] == "sent"]
    assert taken == [numbers[index] for index in sent]
    errors = [one["error"] for one in answer["messages"] if one["status"] == "rejected"]
    assert {error["code"] for error in errors} <= {"INVALID_RECIPIENT"}
    assert [error["path"] for error in errors] == [f"messages[{at}].to" for at in range(6) if at not in sent]


def test_a_number_that_can_be_none_is_refused_before_its_account_is_looked_at(api):
    error = api.refused({"messages": [entry("2146491379"), entry("+38067123456")]})
    assert [problem.code for problem in error.problems] == ["INVALID_RECIPIENT"] * 2


def of_shape(number):
    """A message whose menu has a shape that no other number below 1,000 gives it."""
    digits = f"{number:03}"
    lists = {f"d{place}": [HOOK] * int(digit) for place, digit in enumerate(digits)}
    return entry(menu=[MENU | {"dtmfActions": {**lists, "wrong": [HANGUP]}}])


def test_messages_that_differ_in_their_data_alone_bring_one_shape(api):
    for number in range(3):
        lists = {"d1": [HOOK | {"url": f"https://example.com/{number}"}], "wrong": [HANGUP]}
        other = MENU | {"idleTimeoutMsec": 1000 + number, "dtmfActions": lists}
        api.drawn += 200
        api.post({"messages": [entry(menu=[other], text=str(number)), entry(f"+38093667000{number}")]})
    assert len(api.lists.known) == 1


def test_too_many_new_shapes_refuse_the_whole_request_and_spend_nothing(api):
    for first in (100, 200):
        api.drawn = first
        api.post({"messages": [of_shape(number) for number in range(first, first + 100)]})
    stored = len(api.messages._messages)
    with pytest.raises(TooManyMenuShapes):
        api.post({"messages": [of_shape(150), of_shape(300)]})
    assert len(api.messages._messages) == stored
    assert len(api.lists.lists) == 2
    assert api.lists.spent == [100, 100]
    api.drawn = 300
    api.post({"messages": [of_shape(150), of_shape(250)]})


def test_only_what_is_accepted_brings_its_shape(api):
    api.post({"messages": [entry(), of_shape(123) | {"to": "12"}]})
    assert len(api.lists.known) == 1


def test_a_repeat_is_answered_whatever_shapes_there_are(api):
    first = api.post({"messages": [of_shape(1)]}, key="k")
    api.lists.known.clear()
    api.lists.brought[("acme", "2026-09-21")] = {str(number) for number in range(200)}
    assert api.post({"messages": [of_shape(1)]}, key="k") == first
    assert not api.lists.known


def test_a_check_brings_no_shape(api):
    check_messages(ACME, json.dumps({"messages": [of_shape(1)]}).encode(), prompts=api.lists, clock=FakeClock())
    assert not api.lists.known


def test_a_check_tells_the_same_and_stores_nothing(api):
    body = json.dumps({"messages": [entry(), entry("+1")]}).encode()
    answer = check_messages(ACME, body, prompts=api.lists, clock=FakeClock())
    assert [one["status"] for one in answer["messages"]] == ["acceptable", "rejected"]
    assert answer["rejected"] == 1
    assert api.lists.lists == []
    assert api.lists.spent == []
    assert api.messages._messages == {}


# ---------------------------------------------------------------- when to dial
def moment(msec):
    return datetime.fromtimestamp(msec / 1000, UTC).isoformat()


# NOW is Monday, 2026-09-21, 14:13 in UTC and 17:13 in Kyiv.
EVENING = [{"from": "18:00", "to": "20:00"}]


def test_a_message_is_stored_with_its_hours_and_its_time_in_them(api):
    wish = {"windows": EVENING, "timeZone": "Europe/Kyiv", "notOn": ["2026-12-25"]}
    answer = api.post({"messages": [entry(**wish), entry(), entry(**wish, ttl=7200)]})
    evening, plain, short = (api.messages.get(one["messageId"]) for one in answer["messages"])
    assert evening.hours == (Hours((Window(1080, 1200),), ("Europe/Kyiv",), ("2026-12-25",)),)
    opens = NOW - NOW % 3_600_000 + 3_600_000
    assert 0 <= opens + 86_400_000 - evening.dial_until_msec < 1000
    assert next_dial(evening.dial_times, NOW) == Dialable(opens, opens + 7_200_000)
    assert (plain.hours, plain.send_at_msec, plain.ttl_seconds) == ((), 0, 86_400)
    assert short.ttl_seconds == 7200


def test_send_at_is_the_moment_from_which_its_time_counts(api):
    later = NOW + 3 * 86_400_000
    body = {"messages": [entry(sendAt=moment(later), ttl=60), entry(sendAt=moment(NOW - 5000)), entry()]}
    ahead, past, _ = (api.messages.get(one["messageId"]) for one in api.post(body)["messages"])
    assert ahead.send_at_msec == later
    assert ahead.dial_until_msec == later + 60_000
    assert (past.send_at_msec, past.ttl_seconds) == (0, 86_400)


def test_no_message_is_forgotten_before_it_could_have_been_dialled_and_asked_about(api):
    days, month = 86_400, NOW // 1000 + 30 * 86_400
    answer = api.post({"messages": [entry(), entry(sendAt=moment(month * 1000), ttl=172_800)]})
    now, later = (api.messages.get(one["messageId"]) for one in answer["messages"])
    # What their calls leave behind; they themselves have no end before they have ended.
    assert (now.expires_at, later.expires_at) == (NOW // 1000 + 33 * days, month + 34 * days)
    assert min(now.leaves_at, later.leaves_at) > month + 365 * days
    assert api.lists.lists[0].expires_at == later.expires_at + 5 * days


@pytest.mark.parametrize(
    ("wish", "code", "path"),
    [
        ({"sendAt": moment(NOW - 86_401_000)}, "INVALID_SEND_AT", "sendAt"),
        ({"sendAt": moment(NOW + 30 * 86_400_000 + 1000)}, "INVALID_SEND_AT", "sendAt"),
        ({"windows": EVENING}, "INVALID_TIME_ZONE", "timeZone"),
        ({"timeZone": "Europe/Kyiv"}, "INVALID_TIME_ZONE", "timeZone"),
        ({"to": "+80012345678", "windows": EVENING, "timeZone": "recipient"}, "INVALID_TIME_ZONE", "timeZone"),
        ({"windows": EVENING, "timeZone": "Europe/Kyiv", "ttl": 600}, "NEVER_DIALLABLE", "ttl"),
        (
            {"windows": [{"from": "09:00", "to": "10:00", "days": ["tue"]}], "timeZone": "UTC", "ttl": 3600},
            "NEVER_DIALLABLE",
            "ttl",
        ),
        (
            {"windows": [{"from": "02:00", "to": "03:00", "days": ["mon"]}], "timeZone": "recipient", "ttl": 172_800},
            "NEVER_DIALLABLE",
            "ttl",
        ),
    ],
)
def test_what_can_never_be_dialled_is_refused_where_it_says_so(api, wish, code, path):
    error = api.refused({"messages": [entry(**wish)]})
    assert [(one.code, one.path) for one in error.problems] == [(code, f"messages[0].{path}")]
    checked: Any = check_messages(
        ACME, json.dumps({"messages": [entry(**wish)]}).encode(), prompts=api.lists, clock=FakeClock()
    )
    assert checked["messages"][0]["error"]["code"] == code


def test_who_is_never_dialled_is_told_when_the_hours_open(api):
    wish = {"windows": EVENING, "timeZone": "Europe/Kyiv", "ttl": 600}
    (problem,) = api.refused({"messages": [entry(**wish)]}).problems
    assert problem.message.endswith("its hours open at 2026-09-21T18:00+03:00")


def test_the_envelope_speaks_for_the_messages_that_do_not_say_otherwise(api):
    morning = [{"from": "08:00", "to": "09:00"}]
    body = {"windows": EVENING, "timeZone": "Europe/Kyiv", "notOn": ["2026-12-25"]}
    messages = [entry(), entry(windows=morning), entry(timeZone="UTC"), entry(windows=None, notOn=None, timeZone=None)]
    answer = api.post({**body, "messages": messages})
    hours = [api.messages.get(one["messageId"]).hours for one in answer["messages"]]
    off = ("2026-12-25",)
    assert hours == [
        (Hours((Window(1080, 1200),), ("Europe/Kyiv",), off),),
        (Hours((Window(480, 540),), ("Europe/Kyiv",), off),),
        (Hours((Window(1080, 1200),), ("UTC",), off),),
        (),
    ]
    assert all("warnings" not in one for one in answer["messages"])


def test_what_the_envelope_says_is_refused_in_its_own_place(api):
    error = api.refused({"windows": [{"from": "9", "to": "20:00"}], "sendAt": 5, "messages": [entry()]})
    assert [(one.code, one.path) for one in error.problems] == [
        ("INVALID_SEND_AT", "sendAt"),
        ("INVALID_WINDOW", "windows[0].from"),
    ]


def test_an_accounts_hours_hold_for_its_messages_and_are_narrowed_by_theirs(api):
    account = Account("acme", ("*",), windows=(Window(540, 1200),), time_zone="recipient")
    early = [{"from": "06:00", "to": "10:00"}]
    messages = [entry(), entry("+12125550123"), entry(windows=early), entry("+80012345678")]
    answer = api.post({"messages": [*messages, entry("+80012345678", timeZone="UTC")]}, account=account)
    day = Window(540, 1200)
    sent = [api.messages.get(one["messageId"]).hours for one in answer["messages"] if one["status"] == "sent"]
    assert sent == [
        (Hours((day,), ("Europe/Kyiv",)),),
        (Hours((day,), ("America/New_York",)),),
        (Hours((day,), ("Europe/Kyiv",)), Hours((Window(360, 600),), ("Europe/Kyiv",))),
        (Hours((day,), ("UTC",)),),
    ]
    assert answer["messages"][3]["error"]["code"] == "INVALID_TIME_ZONE"


# ---------------------------------------------------------------- who is told
STATUS = "https://shop.example/status"
"""Beside it, what is kept with each message: the nearest that was said, and `final` where nothing was."""


@pytest.mark.parametrize(
    ("account", "around", "own", "kept", "of_list"),
    [
        ({}, {}, {}, ("", ()), ""),
        ({}, {}, {"statusUrl": STATUS}, (STATUS, ("final",)), ""),
        ({}, {"statusUrl": STATUS}, {}, (STATUS, ("final",)), ""),
        ({}, {"statusUrl": STATUS}, {"statusUrl": f"{STATUS}/own"}, (f"{STATUS}/own", ("final",)), ""),
        ({}, {"statusUrl": STATUS, "statusEvents": ["attempt", "list"]}, {}, (STATUS, ("attempt",)), STATUS),
        ({}, {"statusUrl": STATUS, "statusEvents": ["list"]}, {}, ("", ()), STATUS),
        ({}, {"statusUrl": STATUS}, {"statusEvents": []}, ("", ()), ""),
        ({"status_url": STATUS}, {}, {}, (STATUS, ("final",)), ""),
        ({"status_url": STATUS, "status_events": ("final", "list")}, {}, {}, (STATUS, ("final",)), STATUS),
        ({"status_url": STATUS, "status_events": ()}, {}, {}, ("", ()), ""),
        ({"status_url": STATUS}, {"statusEvents": ["attempt"]}, {}, (STATUS, ("attempt",)), ""),
    ],
)
def test_who_is_told_is_frozen_when_a_message_is_accepted(account, around, own, kept, of_list):
    lists, messages = MemoryLists({("acme", "ivr_651854")}), MemoryMessages()
    body = json.dumps({"messages": [entry(**own)], **around}).encode()
    stores: Any = {"messages": messages, "lists": lists, "clock": FakeClock(), "random_bits": lambda bits: 1}
    answer: Any = accept_messages(replace(ACME, **account), body, **stores)
    stored = messages.get(answer["messages"][0]["messageId"])
    assert stored
    assert (stored.status_url, stored.status_events) == kept
    assert stored.counts_in_list is bool(of_list)
    assert lists.find_list(answer["messagelistId"]).status_url == of_list
    assert [counter.open for counter in lists.ends.values()] == ([1] if of_list else [])
