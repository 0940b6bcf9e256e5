"""Dialling: no phone rings twice for one attempt, and what a repeat is told says nothing of the request before it."""

import pytest

from speechcall.calls.rules.call import Cause
from speechcall.calls.use_cases.place_call import AGAIN_SECONDS, PATIENCE_SECONDS, SETTLED_SECONDS, Doubt, place_once
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.errors import (
    DestinationRefused,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from tests.kit.samples import CALL, MESSAGE, MID, NOW, FakeClock

LOST = TelephonyUnavailable("500", maybe_done=True)


class Provider:
    """Dials each time it is asked, or once, and may fail to say so."""

    def __init__(self, *failures, dials_once):
        self.failures, self.asked, self.dials_once = list(failures), 0, dials_once
        self.has_records = dials_once

    def place(self, call, ring_timeout_seconds):
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return f"contact-{self.asked}"

    def stop(self, contact_id): ...

    def look_up(self, contact_id): ...


class Bench:
    def __init__(self, *failures, dials_once=False):
        self.calls, self.clock = MemoryCalls(), FakeClock()
        self.provider = Provider(*failures, dials_once=dials_once)
        self.calls.open(CALL, MESSAGE.expires_at)
        self.after = {}
        sleep = self.clock.sleep

        def slept(seconds):
            sleep(seconds)
            self.after.pop(len(self.clock.slept), lambda: None)()

        self.clock.sleep = slept

    @property
    def call(self):
        return self.calls.get(MID, 1)

    def place(self):
        return place_once(CALL, 45, telephony=self.provider, calls=self.calls, clock=self.clock)


def test_a_call_is_placed_and_a_second_try_at_the_same_time_waits_for_its_contact():
    bench = Bench()
    assert bench.place() == "contact-1"
    # The first try has not stored it yet
    bench.after[2] = lambda: bench.calls.set_contact(MID, 1, "contact-1")
    assert bench.place() == "contact-1"
    assert bench.provider.asked == 1
    assert bench.place() == "contact-1"


def test_an_answer_that_is_lost_is_looked_into_and_the_phone_does_not_ring_twice():
    bench = Bench(LOST)
    bench.after[3] = lambda: bench.calls.set_contact(MID, 1, "the one that rings")
    assert bench.place() == "the one that rings"
    assert bench.provider.asked == 1


def test_what_nobody_has_heard_of_for_22_seconds_was_not_placed_and_may_be_dialled():
    bench = Bench(LOST)
    with pytest.raises(TelephonyUnavailable, match="not placed"):
        bench.place()
    assert SETTLED_SECONDS * 1000 <= bench.clock.msec - NOW < (SETTLED_SECONDS + 2) * 1000
    assert bench.provider.asked == 1
    bench.clock.sleep(1)
    assert bench.place() == "contact-2"


def test_a_try_that_died_with_its_question_open_is_looked_into_by_the_next():
    bench = Bench()
    assert bench.calls.begin_placing(MID, 1, NOW, NOW)
    bench.clock.msec += 5000
    with pytest.raises(TelephonyUnavailable):
        bench.place()
    assert bench.provider.asked == 0
    assert bench.clock.msec == NOW + SETTLED_SECONDS * 1000


@pytest.mark.parametrize(
    "certain",
    [
        TelephonyUnavailable("no connection"),
        TelephonyThrottled("429"),
        DestinationRefused("x"),
        TelephonyMisconfigured("403"),
    ],
)
def test_what_has_certainly_not_been_placed_may_be_dialled_at_once(certain):
    bench = Bench(certain)
    with pytest.raises(type(certain)):
        bench.place()
    assert bench.place() == "contact-2"
    assert bench.clock.slept == []


def test_a_call_that_ends_meanwhile_is_not_dialled():
    bench = Bench(LOST)
    bench.after[2] = lambda: bench.calls.end(MID, 1, Cause.BUSY, NOW)
    assert bench.place() is None
    assert bench.place() is None
    assert bench.provider.asked == 1


def test_an_answer_that_cannot_be_read_is_looked_into_as_well():
    bench = Bench(ValueError("no JSON"))
    bench.after[2] = lambda: bench.calls.set_contact(MID, 1, "the one that rings")
    assert bench.place() == "the one that rings"
    assert bench.provider.asked == 1


# --------------------------------------------- a provider that knows repeats
CERTAIN = [
    TelephonyUnavailable("no connection"),
    TelephonyThrottled("429"),
    DestinationRefused("x"),
    TelephonyMisconfigured("403"),
]
IN_DOUBT = [LOST, ValueError("no JSON")]


@pytest.mark.parametrize("error", CERTAIN)
def test_what_was_refused_at_its_only_request_has_certainly_not_been_placed(error):
    bench = Bench(error, dials_once=True)
    with pytest.raises(type(error)):
        bench.place()
    assert bench.call.is_certainly_not_placed
    assert bench.clock.slept == []
    # Asked again, it may be placed again
    bench.provider.failures = [LOST] * 9
    assert isinstance(bench.place(), Doubt)
    assert not bench.call.is_certainly_not_placed


@pytest.mark.parametrize("lost", IN_DOUBT)
@pytest.mark.parametrize("repeat", [TelephonyThrottled("429"), TelephonyUnavailable("no connection"), *IN_DOUBT])
def test_behind_a_lost_answer_the_same_token_is_asked_for_until_its_contact_is_told(lost, repeat):
    bench = Bench(lost, repeat, repeat, dials_once=True)
    assert bench.place() == "contact-4"
    assert bench.clock.slept == list(AGAIN_SECONDS[:3])
    assert bench.call.placing_msec == NOW + 3500


@pytest.mark.parametrize("final", [DestinationRefused("x"), TelephonyMisconfigured("403")])
def test_a_refusal_behind_a_lost_answer_leaves_a_doubt(final):
    bench = Bench(LOST, final, dials_once=True)
    assert bench.place() == Doubt(final)
    assert bench.provider.asked == 2
    assert not bench.call.is_certainly_not_placed


@pytest.mark.parametrize("error", [TelephonyThrottled("429"), LOST])
def test_a_doubt_is_asked_about_for_15_seconds(error):
    bench = Bench(LOST, *[error] * 9, dials_once=True)
    assert bench.place() == Doubt(error)
    assert bench.clock.msec - NOW <= PATIENCE_SECONDS * 1000
    assert bench.provider.asked == len(AGAIN_SECONDS) + 1


@pytest.mark.parametrize("error", CERTAIN)
def test_a_try_that_died_may_have_dialled_whatever_the_next_one_is_told(error):
    # Given a function that died behind its request
    bench = Bench(*[error] * 9, dials_once=True)
    bench.calls.begin_placing(MID, 1, NOW, NOW)
    bench.clock.msec += 1000
    assert bench.place() == Doubt(error)
    assert not bench.call.is_certainly_not_placed
    bench.provider.failures = []
    assert bench.place() == f"contact-{bench.provider.asked}"


@pytest.mark.parametrize("error", CERTAIN)
def test_a_later_try_of_a_call_about_which_nothing_was_noted_is_certain_of_nothing(error):
    # Given a first try of the release before this one, which noted nothing when it asked
    bench = Bench(*[error] * 9, dials_once=True)
    bench.calls.open(CALL._replace(ticket=CALL.ticket._replace(retry=1)), 9)
    found = place_once(bench.call, 45, telephony=bench.provider, calls=bench.calls, clock=bench.clock)
    assert found == Doubt(error)
    assert not bench.call.is_certainly_not_placed


def test_a_try_that_is_told_something_after_the_next_has_begun_is_certain_of_nothing():
    bench = Bench(dials_once=True)

    def meanwhile(call, ring_timeout_seconds):
        bench.calls.begin_placing(MID, 1, NOW + 5, NOW + 5)
        raise DestinationRefused("x")

    bench.provider.place = meanwhile
    assert isinstance(bench.place(), Doubt)
    assert not bench.call.is_certainly_not_placed


@pytest.mark.parametrize(("how", "found"), [("known", "contact-9"), ("ended", None)])
def test_a_call_that_is_heard_of_meanwhile_is_not_asked_for_again(how, found):
    bench = Bench(LOST, dials_once=True)
    told = {
        "known": lambda: bench.calls.set_contact(MID, 1, "contact-9"),
        "ended": lambda: bench.calls.end(MID, 1, Cause.BUSY, NOW),
    }
    bench.after[1] = told[how]
    assert bench.place() == found
    assert bench.place() == found
    assert bench.provider.asked == 1
