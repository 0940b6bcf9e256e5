"""Messages: added, queued, taken, finished; DynamoDB and memory do the same."""

from dataclasses import replace

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.message_items import LONG_AGO_MSEC
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import (
    LinesFull,
    LineTaken,
    NotQueued,
    NumberBusy,
    Redialled,
    TooSoon,
)
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.rules.errors import RateLimited, StoreUnavailable
from speechcall.shared.rules.outcome import EXPIRED, PROMPT_UNAVAILABLE, Outcome
from tests.kit.samples import ASK, MESSAGE, MID, NOW, message
from tests.kit.store_samples import ANSWERED, POOL, called, full, queued


def test_a_message_is_read_as_it_was_written(messages):
    assert messages.get(MID) is None
    messages.add([MESSAGE, full("8")])
    assert messages.get(MID) == MESSAGE
    assert messages.get("8") == full("8")


def test_messages_are_added_together_or_not_at_all(messages):
    messages.add([MESSAGE])
    with pytest.raises(StoreUnavailable):
        messages.add([replace(MESSAGE, mid="8"), replace(MESSAGE, text="other")])
    assert messages.get("8") is None
    assert messages.get(MID) == MESSAGE


def test_messages_that_are_there_from_the_same_list_are_a_repeat_and_from_another_are_not(messages):
    messages.add([MESSAGE, replace(MESSAGE, mid="8")])
    messages.queue(messages.get(MID), (ASK,), NOW)
    messages.add([MESSAGE, replace(MESSAGE, mid="8")])
    assert messages.get(MID).state is State.QUEUED
    with pytest.raises(StoreUnavailable):
        messages.add([replace(MESSAGE, list_id="9")])


def test_a_hundred_messages_are_added_at_once(messages):
    messages.add([replace(MESSAGE, mid=str(mid)) for mid in range(100)])
    assert messages.get("99").mid == "99"


def test_a_message_is_queued_once(messages):
    found = queued(messages)
    assert found == replace(message(MID), state=State.QUEUED, asks=(ASK,))
    assert found.due_msec == found.dial_until_msec - LONG_AGO_MSEC
    assert not messages.queue(messages.get(MID), (), NOW)
    assert messages.get(MID) == found


@pytest.mark.parametrize("before", [State.PREPARING, State.QUEUED])
def test_a_message_is_refused_once_in_the_state_it_was_in_and_never_goes_on_then(messages, before):
    messages.add([MESSAGE])
    if before is State.QUEUED:
        messages.queue(messages.get(MID), (ASK,), NOW)
    waiting = messages.get(MID)
    for other in {*State} - {before}:
        assert not messages.refuse(replace(messages.get(MID), state=other), EXPIRED, None, NOW)
    assert messages.refuse(messages.get(MID), PROMPT_UNAVAILABLE, "no audio", NOW + 5)
    found = messages.get(MID)
    assert found.state == State.FINISHED
    assert found.outcome == "promptUnavailable"
    assert found.reason == "promptUnavailable"
    assert found.cause == "no audio"
    assert found.finished_msec == NOW + 5
    assert found.due_msec is None
    assert not messages.refuse(replace(MESSAGE, state=before), ANSWERED, "", NOW)
    assert not messages.queue(messages.get(MID), (ASK,), NOW)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW) == NotQueued()
    assert messages.get(MID) == found


def test_a_refusal_may_have_no_cause(messages):
    queued(messages)
    assert messages.refuse(messages.get(MID), EXPIRED, None, NOW)
    assert messages.get(MID).outcome == "expired"
    assert messages.get(MID).cause is None


def test_taking_a_line_makes_the_message_a_call(messages):
    waiting = queued(messages)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW) == LineTaken()
    assert messages.get(MID) == replace(waiting, state=State.CALLING, attempt=1, flow_arn="arn:flow")


def test_the_release_before_does_not_look_after_what_this_one_has_claimed(dynamodb):
    """It would start the execution again with another input, be told that there was one, and hang up a call."""
    waiting = queued(dynamodb.messages)
    at = {"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}}
    # Given a message whose attempt before was claimed by that release
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key=at,
        UpdateExpression="SET flow_arn = :old",
        ExpressionAttributeValues={":old": {"S": "arn:before"}},
    )
    dynamodb.messages.claim_line(replace(waiting, dial_wait_seconds=50), "arn:flow", POOL, NOW)
    item = dynamodb.client.get_item(TableName=dynamodb.messages_table, Key=at)["Item"]
    assert "flow_arn" not in item
    found = dynamodb.messages.get(MID)
    assert found.flow_arn == "arn:flow"
    assert found.dial_wait_seconds == 50


def test_a_message_is_taken_once_however_many_try(messages):
    waiting = queued(messages)
    messages.claim_line(waiting, "arn:flow", POOL, NOW)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 9999) == NotQueued()
    assert messages.claim_line(messages.get(MID), "arn:flow", POOL, NOW + 9999) == NotQueued()


@pytest.mark.parametrize("state", [State.PREPARING, State.FINISHED])
def test_a_message_that_is_not_queued_takes_no_line(messages, state):
    messages.add([MESSAGE])
    if state is State.FINISHED:
        messages.refuse(messages.get(MID), ANSWERED, "", NOW)
    assert messages.claim_line(MESSAGE, "arn:flow", POOL, NOW) == NotQueued()


def test_lines_are_taken_no_faster_than_the_rate(messages):
    first, second = queued(messages, "1"), queued(messages, "2")
    assert messages.claim_line(first, "arn:flow", POOL, NOW) == LineTaken()
    assert messages.claim_line(second, "arn:flow", POOL, NOW + 249) == TooSoon(NOW + 250)
    assert messages.get("2").state is State.QUEUED
    assert messages.claim_line(second, "arn:flow", POOL, NOW + 250) == LineTaken()


def test_a_rate_that_does_not_divide_a_second_is_never_exceeded(messages):
    first, second = queued(messages, "1"), queued(messages, "2")
    messages.claim_line(first, "arn:flow", Pool(2, 3), NOW)
    assert messages.claim_line(second, "arn:flow", Pool(2, 3), NOW + 333) == TooSoon(NOW + 334)


def test_no_more_lines_are_taken_than_there_are(messages):
    found = [queued(messages, str(mid)) for mid in (1, 2, 3)]
    for step, waiting in enumerate(found[:2]):
        assert messages.claim_line(waiting, "arn:flow", POOL, NOW + step * 250) == LineTaken()
    assert messages.claim_line(found[2], "arn:flow", POOL, NOW + 9999) == LinesFull()
    assert messages.claim_line(found[2], "arn:flow", POOL, NOW + 250) == LinesFull(), "full weighs more than too soon"
    assert messages.get("3").state is State.QUEUED


def test_a_pool_without_lines_gives_none(messages):
    assert messages.claim_line(queued(messages), "arn:flow", Pool(0, 1), NOW) == LinesFull()


def test_of_two_messages_to_one_number_only_one_has_a_line(messages):
    many = Pool(10, 1)
    messages.add([replace(MESSAGE, mid="1"), replace(MESSAGE, mid="2")])
    for mid in ("1", "2"):
        messages.queue(messages.get(mid), (ASK,), NOW)
    assert messages.claim_line(messages.get("1"), "arn:flow", many, NOW) == LineTaken()
    second = messages.get("2")
    # Busy weighs more than too soon: to wait for the slot would not help.
    for later in (0, 9999):
        assert messages.claim_line(second, "arn:flow", many, NOW + later) == NumberBusy()
    assert messages.get("2") == second
    # The number is given back with the line.
    messages.finish(messages.get("1"), ANSWERED, NOW + 9999)
    assert messages.claim_line(second, "arn:flow", many, NOW + 9999) == LineTaken()


def test_full_lines_weigh_more_than_a_busy_number(messages):
    one = Pool(1, 1000)
    first = called(messages, "1", pool=one)
    messages.add([message("2", number=first.number)])
    messages.queue(messages.get("2"), (ASK,), NOW)
    assert messages.claim_line(messages.get("2"), "arn:flow", one, NOW + 1) == LinesFull()


def test_finishing_gives_the_line_back_once(messages, lines):
    one = Pool(1, 1000)
    first, second = called(messages, "1", pool=one), queued(messages, "2")
    assert messages.finish(first, ANSWERED, NOW)
    finished = messages.get("1")
    assert finished.state == State.FINISHED
    assert finished.outcome == "answered"
    assert finished.reason == "completed"
    assert lines.read().held == {}
    assert messages.claim_line(second, "arn:flow", one, NOW + 1) == LineTaken()
    # A repeat changes neither the message nor the other's line.
    assert not messages.finish(first, Outcome("failed", "failed"), NOW + 2)
    assert messages.requeue(first, 1, NOW + 2, NOW) is Redialled.DONE_BEFORE
    assert messages.get("1") == finished
    assert lines.read().held == {second.number: "2-1"}
    third = queued(messages, "3")
    assert messages.claim_line(third, "arn:flow", one, NOW + 2) == LinesFull()


def test_only_the_attempt_that_holds_the_line_can_finish(messages):
    waiting = queued(messages)
    assert not messages.finish(waiting, ANSWERED, NOW)
    messages.claim_line(waiting, "arn:flow", POOL, NOW)
    for attempt in (0, 2):
        assert not messages.finish(replace(waiting, attempt=attempt), ANSWERED, NOW)
        assert messages.requeue(replace(waiting, attempt=attempt), 1, NOW, NOW) is Redialled.DONE_BEFORE
    assert not messages.finish(message("99", attempt=1), ANSWERED, NOW)
    assert messages.get(MID).state is State.CALLING


def test_a_redial_takes_a_call_of_the_day_for_which_it_is_due_once(messages, lines):
    many, midnight = Pool(9, 1000), 1_790_035_200_000
    first, second, third = (called(messages, str(mid), pool=many, now=NOW + mid) for mid in (1, 2, 3))
    assert messages.redial(first, midnight - 1, 1, NOW) is Redialled.QUEUED
    again = messages.get("1")
    assert again.state == State.QUEUED
    assert again.redials == 1
    assert again.due_msec == midnight - 1
    # A repeat neither changes it nor takes another
    assert messages.redial(first, midnight - 1, 2, NOW) is Redialled.DONE_BEFORE
    assert messages.get("1") == again
    # A full day changes nothing, the next one has room, and more of them is a larger account's
    assert messages.redial(second, midnight - 1, 1, NOW) is Redialled.DAY_FULL
    assert messages.get("2") == second
    assert "2-1" in lines.read().held.values()
    assert messages.redial(second, midnight, 1, NOW) is Redialled.QUEUED
    assert messages.redial(third, midnight - 1, 0, NOW) is Redialled.DAY_FULL
    assert messages.redial(third, midnight - 1, 2, NOW) is Redialled.QUEUED
    assert lines.read().held == {}


def test_messages_and_redials_count_on_the_same_day(dynamodb):
    # Given an account of two calls a day, that has sent one message today
    lists = DynamoLists(dynamodb.client, dynamodb.registry_table)
    account = Account("acme", ("*",), calls_per_day=2)
    lists.spend(account, 1, NOW)
    many = Pool(9, 1000)
    first, second = (called(dynamodb.messages, str(mid), pool=many, now=NOW + mid) for mid in (1, 2))
    # Then there is room for one redial, and for nothing after it
    assert dynamodb.messages.redial(first, NOW + 60_000, 2, NOW) is Redialled.QUEUED
    assert dynamodb.messages.redial(second, NOW + 60_000, 2, NOW) is Redialled.DAY_FULL
    with pytest.raises(RateLimited):
        lists.spend(account, 1, NOW)


def test_a_message_that_is_put_back_waits_for_its_next_attempt_without_a_line(messages, lines):
    first = called(messages)
    assert messages.requeue(first, 1, NOW + 60_000, NOW) is Redialled.QUEUED
    back = messages.get(MID)
    assert back == replace(first, state=State.QUEUED, redials=1)
    assert back.due_msec == NOW + 60_000
    assert lines.read().held == {}
    assert messages.due(State.QUEUED, NOW + 59_999, 9) == messages.due(State.CALLING, NOW + 10**9, 9) == []
    assert messages.due(State.QUEUED, NOW + 60_000, 9) == [MID]
    # The next attempt is another: what is late of the first one changes nothing.
    assert messages.claim_line(back, "arn:flow", POOL, NOW + 60_000) == LineTaken()
    assert not messages.finish(first, ANSWERED, NOW + 60_001)
    assert messages.requeue(first, 2, NOW + 60_001, NOW) is Redialled.DONE_BEFORE
    assert lines.read().held == {first.number: f"{MID}-2"}
    assert messages.finish(messages.get(MID), ANSWERED, NOW + 60_002)
