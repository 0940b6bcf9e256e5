"""Messages that wait for a line are dialled: named first, then due; never twice."""

import logging
from dataclasses import replace

import pytest

from speechcall.application.dial_messages import AGAIN_SECONDS, dial_messages, execution_input
from speechcall.application.ports import Pool
from speechcall.domain.errors import EngineUnavailable, StoreUnavailable
from speechcall.domain.message import State
from tests.fixtures.samples import ASK, MENU, MESSAGE, NOW, QUEUED, FakeClock
from tests.stores.memory import MemoryMessages


class Flows:
    """Published machines; `fails` names messages whose machine cannot be published, or started."""

    def __init__(self):
        self.started, self.published, self.publish_error, self.start_error = [], 0, {}, {}

    def publish(self, menus):
        self.published += 1
        if error := self.publish_error.get(menus[0].intro):
            raise error
        return f"arn:{menus[0].intro}"

    def start(self, flow_arn, name, given_input):
        if error := self.start_error.get(name):
            raise error
        self.started.append((flow_arn, name, given_input))
        return True


def refuse(*given):
    raise StoreUnavailable("ThrottlingException")


class Dialler:
    """A backlog of messages, a pool, a clock, and one dialler."""

    def __init__(self, *mids, lines=100, rate=1000):
        self.messages, self.flows, self.clock = MemoryMessages(), Flows(), FakeClock()
        self.pool = Pool(lines, rate)
        for step, mid in enumerate(mids):
            self.messages.add([replace(MESSAGE, mid=mid, menus=(replace(MENU, intro=f"intro-{mid}"),))])
            self.messages.queue(mid, (ASK,), NOW - 1000 + step)

    def dial(self, *named, seconds=60.0):
        end = self.clock.msec + seconds * 1000
        return dial_messages(
            named,
            messages=self.messages,
            flows=self.flows,
            pool=self.pool,
            clock=self.clock,
            time_left=lambda: (end - self.clock.msec) / 1000,
        )

    @property
    def dialled(self):
        return [name for _, name, _ in self.flows.started]


def test_named_messages_come_first_then_the_due_ones_in_their_order():
    dialler = Dialler("1", "2", "3", "4")
    assert dialler.dial("3") == 4
    assert dialler.dialled == ["3-1", "1-1", "2-1", "4-1"]
    assert {message.state for message in dialler.messages._messages.values()} == {State.CALLING}


def test_an_execution_is_started_from_the_stored_message_alone():
    dialler = Dialler("1")
    dialler.dial("1")
    assert dialler.flows.started == [("arn:intro-1", "1-1", {"mid": "1", "attempt": 1, "waits": {"m0": 33}})]
    assert execution_input(dialler.messages.get("1"), 1) == dialler.flows.started[0][2]
    assert execution_input(replace(QUEUED, asks=(ASK, ASK)), 2)["waits"] == {"m0": 33, "m1": 33}


def test_a_named_message_that_the_index_does_not_show_yet_is_dialled():
    dialler = Dialler("1")
    dialler.messages.postpone("1", State.QUEUED, NOW + 10**6)
    assert dialler.dial("1") == 1


@pytest.mark.parametrize("named", [("9",), ("1", "1", "1"), ()])
def test_a_message_is_dialled_once_however_often_it_is_named(named):
    dialler = Dialler("1")
    assert dialler.dial(*named) == 1
    assert dialler.dial(*named) == 0
    assert dialler.dialled == ["1-1"]


def test_a_named_message_that_is_not_queued_is_left_alone():
    dialler = Dialler()
    dialler.messages.add([MESSAGE])
    assert dialler.dial(MESSAGE.mid) == 0
    assert not dialler.flows.published


def test_two_diallers_at_once_dial_each_message_once():
    dialler = Dialler("1", "2")
    claim = dialler.messages.claim_line
    inner = []

    def claim_line(*given):
        if not inner:
            inner.append(True)
            dialler.dial("2", "1")
        return claim(*given)

    dialler.messages.claim_line = claim_line
    assert dialler.dial("1", "2") == 0
    assert dialler.dialled == ["2-1", "1-1"]


def test_full_lines_end_it_and_the_rest_stays_queued():
    dialler = Dialler("1", "2", "3", lines=2)
    assert dialler.dial() == 2
    assert dialler.messages.get("3").state is State.QUEUED
    assert dialler.flows.published == 3, "nothing is published for messages behind the one that found no line"


def test_a_rate_is_waited_for_by_the_clock_and_no_longer_than_it_asks():
    dialler = Dialler("1", "2", "3", rate=2)
    assert dialler.dial() == 3
    assert dialler.clock.slept == [0.5, 0.5]


def test_a_rate_that_outlasts_the_time_left_is_not_waited_for():
    dialler = Dialler("1", "2", "3", rate=1)
    assert dialler.dial(seconds=1.5) == 2
    assert dialler.clock.slept == [1.0]
    assert dialler.messages.get("3").state is State.QUEUED


def test_no_time_left_dials_nothing():
    dialler = Dialler("1")
    assert dialler.dial("1", seconds=0) == 0
    assert not dialler.flows.published


@pytest.mark.parametrize("error", [EngineUnavailable("ThrottlingException"), ValueError("bad")])
def test_one_message_that_cannot_be_published_does_not_stop_the_rest(error, caplog):
    dialler = Dialler("1", "2", "3")
    dialler.flows.publish_error["intro-1"] = error
    with caplog.at_level(logging.WARNING):
        assert dialler.dial("1") == 2
    assert dialler.messages.get("1").state is State.QUEUED, "no line waits for a machine"
    assert not [name for name in dialler.messages.held if name.startswith("1-")]
    assert "message 1 " in caplog.text


@pytest.mark.parametrize("error", [EngineUnavailable("ThrottlingException"), ValueError("bad")])
def test_messages_that_cannot_be_published_do_not_hide_the_others_in_the_due_index(error):
    # Given more messages of new shapes than the index shows at once, all due before one whose shape is known
    dialler = Dialler(*map(str, range(150)), "known")
    dialler.flows.publish_error = {f"intro-{number}": error for number in range(150)}
    # When the diallers go through what is due
    dialler.dial()
    # Then the known one has been called
    assert dialler.dialled == ["known-1"]


def test_a_message_that_could_not_be_published_is_tried_again_when_it_is_next_due_and_not_before():
    dialler = Dialler("1", "2")
    dialler.flows.publish_error["intro-1"] = EngineUnavailable("ThrottlingException")
    dialler.dial("1")
    dialler.flows.publish_error.clear()
    assert dialler.dial() == 0
    dialler.clock.msec += AGAIN_SECONDS * 1000
    assert dialler.dial() == 1
    assert dialler.dialled == ["2-1", "1-1"]


def test_a_message_that_cannot_even_be_put_off_does_not_stop_the_rest(caplog):
    dialler = Dialler("1", "2")
    dialler.flows.publish_error["intro-1"] = EngineUnavailable("ThrottlingException")
    dialler.messages.postpone = refuse
    assert dialler.dial() == 1
    assert "message 1 could not be put off" in caplog.text


def test_one_execution_that_cannot_be_started_does_not_stop_the_rest():
    dialler = Dialler("1", "2")
    dialler.flows.start_error["1-1"] = EngineUnavailable("timeout")
    dialler.dial()
    # Then the sweeper starts it: the message is calling, and due within a minute or so
    assert dialler.dialled == ["2-1"]
    assert dialler.messages.get("1").state is State.CALLING
    assert dialler.messages.due(State.CALLING, dialler.clock.msec + 61_000, 10)[0] == "1"


def test_a_long_backlog_is_taken_page_by_page():
    dialler = Dialler(*map(str, range(250)), lines=1000)
    assert dialler.dial() == 250
    assert len(set(dialler.dialled)) == 250


def test_no_telephone_number_is_logged(caplog):
    dialler = Dialler("1")
    dialler.flows.publish_error["intro-1"] = ValueError("x")
    with caplog.at_level(logging.DEBUG):
        dialler.dial("1")
    assert MESSAGE.number not in caplog.text
