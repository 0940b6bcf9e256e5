"""What is due, in which order; DynamoDB and memory do the same."""

from speechcall.messages.rules.message import State
from speechcall.messages.rules.turns import Queue
from speechcall.messages.use_cases.message_ports import LineTaken, Redialled
from tests.kit.samples import ASK, MESSAGE, MID, NOW, message
from tests.kit.store_samples import ANSWERED, POOL, queued


def put_off(messages, *mids):
    """Queued messages that were put off, each a millisecond longer than the one before."""
    for step, mid in enumerate(mids):
        queued(messages, mid)
        messages.postpone(mid, State.QUEUED, NOW + step)


def test_the_due_come_in_order_and_no_more_than_asked_for(messages):
    put_off(messages, "12", "9", "30", "1")
    assert messages.due(State.QUEUED, NOW + 9, 10) == ["12", "9", "30", "1"]
    assert messages.due(State.QUEUED, NOW + 9, 2) == ["12", "9"]
    assert messages.due(State.QUEUED, NOW + 1, 10) == ["12", "9"]
    assert messages.due(State.QUEUED, NOW - 1, 10) == []
    assert messages.to_promote(NOW + 9, 3) == ["12", "9", "30"]
    assert messages.to_promote(NOW, 9) == ["12"]


def test_a_message_that_stands_in_its_queue_is_due_when_its_time_is_up(messages):
    found = queued(messages)
    assert found.stands
    assert messages.due(State.QUEUED, found.dial_until_msec - 1, 10) == []
    assert messages.due(State.QUEUED, found.dial_until_msec, 10) == [MID]
    assert messages.to_promote(NOW + 10**9, 10) == []
    messages.postpone(MID, State.QUEUED, NOW + 5)
    assert not messages.get(MID).stands


def test_whose_time_is_up_is_found_among_any_number_that_wait(messages):
    for number in range(20):
        queued(messages, str(100 + number), ttl_seconds=3600 - 60 * number)
    assert messages.due(State.QUEUED, NOW + 3_599_999 - 60_000 * 17, 2) == ["119", "118"]
    messages.postpone("119", State.QUEUED, NOW + 5)
    assert messages.due(State.QUEUED, NOW + 3_600_000 - 60_000 * 18, 2) == ["119", "118"]


def test_each_state_is_due_at_its_own_time_and_finished_ones_never(messages):
    messages.add([MESSAGE])
    assert messages.due(State.PREPARING, NOW + 299_999, 10) == []
    assert messages.due(State.PREPARING, NOW + 300_000, 10) == [MID]
    messages.queue(messages.get(MID), (ASK,), NOW)
    assert messages.due(State.PREPARING, NOW + 10**9, 10) == []
    assert messages.due(State.QUEUED, MESSAGE.dial_until_msec, 10) == [MID]
    messages.claim_line(messages.get(MID), "arn:flow", POOL, NOW)
    assert messages.due(State.QUEUED, NOW + 10**9, 10) == []
    assert messages.due(State.CALLING, NOW + 59_999, 10) == []
    assert messages.due(State.CALLING, NOW + 60_000, 10) == [MID]
    messages.finish(messages.get(MID), ANSWERED, NOW)
    for state in State:
        assert messages.due(state, NOW + 10**9, 10) == []


def test_of_many_that_are_due_the_first_come_first_in_each_shard(messages):
    for step in range(12):
        messages.add([message(str(100 + step), created_msec=NOW + step)])
    due = NOW + 300_099
    assert messages.due(State.PREPARING, due, 5) == ["100", "101", "102", "103", "104"]
    assert messages.due(State.PREPARING, due, 100) == [str(100 + step) for step in range(12)]


def test_those_that_were_put_off_leave_their_queue_until_they_are_called_back(messages):
    for step in range(6):
        queued(messages, str(100 + step))
    assert heads(messages) == ["100", "101", "102", "103", "104", "105"]
    for mid, later in (("104", 20), ("100", 30), ("103", 40)):
        messages.postpone(mid, State.QUEUED, NOW + later)
    assert heads(messages) == ["101", "102", "105"]
    assert messages.to_promote(NOW + 30, 9) == ["104", "100"]
    # What is put back after a call waits for its moment among them.
    assert messages.claim_line(messages.get("101"), "arn:flow", POOL, NOW) == LineTaken()
    assert messages.requeue(messages.get("101"), 1, NOW + 25, NOW) is Redialled.QUEUED
    assert messages.to_promote(NOW + 30, 9) == ["104", "101", "100"]
    # Called back, they have their places again: first accepted, first served.
    for mid in ("104", "101"):
        assert messages.promote(messages.get(mid), NOW + 30)
    assert heads(messages) == ["101", "102", "104", "105"]
    assert messages.to_promote(NOW + 99, 9) == ["100", "103"]
    messages.claim_line(messages.get("101"), "arn:flow", POOL, NOW + 1000)
    assert not messages.promote(messages.get("101"), NOW + 1000)


def heads(messages):
    return messages.turns.heads(Queue(MESSAGE.account_id), 9)


def test_postponing_moves_the_moment_in_that_state_only(messages):
    queued(messages)
    messages.postpone(MID, State.QUEUED, NOW + 500)
    assert messages.due(State.QUEUED, NOW + 499, 10) == []
    assert messages.due(State.QUEUED, NOW + 500, 10) == [MID]
    messages.postpone(MID, State.CALLING, NOW + 900)
    assert messages.due(State.QUEUED, NOW + 500, 10) == [MID]
    assert messages.due(State.CALLING, NOW + 10**9, 10) == []


def test_a_message_that_has_had_a_call_since_it_was_read_keeps_the_moment_of_its_redial(messages):
    # Given a dialler that has read a message, and is slow, while another has called: the number was busy
    read = queued(messages)
    messages.claim_line(read, "arn:flow", POOL, NOW)
    redial_msec = NOW + 600_000
    assert messages.requeue(messages.get(MID), 1, redial_msec, NOW + 1000) is Redialled.QUEUED
    # When it puts it off for a moment, or brings it back
    messages.postpone(MID, State.QUEUED, NOW + 20_000, read.attempt)
    assert not messages.promote(read, NOW + 2000)
    # Then nothing is changed
    assert messages.get(MID).due_msec == redial_msec
    messages.postpone(MID, State.QUEUED, NOW + 700_000, 1)
    assert messages.get(MID).due_msec == NOW + 700_000
