"""When a fallback is called for, when it may be sent, and in how many parts: against their definitions."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.accounts.rules.account import Account
from speechcall.fallbacks.rules.next_send import GiveUp, SendLater, SendNow, again, next_send
from speechcall.menus.rules.menu import Hangup, Menu
from speechcall.messages.adapters import message_items
from speechcall.messages.adapters.fallback_items import load_state, new_fallback, status_at_end
from speechcall.messages.adapters.status_items import fallback_event
from speechcall.messages.rules.fallback import CAUSES, NO_KEY, Fallback, FallbackState, FallbackStatus, calls_for
from speechcall.messages.rules.sms import MOST_GSM, MOST_OTHER, is_gsm, parts_of, places, problem_of_text
from speechcall.shared.adapters.table import from_wire
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.outcome import CANCELLED, OUTCOMES, Outcome
from tests.kit.samples import MESSAGE, NOW

GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà^{}\\[~]|€\f"
TWO = set("^{}\\[~]|€\f")
ALL = (*CAUSES,)
GRANTED = Account("acme", ("+380",), sms_per_day=10)
UNTIL = NOW + 86_400_000
MADE = replace(MESSAGE, fallback=Fallback("Call us.", ALL))


# ------------------------------------------------------------------- the text
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        *(("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("a" * 1530, 10)),
        *(("€" * 80, 1), ("€" * 81, 2), ("a" * 152 + "€" + "a" * 151, 2), ("a" * 152 + "€" + "a" * 152, 3)),
        *(("ж" * 70, 1), ("ж" * 71, 2), ("ж" * 134, 2), ("ж" * 135, 3), ("ж" * 630, 10)),
        *(("😀" * 35, 1), ("😀" * 36, 2), ("ж" * 66 + "😀" * 33 + "ж", 2), ("ж" * 66 + "😀" * 34, 3)),
    ],
)
def test_parts_are_counted_as_the_service_does(text, parts):
    assert parts_of(text) == parts
    assert problem_of_text(text) is None


@given(st.text(st.sampled_from(GSM), max_size=700) | st.text(max_size=700))
def test_a_text_fits_its_parts_and_no_fewer_could_hold_it(text):
    gsm = all(one in GSM or (one.isascii() and one.isalpha()) for one in text)
    assert is_gsm(text) == gsm
    count = sum(2 if one in TWO else 1 for one in text) if gsm else len(text.encode("utf-16-le", "surrogatepass")) // 2
    one, each = (160, 153) if gsm else (70, 67)
    assert places(text) == count
    parts = parts_of(text)
    assert parts == 1 if count <= one else (each - 1) * (parts - 1) < count <= each * parts
    assert (problem_of_text(text) is None) == (count <= (MOST_GSM if gsm else MOST_OTHER))


@pytest.mark.parametrize("text", ["a" * 1531, "ж" * 631, "€" * 766, "😀" * 316])
def test_a_text_that_the_service_would_refuse_is_named_with_its_places(text):
    assert f"takes {places(text)} places" in problem_of_text(text)


# ------------------------------------------------------------- is it called for
@given(st.sampled_from(OUTCOMES), st.sets(st.sampled_from(CAUSES), min_size=1), st.booleans())
def test_a_fallback_is_called_for_by_its_own_words_alone(outcome, on, without_key):
    called = calls_for(Fallback("x", tuple(on)), outcome, without_key=without_key)
    assert called == (outcome in on or (outcome == "answered" and without_key and NO_KEY in on))


@pytest.mark.parametrize(
    ("changes", "outcome", "status"),
    [
        ({}, Outcome("noAnswer", "noAnswer"), "pending"),
        ({"fallback": Fallback("x", ("busy",))}, Outcome("noAnswer", "noAnswer"), "not_used"),
        ({"key_pressed": False}, Outcome("answered", "completed"), "pending"),
        ({"key_pressed": True}, Outcome("answered", "completed"), "not_used"),
        # Its last call is not its outcome, but one before, which was answered without a key.
        ({"answered_reason": "completed"}, Outcome("answered", "completed"), "pending"),
        ({"answered_reason": "completed"}, Outcome("answered", "unconfirmed"), "not_used"),
        ({"answered_reason": "completed", "key_pressed": True}, Outcome("answered", "completed"), "not_used"),
        # Nobody knows: who was heard to press a key must get no text that says that none was pressed.
        ({}, Outcome("answered", "unconfirmed"), "not_used"),
        (
            {"key_pressed": False, "menus": (Menu("a", 1, {"wrong": (Hangup(),)}),)},
            Outcome("answered", "c"),
            "not_used",
        ),
        ({"key_pressed": False}, Outcome("answered", CANCELLED.reason), "not_used"),
        ({"cancelled_msec": NOW}, Outcome("noAnswer", "noAnswer"), "not_used"),
        ({}, CANCELLED, "not_used"),
        ({}, Outcome("optedOut", "optedOut"), "not_used"),
        ({"fallback": None}, Outcome("noAnswer", "noAnswer"), None),
    ],
)
def test_what_becomes_of_it_when_its_message_ends(changes, outcome, status):
    assert status_at_end(replace(MADE, **changes), outcome) == status


# ---------------------------------------------------------------- may it be sent
@pytest.mark.parametrize(
    "account",
    [None, Account("acme", ("+380",)), replace(GRANTED, prefixes=("+48",)), replace(GRANTED, denied=("+38093",))],
)
def test_what_its_account_may_not_do_any_more_is_not_done(account):
    assert next_send(MADE, account, NOW, UNTIL) == GiveUp(FallbackStatus.FAILED, "notAllowed")


def hours(*windows):
    return (Hours(windows, ("Etc/UTC",), ()),)


@given(st.integers(0, 1439), st.integers(1, 1439), st.integers(0, 3 * 1440))
def test_it_is_sent_only_while_its_hours_are_open(start, length, later):
    window = Window(start, (start + length) % 1440, tuple(range(7)))
    now = NOW + later * 60_000
    found = next_send(replace(MADE, hours=hours(window)), GRANTED, now, UNTIL)

    def is_open(msec):
        return (msec // 60_000 - start) % 1440 < length

    match found:
        case SendNow():
            assert is_open(now)
            assert now < UNTIL
        case SendLater(at):
            assert not is_open(now)
            assert is_open(at)
            assert now < at < UNTIL
        case GiveUp(status, reason):
            assert (status, reason) == ("failed", "unavailable" if is_open(now) else "window")
            assert now >= UNTIL or not is_open(now)


def test_what_passes_is_waited_for_until_the_time_is_up():
    assert again(NOW, UNTIL, "paused") == SendLater(NOW + 60_000)
    assert again(UNTIL - 60_000, UNTIL, "paused") == GiveUp(FallbackStatus.FAILED, "paused")


# ------------------------------------------------------------------------- forms
def test_a_message_without_one_is_written_as_before_and_is_read_from_before():
    item = message_items.dump(MESSAGE)
    assert "fallback" not in item
    assert message_items.load(item).fallback is None
    assert message_items.load(
        message_items.dump(MADE) | {"fallback": {"type": "sms", "text": "a", "on": ["busy"]}}
    ) == (replace(MADE, fallback=Fallback("a", ("busy",))))


def test_a_new_one_waits_for_a_day_and_what_is_being_sent_is_pending_to_its_sender():
    item = from_wire(new_fallback("messages", MADE, NOW)["Put"]["Item"])
    assert (item["due_at"], item["until_msec"], item["expires_at"]) == (NOW, UNTIL, MADE.expires_at)
    assert load_state(item) == load_state(item | {"state": "sending"}) == FallbackState(FallbackStatus.PENDING)
    assert load_state(item | {"state": "posted"}) == FallbackState(FallbackStatus.UNKNOWN)
    ended = {"state": "failed", "reason": "refused", "ended_msec": NOW}
    assert load_state(item | ended) == FallbackState(FallbackStatus.FAILED, "refused", NOW)


def test_its_end_is_reported_where_that_was_asked_for():
    told = replace(MADE, status_url="https://shop.example/", status_events=("final", "fallback"))
    assert fallback_event(told).event_id == f"{MADE.mid}-fallback"
    assert fallback_event(MADE) is None
    assert fallback_event(replace(told, status_events=("final",))) is None
