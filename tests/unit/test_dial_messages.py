"""Messages that wait for a line are dialled: named first, then due; never twice."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from speechcall.dialling.use_cases.dial_messages import (
    AGAIN_SECONDS,
    LOOK_AGAIN_MSEC,
    MOST_PROMOTED,
    dial_messages,
    execution_input,
)
from speechcall.dialling.use_cases.find_next import MARGIN
from speechcall.messages.rules.dial_times import COUNTED_MSEC, next_day_msec
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Queue
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.errors import EngineUnavailable, MenusRefused, StoreUnavailable
from speechcall.shared.rules.outcome import EXPIRED, Outcome
from speechcall.stopping.use_cases.stop_many import reopen_queues
from tests.kit.samples import ASK, MENU, MESSAGE, NOW, QUEUED, FakeClock, message


class Flows:
    """Published machines; `fails` names messages whose machine cannot be published, or started."""

    def __init__(self):
        self.started, self.published, self.publish_error, self.start_error = [], 0, {}, {}

    def publish(self, menus):
        self.published += 1
        if error := self.publish_error.get(menus[0].intro):
            # One object raised again and again would carry, and log, every way that it has gone
            raise error.with_traceback(None)
        return f"arn:{menus[0].intro}"

    def start(self, flow_arn, name, given_input):
        if error := self.start_error.get(name):
            raise error
        self.started.append((flow_arn, name, given_input))
        return True


def refuse(*given):
    raise StoreUnavailable("ThrottlingException")


def once_of(work, *given):
    """`work`, which does something else first, once."""
    others = list(given)

    def doing(*arguments):
        if others:
            others.pop()()
        return work(*arguments)

    return doing


class Dialler:
    """A backlog of messages, a pool, a clock, and one dialler."""

    def __init__(self, *mids, lines=100, rate=1000, **fields):
        self.messages, self.flows, self.clock = MemoryMessages(), Flows(), FakeClock()
        self.pool, self.prices = Pool(lines, rate), {}
        for step, mid in enumerate(mids):
            self.messages.add([message(mid, menus=(MENU._replace(intro=f"intro-{mid}"),), **fields)])
            self.messages.queue(self.messages.get(mid), (ASK,), NOW - 1000 + step)

    def dial(self, *named, seconds=60.0):
        end = self.clock.msec + seconds * 1000
        done = dial_messages(
            named,
            messages=self.messages,
            flows=self.flows,
            turns=self.messages.turns,
            lines=self.messages.pool,
            stack=self.pool,
            clock=self.clock,
            time_left=lambda: (end - self.clock.msec) / 1000,
            most_price=lambda message, now_msec: self.prices.get(message.mid, 3),
        )
        self.done = done
        return done.started

    @property
    def dialled(self):
        return [name for _, name, _ in self.flows.started]


def test_the_due_ones_come_in_their_order_then_the_named_ones_that_the_index_does_not_show():
    dialler = Dialler("1", "2", "3", "4")
    dialler.messages.index.lag_msec, dialler.messages.index.now_msec = 1000, dialler.clock.now_msec
    dialler.messages.add([message("5")])
    dialler.messages.queue(dialler.messages.get("5"), (ASK,), NOW)
    assert dialler.dial("5", "3") == 5
    assert dialler.dialled == ["1-1", "2-1", "3-1", "4-1", "5-1"]
    assert {one.state for one in dialler.messages._messages.values()} == {State.CALLING}


def test_a_newcomer_that_its_record_names_does_not_overtake_a_long_backlog():
    dialler = Dialler(*map(str, range(200)), lines=5)
    assert dialler.dial("199") == 5
    assert dialler.dialled == [f"{number}-1" for number in range(5)]


def test_an_execution_is_started_from_the_stored_message_alone():
    dialler = Dialler("1")
    dialler.dial("1")
    assert dialler.flows.started == [
        ("arn:intro-1", "1-1", {"mid": "1", "attempt": 1, "waits": {"m0": 33, "dial": 90}})
    ]
    assert execution_input(dialler.messages.get("1"), 1) == dialler.flows.started[0][2]
    assert execution_input(replace(QUEUED, asks=(ASK, ASK)), 2)["waits"] == {"m0": 33, "m1": 33, "dial": 90}
    assert execution_input(replace(QUEUED, ring_seconds=15), 1)["waits"]["dial"] == 60


def test_a_named_message_that_was_put_off_is_not_dialled_before_it_is_due():
    dialler = Dialler("1")
    dialler.messages.postpone("1", State.QUEUED, NOW + 10_000)
    assert dialler.dial("1") == 0
    dialler.clock.msec += 10_000
    assert dialler.dial() == 1


def test_a_named_message_that_another_functions_clock_has_made_due_is_due():
    dialler = Dialler("1")
    dialler.messages.postpone("1", State.QUEUED, NOW + 1500)
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
    assert dialler.dialled == ["1-1", "2-1"]


def test_a_dialler_that_is_told_of_anothers_charge_sees_whose_turn_it_is_now():
    # Given two campaigns, of which another dialler has just called for the first
    dialler = Dialler("1", "2", campaign="first")
    for step, mid in enumerate("34"):
        dialler.messages.add([message(mid, number=f"+49301234{mid}", campaign="second")])
        dialler.messages.queue(dialler.messages.get(mid), (ASK,), NOW + step)
    claim, turns = dialler.messages.claim_line, dialler.messages.turns
    first = lambda: Charge(turns.find(MESSAGE.account_id, False), turns.find_queue(MESSAGE.account_id, "first", False))  # noqa: E731
    take = lambda: claim(dialler.messages.get("1"), "arn:flow", dialler.pool, NOW, first())  # noqa: E731
    dialler.messages.claim_line = once_of(claim, take)
    # When this one dials all that is left
    assert dialler.dial() == 3
    # Then it begins with the second, and they take turns
    assert dialler.dialled == ["3-1", "2-1", "4-1"]


def test_full_lines_end_it_and_the_rest_stays_queued():
    dialler = Dialler("1", "2", "3", lines=2)
    assert dialler.dial() == 2
    assert dialler.messages.get("3").state is State.QUEUED
    assert dialler.dial("3") == 0
    assert dialler.flows.published == 2, "nothing is read or published while no line is free"


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
    dialler = Dialler(*map(str, range(150)), "1000")
    dialler.flows.publish_error = {f"intro-{number}": error for number in range(150)}
    # When the diallers go through what is due
    dialler.dial()
    # Then the known one has been called
    assert dialler.dialled == ["1000-1"]


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


# ---------------------------------------------------------------- one number
SAME = message("1").number


def test_a_number_that_is_in_a_call_is_not_called_a_second_time():
    dialler = Dialler("1", "2", "3", number=SAME)
    assert dialler.dial() == 1
    assert dialler.dialled == ["1-1"]
    # When the call is over, then the next of them comes, in their order
    dialler.messages.finish(dialler.messages.get("1"), EXPIRED, dialler.clock.msec)
    assert dialler.dial() == 1
    assert dialler.dialled == ["1-1", "2-1"]


def test_the_first_that_waits_for_a_number_keeps_its_place_and_the_others_make_room():
    dialler = Dialler(*map(str, range(1, 6)), number=SAME)
    dialler.dial()
    assert dialler.messages.turns.heads(Queue(MESSAGE.account_id), 9) == ["2"]
    for waits, mids in ((60, ["3"]), (180, ["3", "4", "5"])):
        assert dialler.messages.to_promote(NOW + waits * 1000, 99) == mids
    # While the number is busy for minutes, they keep their order.
    dialler.clock.msec += 120_000
    dialler.dial()
    dialler.messages.finish(dialler.messages.get("1"), EXPIRED, dialler.clock.msec)
    dialler.dial()
    assert dialler.dialled == ["1-1", "2-1"]


def test_many_messages_to_one_number_do_not_hide_the_others():
    dialler = Dialler(*map(str, range(1, 900)), lines=3, number=SAME)
    for mid in ("5001", "5002", "5003"):
        dialler.messages.add([message(mid)])
        dialler.messages.queue(dialler.messages.get(mid), (ASK,), NOW)
    assert dialler.dial() == 3
    assert dialler.dialled == ["1-1", "5001-1", "5002-1"]
    dialler.messages.finish(dialler.messages.get("5001"), EXPIRED, dialler.clock.msec)
    gets, get = [], dialler.messages.get
    dialler.messages.get = lambda mid: gets.append(mid) or get(mid)
    assert dialler.dial() == 1
    assert gets == ["2", "5003"], "those that wait are not looked at each time"


def test_a_number_that_another_dialler_is_just_calling_is_left_to_it():
    dialler = Dialler("1", "2", number=SAME)
    claim = dialler.messages.claim_line
    dialler.messages.claim_line = once_of(
        claim, lambda: claim(dialler.messages.get("2"), "arn:x", dialler.pool, NOW - 10_000)
    )
    assert dialler.dial() == 0
    assert dialler.messages.held == {"2-1"}
    assert dialler.messages.get("1").state is State.QUEUED


# ------------------------------------------------------------ time and bounds
@pytest.mark.parametrize(("later", "dialled"), [(29_999, 1), (30_000, 0)])
def test_a_message_is_dialled_inside_its_time_and_never_after(later, dialled):
    dialler = Dialler("1", ttl_seconds=30)
    dialler.clock.msec += later
    assert dialler.dial("1") == dialled
    assert dialler.done.expired == 1 - dialled
    found = dialler.messages.get("1")
    assert (found.state, found.outcome) == ((State.CALLING, None) if dialled else (State.FINISHED, "expired"))


def test_a_message_whose_time_runs_out_while_it_waits_for_a_slot_is_not_dialled():
    dialler = Dialler("1", ttl_seconds=30)
    dialler.messages.pool.slow_down(NOW + 30_000)
    assert dialler.dial() == 0
    assert dialler.messages.held == set()


def test_a_pool_that_was_slowed_down_is_waited_for_no_longer_than_it_says():
    dialler = Dialler("1")
    dialler.messages.pool.slow_down(NOW + 2000)
    assert dialler.dial() == 1
    assert dialler.clock.slept == [1.0, 1.0], "it looks each second whether an urgent message has come"


def test_menus_that_step_functions_will_never_take_end_the_message_and_say_so(caplog):
    dialler = Dialler("1", "2")
    dialler.flows.publish_error["intro-1"] = MenusRefused("Step Functions does not take it")
    with caplog.at_level(logging.ERROR):
        assert dialler.dial() == 1
    found = dialler.messages.get("1")
    assert found.state == State.FINISHED
    assert found.outcome == "menusRefused"
    assert found.cause == "Step Functions does not take it"
    assert dialler.done.refused == 1
    assert "message 1 " in caplog.text


def test_an_operators_choice_holds_at_once_and_the_stacks_parameters_are_written_down():
    dialler = Dialler("1", "2", "3", lines=3)
    dialler.messages.pool.choose({"lines": 1})
    assert dialler.dial() == 1
    assert dialler.messages.pool.read().stack == dialler.pool
    dialler.messages.pool.choose({"lines": 0})
    assert dialler.dial() == 0
    dialler.messages.pool.choose({"lines": None})
    assert dialler.dial() == 2


def test_a_pool_with_far_more_calls_than_lines_dials_nothing():
    # Given as many calls as a page of the order has beyond the free lines
    mids = [str(number) for number in range(1, MARGIN + 3)]
    dialler = Dialler(*mids, lines=MARGIN + 1)
    for mid in mids:
        dialler.messages._messages[mid] = replace(dialler.messages.get(mid), number=f"+4930{mid:0>7}")
    assert dialler.dial() == MARGIN + 1
    # When there are to be none, then a run asks for a page that the service gives
    dialler.messages.pool.choose({"lines": 0})
    assert dialler.dial() == 0
    dialler.messages.pool.choose({"lines": None})
    dialler.pool = Pool(MARGIN + 2, 1000)
    assert dialler.dial() == 1


# ---------------------------------------------------------------- a busy store
def test_a_transaction_that_another_was_in_the_way_of_is_tried_again_at_once():
    dialler = Dialler("1", "2")
    dialler.messages.claim_line = once_of(dialler.messages.claim_line, refuse, refuse)
    assert dialler.dial() == 2
    assert dialler.dialled == ["1-1", "2-1"]
    assert dialler.clock.slept[:2] == [0.1, 0.2]


def test_a_store_that_refuses_again_and_again_puts_the_message_off():
    dialler = Dialler("1", "2")
    dialler.messages.claim_line = once_of(dialler.messages.claim_line, refuse, refuse, refuse)
    assert dialler.dial() == 1
    assert dialler.dialled == ["2-1"]
    assert dialler.messages.get("1").due_msec > NOW + 19_000


# ------------------------------------------------ whatever goes wrong, and for how long
@pytest.mark.parametrize("error", [EngineUnavailable("throttled"), ValueError("nobody has foreseen it")])
@pytest.mark.parametrize("where", ["publish", "claim"])
def test_a_message_that_can_never_be_dialled_expires_when_its_time_is_over(error, where, caplog):
    # Given a message whose machine, or line, can never be had
    dialler = Dialler("1", ttl_seconds=30)
    dialler.flows.publish_error = {"intro-1": error} if where == "publish" else {}
    if where == "claim":
        dialler.messages.claim_line = lambda *_: (_ for _ in ()).throw(error)
    with caplog.at_level(logging.CRITICAL):
        # When it is tried again and again, then it is never put off beyond its time
        for _ in range(2):
            assert dialler.dial() == 0
            due = dialler.messages.get("1").due_msec
            assert due <= NOW + 30_000
            dialler.clock.msec = due
        assert dialler.dial() == 0
    # And then it has expired
    assert dialler.messages.get("1").outcome == "expired"
    assert dialler.done.expired == 1


def test_a_message_to_a_busy_number_is_not_put_off_beyond_its_time():
    dialler = Dialler("1", "2", "3", ttl_seconds=45, number="+380936670003")
    assert dialler.dial() == 1
    dialler.dial()
    assert dialler.messages.get("3").due_msec == NOW + 45_000


def test_what_the_stacks_parameters_are_need_not_be_written_down_for_a_message_to_be_dialled():
    dialler = Dialler("1")
    dialler.messages.pool.tell_stack = refuse
    assert dialler.dial() == 1


# ----------------------------------------------------------------------- hours
UTC_DAY = NOW - NOW % 86_400_000
"""NOW is 14:13 UTC."""
EVENING = (Hours((Window(20 * 60, 21 * 60),), ("UTC",)),)
AFTERNOON = (Hours((Window(14 * 60, 14 * 60 + 15),), ("UTC",)),)


def test_messages_with_hours_wait_for_them_for_nothing_and_start_in_order():
    dialler = Dialler("1", "2", "3", hours=EVENING)
    turns, window = dialler.messages.turns, message("1", hours=EVENING).window
    assert dialler.dial("3") == 0
    assert turns.waiting(9) == []
    before = turns.find_queue(MESSAGE.account_id, "", False, window)
    dialler.clock.msec = UTC_DAY + 20 * 3_600_000 - 1
    assert dialler.dial("1") == 0
    assert turns.find_queue(MESSAGE.account_id, "", False, window) == before
    dialler.clock.msec += 1
    assert dialler.dial() == 3
    assert dialler.dialled == ["1-1", "2-1", "3-1"]


def test_a_queue_leaves_the_order_when_its_hours_shut_and_the_others_go_on():
    dialler = Dialler("1", "2", hours=AFTERNOON)
    dialler.messages.add([message("9", number="+499")])
    dialler.messages.queue(dialler.messages.get("9"), (ASK,), NOW)
    dialler.clock.msec = UTC_DAY + 14 * 3_600_000 + 15 * 60_000
    assert dialler.dial() == 1
    assert dialler.dialled == ["9-1"]
    queue = dialler.messages.turns.find_queue(MESSAGE.account_id, "", False, message("1", hours=AFTERNOON).window)
    assert (queue.is_waiting, queue.opens_msec) == (False, UTC_DAY + (24 + 14) * 3_600_000)


def test_no_call_begins_after_its_hours_while_a_machine_is_published():
    dialler = Dialler("1", hours=AFTERNOON)
    publish = dialler.flows.publish

    def slowly(menus):
        dialler.clock.msec = UTC_DAY + 14 * 3_600_000 + 15 * 60_000
        return publish(menus)

    dialler.flows.publish = slowly
    assert dialler.dial() == 0
    assert dialler.messages.get("1").state is State.QUEUED


def test_hours_that_do_not_open_any_more_in_time_end_a_message():
    dialler = Dialler("1", hours=AFTERNOON, ttl_seconds=3600)
    dialler.clock.msec = UTC_DAY + 14 * 3_600_000 + 15 * 60_000
    assert dialler.dial() == 0
    found = dialler.messages.get("1")
    assert (found.outcome, found.reason) == ("expired", "window")
    assert dialler.done.expired == 1


def test_a_message_is_not_dialled_before_it_is_to_be_sent():
    later = NOW + 3_600_000
    dialler = Dialler("1", send_at_msec=later)
    assert dialler.dial("1") == 0
    dialler.clock.msec = later - 1
    assert dialler.dial("1") == 0
    dialler.clock.msec = later
    assert dialler.dial() == 1


def test_what_a_release_before_has_put_into_the_wrong_queue_is_put_right_and_not_dialled():
    # Given a queue of the messages without hours, with one that has some
    dialler = Dialler("1", "2")
    dialler.messages._messages["1"] = replace(dialler.messages.get("1"), hours=EVENING)
    assert dialler.dial() == 1
    assert dialler.dialled == ["2-1"]
    assert dialler.messages.turns.heads(Queue(MESSAGE.account_id), 9) == []
    dialler.clock.msec = UTC_DAY + 20 * 3_600_000
    assert dialler.dial() == 1


# -------------------------------------------------------------- limits for calls
def limited(*mids, **fields):
    dialler = Dialler(*mids, **{"ttl_seconds": 172_800, "number": "+4930123", **fields})
    dialler.pool = dialler.pool._replace(calls_per_number=1)
    return dialler


def all_end(dialler, **told):
    for one in list(dialler.messages._messages.values()):
        if one.state is State.CALLING:
            assert dialler.messages.finish(replace(one, **told), Outcome("noAnswer", "noAnswer"), dialler.clock.msec)


def test_a_message_whose_number_has_had_its_calls_waits_until_it_may_have_one_more():
    dialler = limited("1", "2")
    assert dialler.dial() == 1
    all_end(dialler)
    assert dialler.dial() == 0
    waits = dialler.messages.get("2")
    assert (waits.state, waits.stands, waits.due_msec) == (State.QUEUED, False, NOW + COUNTED_MSEC)
    # It costs nothing until then.
    published = dialler.flows.published
    dialler.clock.msec = NOW + COUNTED_MSEC - 5000
    assert dialler.dial("2") == 0
    assert dialler.flows.published == published
    dialler.clock.msec = NOW + COUNTED_MSEC
    assert dialler.dial() == 1
    assert dialler.dialled == ["1-1", "2-1"]


def test_what_waits_for_its_number_waits_for_its_hours_too():
    # Given hours that have just shut when the number may be called again
    dialler = limited("1", "2", hours=AFTERNOON)
    dialler.clock.msec = UTC_DAY + 14 * 3_600_000 + 14 * 60_000 + 30_000
    assert dialler.dial() == 1
    all_end(dialler)
    # Then it is called on the day after
    assert dialler.dial() == 0
    opens = UTC_DAY + (48 + 14) * 3_600_000
    assert dialler.messages.get("2").due_msec == opens
    dialler.clock.msec = opens
    assert dialler.dial() == 1


def test_a_message_whose_number_may_not_be_called_before_its_time_is_up_ends_at_once():
    dialler = limited("1", "2", ttl_seconds=3600)
    assert dialler.dial() == 1
    all_end(dialler)
    assert dialler.dial() == 0
    found = dialler.messages.get("2")
    assert (found.state, found.outcome, found.reason) == (State.FINISHED, "expired", "capped")


def test_an_account_that_has_used_up_its_minutes_costs_nothing_until_midnight():
    dialler = Dialler(*map(str, range(50)), rate=1000, ttl_seconds=172_800)
    turns = dialler.messages.turns
    for number in range(50):
        mid = str(number)
        dialler.messages._messages[mid] = replace(dialler.messages.get(mid), number=f"+4930{number:07}")
    turns.change(replace(turns.find(MESSAGE.account_id, False), minutes_per_day=3))
    # Three calls of a minute each, as far as is known.
    assert dialler.dial() == 3
    assert dialler.flows.published == 4
    # While calls are up that may take less, it is looked at again each minute.
    queue, midnight = turns.find_queue(MESSAGE.account_id, "", False), next_day_msec(NOW)
    assert not queue.is_waiting
    assert dialler.clock.msec < queue.opens_msec <= dialler.clock.msec + 60_000
    dialler.clock.msec += 61_000
    all_end(dialler, talked_msec=60_000)
    assert dialler.dial() == 0
    assert turns.find_queue(MESSAGE.account_id, "", False).opens_msec == midnight
    published = dialler.flows.published
    dialler.clock.msec = midnight - 1
    assert dialler.dial() == 0
    assert dialler.flows.published == published
    dialler.clock.msec = midnight
    assert dialler.dial() == 3
    # Those that a record names are not tried one by one either.
    dialler.clock.msec += 60_000
    all_end(dialler, talked_msec=60_000)
    assert dialler.dial("40", "41", "42", "43") == 0
    assert dialler.flows.published <= published + 5


def test_a_run_that_has_seen_an_accounts_day_used_up_sees_that_it_may_call_again():
    # Given an account whose minutes of today one call uses up
    dialler = Dialler("1", "2", "3", rate=1000, ttl_seconds=172_800)
    for mid in "123":
        dialler.messages._messages[mid] = replace(dialler.messages.get(mid), number=f"+4930123456{mid}")
    turns = dialler.messages.turns
    limit = lambda minutes: turns.change(replace(turns.find(MESSAGE.account_id, False), minutes_per_day=minutes))  # noqa: E731
    limit(1)
    shut = turns.shut

    def then_it_may_call_again(*given):
        shut(*given)
        turns.shut = shut
        limit(9)
        reopen_queues(MESSAGE.account_id, turns=turns, clock=dialler.clock)
        dialler.clock.msec += LOOK_AGAIN_MSEC

    # When it may make more, in the middle of the run that has shut its queue
    turns.shut = then_it_may_call_again
    # Then this run calls for it again
    assert dialler.dial() == 2
    assert dialler.dialled == ["1-1", "3-1"]


def test_what_waits_outside_of_the_queues_and_cannot_be_read_is_in_no_others_way(caplog):
    # Given more of them than a run brings back, which were put off before the one that can be read
    dialler = Dialler(*map(str, range(10, 10 + MOST_PROMOTED + 2)), ttl_seconds=3600)
    *unreadable, other = sorted(dialler.messages._messages)
    for step, mid in enumerate((*unreadable, other)):
        dialler.messages.postpone(mid, State.QUEUED, NOW + step)
    read = dialler.messages.get

    def get(mid):
        if mid in unreadable:
            raise ValueError("a later release has written it")
        return read(mid)

    dialler.messages.get = get
    dialler.clock.msec += 10_000
    with caplog.at_level(logging.CRITICAL):
        dialler.dial()
        dialler.dial()
    assert dialler.dialled == [f"{other}-1"]


@pytest.mark.parametrize("obstacle", ["the day is used up", "the account is full"])
def test_what_cannot_leave_the_order_now_keeps_nobody_waiting(obstacle, caplog):
    # Given an account of which nothing may be dialled, before another one, and tables that are too busy to note it
    limits: Any = {"minutes_per_day": 1} if obstacle == "the day is used up" else {"max_lines": 1}
    dialler = Dialler()
    turns = dialler.messages.turns
    for mid in "1234":
        account_id = "other" if mid == "4" else MESSAGE.account_id
        dialler.messages.add([message(mid, number=f"+493000{mid}", account_id=account_id)])
        dialler.messages.queue(dialler.messages.get(mid), (ASK,), NOW)
    turns.change(replace(turns.find(MESSAGE.account_id, False), **limits))
    dialler.messages.turns.rest = dialler.messages.turns.shut = refuse
    with caplog.at_level(logging.WARNING):
        dialler.dial()
    assert dialler.dialled == ["1-1", "4-1"]
    assert "stays in the order" in caplog.text


def test_minutes_that_nobody_took_are_dialled_with_again():
    dialler = Dialler(*map(str, range(8)), rate=1000)
    turns = dialler.messages.turns
    for number in range(8):
        dialler.messages._messages[str(number)] = replace(dialler.messages.get(str(number)), number=f"+4930{number:07}")
    turns.change(replace(turns.find(MESSAGE.account_id, False), minutes_per_day=3))
    assert dialler.dial() == 3
    all_end(dialler, talked_msec=0)
    dialler.clock.msec += 61_000
    assert dialler.dial() >= 3  # calls are expected to be shorter now


def spending(*mids, **prices):
    """An account that may spend 10 a day; a call may cost 3, or what `prices` says (None: nobody knows)."""
    dialler = Dialler(*mids, ttl_seconds=172_800)
    turns = dialler.messages.turns
    turns.change(replace(turns.find(MESSAGE.account_id, False), spend_per_day=10))
    dialler.prices = {name.removeprefix("m"): price for name, price in prices.items()}
    return dialler


def test_calls_that_do_not_fit_into_what_may_be_spent_wait_for_the_next_day(caplog):
    dialler = spending(*map(str, range(8)))
    turns, midnight = dialler.messages.turns, next_day_msec(NOW)
    assert dialler.dial() == 3
    queue = turns.find_queue(MESSAGE.account_id, "", False)
    assert NOW < queue.opens_msec <= NOW + 61_000  # calls are up, whose ends may give something back
    dialler.clock.msec += 61_000
    all_end(dialler, spent=2)
    assert dialler.dial() == 1
    dialler.clock.msec += 61_000
    all_end(dialler, spent=3)
    assert "used up" not in caplog.text  # calls were up
    assert dialler.dial("4", "5") == 0
    assert caplog.text.count("has used up what it may call today") == 1
    assert turns.find_queue(MESSAGE.account_id, "", False).opens_msec == midnight
    dialler.clock.msec = midnight
    assert dialler.dial() == 3


def test_a_call_that_may_never_be_paid_ends_at_once_and_keeps_nobody_waiting(caplog):
    dialler = spending("1", "2", "3", m1=11, m2=None)
    assert dialler.dial() == 1
    assert dialler.dialled == ["3-1"]
    ends = [dialler.messages.get(mid) for mid in "12"]
    assert [(one.state, one.outcome, one.reason) for one in ends] == [(State.FINISHED, "expired", "spendLimit")] * 2
    assert dialler.done.expired == 2
    assert caplog.text.count("may cost more than its account may spend") == 2


def test_who_may_spend_anything_is_asked_for_no_price():
    dialler = Dialler("1")
    dialler.prices = {"1": None}
    assert dialler.dial() == 1
    assert dialler.messages.get("1").limits == {}
