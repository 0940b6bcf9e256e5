"""Each minute: what nobody heard of is helped on."""

import logging
from collections import Counter
from dataclasses import replace

import pytest

from speechcall.dialling.use_cases.dial_messages import execution_input
from speechcall.dialling.use_cases.sweep import PAGE, PREPARE_AGAIN_SECONDS, Calls, Execution, sweep
from speechcall.messages.rules.dial_times import MAX_TTL_SECONDS
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.prompts.use_cases.prepare_prompts import NOT_IN_TIME
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.errors import EngineUnavailable, StoreUnavailable
from speechcall.shared.rules.ids import new_ids
from speechcall.shared.rules.outcome import EXPIRED, End
from speechcall.shared.rules.time_bounds import CALL_CHECK_SECONDS, GIVE_UP_SECONDS
from tests.kit.samples import ASK, MESSAGE, MID, NOW, FakeClock, message

MINUTE = 60_000


class Bench:
    """Messages in their states, and executions that run or have ended."""

    def __init__(self):
        self.messages, self.clock = MemoryMessages(), FakeClock()
        self.started, self.finished, self.ended, self.errors = [], [], set(), {}
        self.execution, self.has_records, self.slow = Execution.RUNS, True, 0
        self.paused = set()

    def calling(self, *mids):
        for mid in mids:
            self.messages.add([message(mid)])
            self.messages.queue(self.messages.get(mid), (ASK,), NOW)
            self.messages.claim_line(self.messages.get(mid), "arn:flow", Pool(100, 1_000_000), self.clock.msec)
            self.clock.msec += 1
        return self

    def calling_of(self, mid):
        """One that is queued already."""
        self.messages.claim_line(self.messages.get(mid), "arn:flow", Pool(100, 1_000_000), self.clock.msec)

    def start(self, flow_arn, name, given_input):
        if name in self.errors:
            raise self.errors[name]
        self.started.append((flow_arn, name, given_input))
        return Execution.ENDED if name in self.ended else self.execution

    def finish(self, mid, attempt):
        self.clock.sleep(self.slow)
        if mid in self.errors:
            raise self.errors[mid]
        self.finished.append((mid, attempt))

    def sweep(self, later_msec=0):
        """What was repaired, by metric."""
        self.clock.msec += later_msec
        counted = Counter()
        count = lambda name, n: counted.update({name: n})  # noqa: E731
        calls = Calls(
            messages=self.messages,
            lines=self.messages.pool,
            turns=self.messages.turns,
            accounts=lambda: [MESSAGE.account_id],
            start=self.start,
            finish=self.finish,
            clock=self.clock,
            count=count,
            has_records=self.has_records,
            is_paused=lambda _account, name: name in self.paused,
        )
        sweep(calls.repairs())
        return +counted


def test_the_shares_that_wait_are_told_each_minute_and_that_nobody_waits_once():
    bench = Bench()
    bench.sweep()
    assert bench.messages.pool.state.waiting_told_msec == 0
    bench.messages.add([message("1"), message("2", account_id="other"), message("3", account_id="other")])
    for mid in ("1", "2", "3"):
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
    turns = bench.messages.turns
    turns.change(replace(turns.find("other", False), share=30))
    bench.sweep(MINUTE)
    told = bench.messages.pool.state
    assert (told.waiting_shares, told.waiting_told_msec) == (40, bench.clock.msec)
    turns.change(replace(turns.find("other", False), is_paused=True))
    bench.sweep(MINUTE)
    assert bench.messages.pool.state.waiting_shares == 10
    turns.change(replace(turns.find("acme", False), is_waiting=False))
    bench.sweep(MINUTE)
    told = bench.messages.pool.state
    assert told.waiting_shares == 0
    bench.sweep(MINUTE)
    assert bench.messages.pool.state.waiting_told_msec == told.waiting_told_msec


def test_what_is_not_overdue_is_left_alone():
    bench = Bench().calling(MID)
    bench.messages.add([message("1")])
    assert bench.sweep(MINUTE - 2) == {}
    assert not bench.started


def test_a_message_that_nobody_prepares_is_touched_again_every_five_minutes():
    bench = Bench()
    bench.messages.add([MESSAGE])
    assert bench.sweep(5 * MINUTE) == {"MessagesPreparedAgain": 1}
    assert bench.sweep(PREPARE_AGAIN_SECONDS * 1000 - 1) == {}
    assert bench.sweep(1) == {"MessagesPreparedAgain": 1}
    assert bench.messages.get(MID).state is State.PREPARING


@pytest.mark.parametrize(("ttl", "minutes"), [(30, 1), (400, 7), (600, 10)])
def test_a_message_whose_time_is_up_while_it_is_prepared_expires(ttl, minutes):
    bench = Bench()
    bench.messages.add([replace(MESSAGE, ttl_seconds=ttl)])
    counted = Counter()
    for _ in range(minutes - 1):
        counted += bench.sweep(MINUTE)
    assert bench.messages.get(MID).state is State.PREPARING
    counted += bench.sweep(MINUTE)
    expired = bench.messages.get(MID)
    assert expired.state == State.FINISHED
    assert expired.outcome == "expired"
    assert expired.cause == NOT_IN_TIME
    assert counted == Counter(MessagesPreparedAgain=(minutes - 1) // 5, MessagesExpired=1) + Counter()


def test_messages_that_cannot_be_read_hold_up_no_other(caplog):
    # Given more messages than a look at the index finds, which another version has written
    bench = Bench()
    bench.messages.add([replace(MESSAGE, mid=f"{number:03}", ttl_seconds=30) for number in range(PAGE)])
    bench.messages.add([replace(MESSAGE, mid="999", ttl_seconds=30, created_msec=NOW + 1)])
    get = bench.messages.get
    bench.messages.get = lambda mid: get(mid) if mid == "999" else (_ for _ in ()).throw(KeyError("no such state"))
    # When the sweeper comes
    bench.sweep(MINUTE)
    # Then the one that can be read has expired
    assert get("999").outcome == "expired"
    assert "no such state" in caplog.text


def test_what_cannot_be_written_holds_up_no_other(caplog):
    bench = Bench()
    bench.messages.add([replace(MESSAGE, mid=mid, ttl_seconds=30) for mid in ("1", "2")])
    refuse = bench.messages.refuse

    def refused(message, *given):
        if message.mid == "1":
            raise ValueError("unforeseen")
        return refuse(message, *given)

    bench.messages.refuse, bench.messages.postpone = refused, None
    assert bench.sweep(MINUTE) == {"MessagesExpired": 1}
    assert "message 1 could not be repaired" in caplog.text


def test_more_than_one_look_at_the_index_finds_is_prepared_again_in_one_sweep():
    bench = Bench()
    bench.messages.add([replace(MESSAGE, mid=f"{number:04}", ttl_seconds=30) for number in range(3 * PAGE)])
    assert bench.sweep(MINUTE) == {"MessagesExpired": 3 * PAGE}


def test_a_call_whose_execution_was_never_started_is_started_as_the_dialler_would():
    bench = Bench().calling(MID)
    bench.execution = Execution.STARTED
    assert bench.sweep(MINUTE) == {"ExecutionsStartedLate": 1}
    assert bench.started == [("arn:flow", f"{MID}-1", execution_input(bench.messages.get(MID), 1))]
    assert bench.finished == []
    # Then it is looked at again when it can no longer run
    assert bench.sweep(CALL_CHECK_SECONDS * 1000 - 1) == {}
    assert len(bench.started) == 1
    bench.sweep(1)
    assert len(bench.started) == 2


def test_a_call_whose_execution_has_ended_is_finished():
    bench = Bench().calling(MID)
    bench.ended.add(f"{MID}-1")
    assert bench.sweep(MINUTE) == {"CallsFinishedLate": 1}
    assert bench.finished == [(MID, 1)]


def test_a_message_that_was_finished_meanwhile_is_left_alone():
    bench = Bench().calling("1")
    get = bench.messages.get
    bench.messages.get = lambda mid: bench.messages.finish(get(mid), EXPIRED, NOW) and get(mid)
    assert bench.sweep(MINUTE) == {}
    assert not bench.started


def test_one_call_that_cannot_be_mended_does_not_stop_the_rest(caplog):
    bench = Bench().calling("1", "2", "3")
    bench.errors = {"1-1": EngineUnavailable("timeout"), "2-1": ValueError("no such machine")}
    bench.ended.add("3-1")
    with caplog.at_level(logging.WARNING):
        assert bench.sweep(MINUTE) == {"CallsFinishedLate": 1}
    assert bench.finished == [("3", 1)]
    assert "message 1 " in caplog.text
    assert "message 2 " in caplog.text
    assert bench.messages.due(State.CALLING, bench.clock.msec, 9)[:2] == ["1", "2"], "they are tried again next minute"


def test_one_part_that_fails_does_not_stop_the_others_and_is_told():
    # Given an index that cannot be read
    bench = Bench().calling("1")
    bench.messages.due = lambda *_: (_ for _ in ()).throw(StoreUnavailable("throttled"))
    bench.messages.pool.state = bench.messages.pool.state._replace(held={"+380936670003": "9-1"})
    # When the sweeper comes, then what does not need the index is repaired, and Lambda hears of the rest
    with pytest.raises(ExceptionGroup) as raised:
        bench.sweep(MINUTE)
    assert {type(error) for error in raised.value.exceptions} == {StoreUnavailable}
    assert bench.messages.held == set()


# ------------------------------------------------------------------ settling
def settling(bench, *mids):
    bench.calling(*mids)
    for mid in mids:
        bench.messages.settle(bench.messages.get(mid), End.NOT_ANSWERED, EXPIRED, bench.clock.msec)
    return bench


def test_why_a_call_ended_is_asked_again_each_minute():
    bench = settling(Bench(), "1", "2").calling("3")
    bench.sweep(1000)
    bench.sweep(30_000)
    assert bench.finished == [("1", 1), ("2", 1)] * 2


def test_one_call_that_cannot_be_asked_about_keeps_nobody_from_an_answer(caplog):
    bench = settling(Bench(), "1", "2", "3")
    bench.errors = {"1": ValueError("unforeseen"), "2": StoreUnavailable("throttled")}
    bench.sweep(1000)
    assert bench.finished == [("3", 1)]
    assert "message 1 could not be repaired" in caplog.text


def test_asking_why_never_takes_the_time_of_the_calls_that_are_to_be_finished():
    bench = settling(Bench(), *(str(number) for number in range(10, 40)))
    bench.slow = 3
    bench.calling("7")
    bench.ended.add("7-1")
    bench.clock.msec += MINUTE
    begin = bench.clock.msec
    bench.sweep()
    assert ("7", 1) in bench.finished
    assert bench.clock.msec - begin <= 20_000


def test_where_nothing_lags_nothing_is_looked_for_but_once_an_hour():
    bench = settling(Bench(), "1")
    bench.has_records = False
    asked = []
    due = bench.messages.due
    bench.messages.due = lambda state, *more: asked.append(state) or due(state, *more)
    bench.clock.msec = NOW // (60 * MINUTE) * 60 * MINUTE + 60 * MINUTE
    for _ in range(120):
        bench.sweep(MINUTE)
    assert asked.count(State.SETTLING) == 2
    assert len(bench.finished) == 2


# --------------------------------------------------------------------- lines
def test_the_line_of_a_call_is_left_alone():
    bench = Bench().calling("1", "2")
    assert bench.sweep() == {}
    assert bench.messages.held == {"1-1", "2-1"}


@pytest.mark.parametrize("name", ["1-2", "7-1"])
def test_a_line_that_no_call_holds_is_given_back(name):
    bench = Bench().calling("1")
    bench.messages.pool.state = bench.messages.pool.state._replace(held={message("1").number: "1-1", "+1": name})
    assert bench.sweep() == {"LinesReleased": 1}
    assert bench.messages.held == {"1-1"}


def test_a_line_that_is_given_back_while_the_sweeper_looks_is_not_taken_from_the_next_call():
    # Given a call that is finished, and its number called again, between two looks of the sweeper
    bench = Bench().calling("1")
    get, number = bench.messages.get, message("1").number

    def meanwhile(mid):
        bench.messages.get = get
        bench.messages.finish(get("1"), EXPIRED, bench.clock.msec)
        bench.messages.add([message("2", number=number)])
        bench.messages.queue(bench.messages.get("2"), (ASK,), bench.clock.msec)
        bench.messages.claim_line(get("2"), "arn:flow", Pool(9, 1_000_000), bench.clock.msec + 1)
        return get(mid)

    bench.messages.get = meanwhile
    assert bench.sweep() == {}
    assert bench.messages.held == {"2-1"}


# ------------------------------------------------------------------- expired
def test_whose_time_is_up_ends_within_a_minute_however_many_wait_before_it():
    waiting = [str(10_000 + number) for number in range(450)]
    bench = Bench()
    for mid in waiting:
        bench.messages.add([message(mid, ttl_seconds=60 if mid >= "10200" else 3600)])
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
    assert bench.sweep(60_000) == {"MessagesExpired": 250}


def test_a_message_whose_time_ran_out_behind_full_lines_is_expired():
    bench = Bench()
    for mid, ttl in (("1", 30), ("2", 60)):
        bench.messages.add([message(mid, ttl_seconds=ttl)])
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
    assert bench.sweep(29_999) == {}
    assert bench.sweep(1) == {"MessagesExpired": 1}
    assert [bench.messages.get(mid).outcome for mid in ("1", "2")] == ["expired", None]


# ---------------------------------------- whatever goes wrong, and for how long
def broken_for(work, broken, error=ValueError):
    """`work`, which raises for one message."""

    def working(mid, *more):
        if mid == broken:
            raise error("nobody has foreseen it")
        return work(mid, *more)

    return working


def test_a_call_whose_execution_can_never_be_asked_for_is_finished_when_none_can_run_any_more():
    bench = Bench().calling("1")
    bench.errors = {"1-1": ValueError("nobody has foreseen it")}
    bench.sweep(GIVE_UP_SECONDS * 1000 - 2)
    assert bench.finished == []
    bench.sweep(2)
    assert bench.finished == [("1", 1)]


def test_a_call_without_a_machine_is_finished():
    bench = Bench().calling("1")
    bench.messages._messages["1"] = replace(bench.messages.get("1"), flow_arn=None)
    bench.sweep(MINUTE)
    assert bench.finished == [("1", 1)]


@pytest.mark.parametrize("error", [ValueError, StoreUnavailable])
def test_one_message_that_cannot_be_read_keeps_nobody_from_its_end(error, caplog):
    mids = new_ids(4, NOW, lambda _: 0)[1:]
    bench = Bench()
    for mid in mids:
        bench.messages.add([message(mid, ttl_seconds=30)])
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
    bench.messages.get = broken_for(bench.messages.get, mids[0], error)
    with caplog.at_level(logging.CRITICAL):
        assert bench.sweep(30_000) == {"MessagesExpired": 2}
    # It is looked at again: at once, or where that is of no use in five minutes.
    later = PREPARE_AGAIN_SECONDS * 1000 if error is ValueError else 0
    assert mids[0] in bench.messages.due(State.QUEUED, bench.clock.msec + later, 9)


@pytest.mark.parametrize("days", [None, 0, 40])
def test_a_message_that_can_never_be_read_ends_when_it_has_no_time_left(days):
    # Given an item that says until when it may be dialled, or none that says it
    mid, other = new_ids(3, NOW, lambda _: 0)[1:]
    ttl = MAX_TTL_SECONDS if days is None else 3600 + days * 86_400
    for state in (State.QUEUED, State.CALLING):
        bench = Bench()
        bench.messages.add([message(mid, ttl_seconds=ttl), message(other, ttl_seconds=ttl)])
        if days is None:
            bench.messages.ttl_seconds_of = lambda mid: None
        for one in (mid, other) if state is State.CALLING else (mid,):
            bench.messages.queue(bench.messages.get(one), (ASK,), NOW)
        if state is State.CALLING:
            bench.calling_of(mid)
        read = bench.messages.get
        bench.messages.get = broken_for(read, mid)
        bench.sweep((ttl + GIVE_UP_SECONDS) * 1000 - 2)
        assert read(mid).state is state
        bench.sweep(PREPARE_AGAIN_SECONDS * 1000)
        assert read(mid).state == State.FINISHED
        assert read(mid).outcome == "expired"
        assert bench.messages.held == set()


def test_many_messages_that_cannot_be_read_are_in_no_others_way():
    # Given more of them than a page has, all of which were put off, and another one behind them
    *unreadable, other = new_ids(260, NOW, lambda _: 0)[1:]
    bench = Bench()
    for mid in (*unreadable, other):
        bench.messages.add([message(mid, ttl_seconds=3600)])
        bench.messages.queue(bench.messages.get(mid), (ASK,), NOW)
        bench.messages.postpone(mid, State.QUEUED, NOW + 30_000)
    read, lost = bench.messages.get, set(unreadable)

    def get(mid):
        if mid in lost:
            raise ValueError("a later release has written it")
        return read(mid)

    bench.messages.get = get
    bench.sweep(30_001)
    bench.sweep(MINUTE)
    assert read(other).stands


def test_one_line_that_cannot_be_looked_into_does_not_keep_the_others():
    bench = Bench()
    bench.messages.pool.state = bench.messages.pool.state._replace(held={"+1": "1-1", "+2": "2-1"})
    bench.messages.get = broken_for(bench.messages.get, "1", StoreUnavailable)
    assert bench.sweep() == {"LinesReleased": 1}
    assert bench.messages.held == {"1-1"}


def test_one_message_that_cannot_be_touched_does_not_keep_the_others():
    bench = Bench()
    bench.messages.add([message("1"), message("2")])
    bench.messages.postpone = broken_for(bench.messages.postpone, "1")
    assert bench.sweep(5 * MINUTE) == {"MessagesPreparedAgain": 1}


def test_calls_that_take_all_the_time_keep_neither_the_other_mends_nor_each_other_for_ever():
    # Given thirty calls, each of which takes ten seconds to be found in trouble
    mids = [str(number) for number in range(10, 40)]
    bench = Bench().calling(*mids)
    looked = []

    def slow(_arn, name, _given):
        bench.clock.sleep(10)
        looked.append(name.partition("-")[0])
        raise ValueError("nobody has foreseen it")

    bench.start = slow
    bench.clock.msec += MINUTE
    for _ in range(30):
        before = bench.clock.msec
        bench.messages.pool.state = bench.messages.pool.state._replace(held={"+1": "1-1"})
        assert bench.sweep() == {"LinesReleased": 1}
        assert bench.clock.msec - before <= 50_000
        bench.clock.msec = before + MINUTE
        if set(looked) == set(mids):
            break
    assert set(looked) == set(mids)


def test_the_queue_of_a_paused_campaign_is_woken_only_when_it_is_resumed():
    bench = Bench()
    bench.messages.add([replace(MESSAGE, campaign="spring")])
    bench.messages.queue(bench.messages.get(MID), (ASK,), NOW)
    bench.messages.turns.rest(
        bench.messages.turns.find("acme", False), bench.messages.turns.find_queue("acme", "spring", False)
    )
    bench.paused = {"spring"}
    assert sum((bench.sweep(MINUTE) for _ in range(5)), Counter()) == {}
    bench.paused = set()
    assert sum((bench.sweep(MINUTE) for _ in range(5)), Counter()) == {"QueuesWoken": 1}
