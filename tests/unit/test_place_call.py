"""Dialling with a provider that does not know repeats: no phone rings twice for one attempt."""

import pytest

from speechcall.application.place_call import SETTLED_SECONDS, place_once
from speechcall.domain.call import Cause
from speechcall.domain.errors import (
    DestinationRefused,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from tests.fixtures.samples import CALL, MESSAGE, MID, NOW, FakeClock
from tests.stores.memory import MemoryCalls

LOST = TelephonyUnavailable("500", maybe_done=True)


class Provider:
    """Dials each time it is asked, and may fail to say so."""

    dials_once = False

    def __init__(self, *failures):
        self.failures, self.asked = list(failures), 0

    def place(self, call, ring_timeout_seconds):
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return f"contact-{self.asked}"

    def stop(self, contact_id): ...

    def look_up(self, contact_id): ...


class Bench:
    def __init__(self, *failures):
        self.calls, self.clock, self.provider = MemoryCalls(), FakeClock(), Provider(*failures)
        self.calls.open(CALL, MESSAGE.expires_at)
        self.after = {}
        sleep = self.clock.sleep

        def slept(seconds):
            sleep(seconds)
            self.after.pop(len(self.clock.slept), lambda: None)()

        self.clock.sleep = slept

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
    assert (bench.provider.asked, bench.clock.msec) == (0, NOW + SETTLED_SECONDS * 1000)


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
