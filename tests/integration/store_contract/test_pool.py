"""The pool of lines; DynamoDB and memory do the same."""

from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.message_ports import LineTaken, TooSoon
from tests.kit.samples import ASK, NOW, message
from tests.kit.store_samples import POOL, called, queued


def test_a_pool_that_nobody_has_touched_goes_by_the_stack(lines):
    assert lines.read() == PoolState()
    assert lines.read().in_effect(POOL) == POOL


def test_what_an_operator_chooses_holds_until_it_is_taken_back(lines):
    lines.tell_stack(POOL)
    lines.choose({"lines": 20, "calls_per_second": 5})
    assert lines.read() == PoolState(20, 5, POOL)
    lines.choose({"lines": 0})
    assert lines.read().in_effect(POOL) == Pool(0, 5)
    lines.choose({"calls_per_second": None})
    assert lines.read() == PoolState(0, None, POOL)
    lines.tell_stack(Pool(3, 3))
    lines.choose({"lines": None, "calls_per_second": 7})
    assert lines.read().in_effect(Pool(3, 3)) == Pool(3, 7)


def test_the_pool_knows_who_holds_a_line(messages, lines):
    first = called(messages, "1")
    second = called(messages, "2", NOW + 250)
    state = lines.read()
    assert state.held == {first.number: "1-1", second.number: "2-1"}
    assert state.next_msec == NOW + 500


def test_a_pool_that_is_slowed_down_gives_no_line_before_that_and_is_never_quicker_for_it(messages, lines):
    waiting = queued(messages)
    lines.slow_down(NOW + 2000)
    lines.slow_down(NOW + 1000)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 1999) == TooSoon(NOW + 2000)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 2000) == LineTaken()


def test_a_line_is_released_once_and_only_from_the_attempt_that_holds_it(messages, lines):
    first, second = called(messages, "1"), called(messages, "2", NOW + 250)
    assert not lines.release("1-2", first.number)
    assert not lines.release("3-1", "+4930000")
    assert lines.release("1-1", first.number)
    assert not lines.release("1-1", first.number)
    assert lines.read().held == {second.number: "2-1"}
    # By now the number is in another call: what is late about the first does not touch it.
    messages.add([message("4", number=first.number)])
    messages.queue(messages.get("4"), (ASK,), NOW)
    assert messages.claim_line(messages.get("4"), "arn:flow", POOL, NOW + 9999) == LineTaken()
    assert not lines.release("1-1", first.number)
    assert lines.read().held == {second.number: "2-1", first.number: "4-1"}
