"""Each minute: what nobody heard of is helped on."""

import logging
from dataclasses import replace

from speechcall.application.dial_messages import execution_input
from speechcall.application.ports import Pool
from speechcall.application.sweep import CALL_CHECK_SECONDS, PREPARE_AGAIN_SECONDS, Mended, sweep
from speechcall.domain.errors import EngineUnavailable
from speechcall.domain.message import State
from tests.fixtures.samples import ASK, MESSAGE, MID, NOW, FakeClock
from tests.stores.memory import MemoryMessages

MINUTE = 60_000


class Bench:
    """Messages in their states, and executions that run or have ended."""

    def __init__(self):
        self.messages, self.clock = MemoryMessages(), FakeClock()
        self.started, self.finished, self.ended, self.errors = [], [], set(), {}

    def calling(self, *mids):
        for mid in mids:
            self.messages.add([replace(MESSAGE, mid=mid)])
            self.messages.queue(mid, (ASK,), NOW)
            self.messages.claim_line(self.messages.get(mid), "arn:flow", Pool(100, 1_000_000), self.clock.msec)
            self.clock.msec += 1
        return self

    def start(self, flow_arn, name, given_input):
        if name in self.errors:
            raise self.errors[name]
        self.started.append((flow_arn, name, given_input))
        return name not in self.ended

    def sweep(self, later_msec=0):
        self.clock.msec += later_msec
        finish = lambda mid, attempt: self.finished.append((mid, attempt))  # noqa: E731
        return sweep(messages=self.messages, start=self.start, finish=finish, clock=self.clock)


def test_what_is_not_overdue_is_left_alone():
    bench = Bench().calling(MID)
    bench.messages.add([replace(MESSAGE, mid="1")])
    assert bench.sweep(MINUTE - 2) == Mended(0, 0)
    assert not bench.started


def test_a_message_that_nobody_prepares_is_touched_again_every_five_minutes():
    bench = Bench()
    bench.messages.add([MESSAGE])
    assert bench.sweep(5 * MINUTE) == Mended(1, 0)
    assert bench.sweep(PREPARE_AGAIN_SECONDS * 1000 - 1) == Mended(0, 0)
    assert bench.sweep(1) == Mended(1, 0)
    assert bench.messages.get(MID).state is State.PREPARING


def test_a_call_whose_execution_was_never_started_is_started_as_the_dialler_would():
    bench = Bench().calling(MID)
    assert bench.sweep(MINUTE) == Mended(0, 0)
    assert bench.started == [("arn:flow", f"{MID}-1", execution_input(bench.messages.get(MID), 1))]
    assert bench.finished == []
    # Then it is looked at again when it can no longer run
    assert bench.sweep(CALL_CHECK_SECONDS * 1000 - 1) == Mended(0, 0)
    assert len(bench.started) == 1
    bench.sweep(1)
    assert len(bench.started) == 2


def test_a_call_whose_execution_has_ended_is_finished():
    bench = Bench().calling(MID)
    bench.ended.add(f"{MID}-1")
    assert bench.sweep(MINUTE) == Mended(0, 1)
    assert bench.finished == [(MID, 1)]


def test_a_message_that_was_finished_meanwhile_is_left_alone():
    bench = Bench().calling("1")
    get = bench.messages.get
    bench.messages.get = lambda mid: replace(get(mid), state=State.FINISHED)
    assert bench.sweep(MINUTE) == Mended(0, 0)
    assert not bench.started


def test_one_call_that_cannot_be_mended_does_not_stop_the_rest(caplog):
    bench = Bench().calling("1", "2", "3")
    bench.errors = {"1-1": EngineUnavailable("timeout"), "2-1": ValueError("no such machine")}
    bench.ended.add("3-1")
    with caplog.at_level(logging.WARNING):
        assert bench.sweep(MINUTE) == Mended(0, 1)
    assert bench.finished == [("3", 1)]
    assert "message 1 " in caplog.text
    assert "message 2 " in caplog.text
    assert bench.messages.due(State.CALLING, bench.clock.msec, 9)[:2] == ["1", "2"], "they are tried again next minute"
