"""Messages that settle: the call is over, its outcome is not known yet; DynamoDB and memory do the same."""

from dataclasses import replace
from typing import Any

from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken, NotQueued, NumberBusy, Redialled
from speechcall.shared.rules.outcome import EXPIRED, End, Outcome
from speechcall.status.adapters.history_store import DynamoHistory
from tests.kit.samples import ASK, MID, NOW, message
from tests.kit.store_samples import ANSWERED, POOL, called, settling


def test_a_message_settles_once_without_its_line_and_without_an_outcome(messages, lines):
    first = called(messages)
    assert messages.settle(first, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
    found = messages.get(MID)
    assert found == replace(first, state=State.SETTLING, settling_end=End.LOST)
    assert found.due_msec == NOW + 5
    assert lines.read().held == {}
    assert messages.due(State.SETTLING, NOW + 4, 9) == messages.due(State.CALLING, NOW + 10**9, 9) == []
    assert messages.due(State.SETTLING, NOW + 5, 9) == [MID]
    # A write that still takes it for calling, or for another attempt, changes nothing
    assert not messages.settle(first, End.FAILED, EXPIRED, NOW + 6)
    assert not messages.finish(first, ANSWERED, NOW + 6)
    assert messages.requeue(first, 1, NOW + 6, NOW) is Redialled.DONE_BEFORE
    assert messages.redial(first, NOW + 6, 9, NOW) is Redialled.DONE_BEFORE
    assert not messages.finish(replace(found, attempt=2), ANSWERED, NOW + 6)
    assert not messages.refuse(replace(found, state=State.QUEUED), EXPIRED, None, NOW + 6)
    assert messages.claim_line(replace(found, state=State.QUEUED), "arn:flow", POOL, NOW + 6) == NotQueued()
    assert messages.get(MID) == found


def test_a_message_that_has_settled_is_finished_once_and_gives_nothing_back(messages, lines):
    found = settling(messages, "1")
    # Given another message that calls the same number meanwhile
    messages.add([message("2", number=found.number)])
    messages.queue(messages.get("2"), (ASK,), NOW)
    assert messages.claim_line(messages.get("2"), "arn:flow", POOL, NOW + 10**6) == LineTaken()
    assert messages.finish(found, Outcome("busy", "busy"), NOW + 7)
    finished = messages.get("1")
    assert finished.state == State.FINISHED
    assert finished.outcome == "busy"
    assert finished.finished_msec == NOW + 7
    assert finished.settling_end is None
    assert finished.due_msec is None
    assert messages.due(State.SETTLING, NOW + 10**9, 9) == []
    assert not messages.finish(found, ANSWERED, NOW + 8)
    assert messages.requeue(found, 1, NOW + 8, NOW) is Redialled.DONE_BEFORE
    assert messages.get("1") == finished
    # Then its line, and its number, are still taken
    assert lines.read().held == {found.number: "2-1"}
    messages.add([message("3", number=found.number)])
    messages.queue(messages.get("3"), (ASK,), NOW)
    assert messages.claim_line(messages.get("3"), "arn:flow", Pool(9, 1000), NOW + 10**7) == NumberBusy()


def test_a_message_that_has_settled_is_dialled_again_and_shows_no_outcome_meanwhile(messages, lines):
    found, other = (settling(messages, mid, pool=Pool(9, 1000), now=NOW + int(mid)) for mid in ("1", "2"))
    assert messages.redial(other, NOW + 60_000, 0, NOW) is Redialled.DAY_FULL
    assert messages.get("2") == other
    assert messages.redial(found, NOW + 60_000, 1, NOW) is Redialled.QUEUED
    back = messages.get("1")
    assert back.state == State.QUEUED
    assert back.redials == 1
    assert back.due_msec == NOW + 60_000
    assert back.settling_end is None
    assert back.outcome is None
    assert back.reason is None
    assert back.finished_msec is None
    assert messages.redial(found, NOW + 60_000, 9, NOW) is Redialled.DONE_BEFORE
    assert messages.redial(other, NOW + 60_000, 1, NOW) is Redialled.DAY_FULL
    assert messages.claim_line(back, "arn:flow", POOL, NOW + 10**6) == LineTaken()
    assert not messages.finish(found, ANSWERED, NOW + 8)
    assert lines.read().held == {found.number: "1-2"}


def test_a_message_that_cannot_be_read_while_it_settles_can_still_be_refused(messages):
    settling(messages)
    assert messages.refuse_unreadable(MID, State.SETTLING, EXPIRED, NOW + 9)
    assert not messages.refuse_unreadable(MID, State.SETTLING, EXPIRED, NOW + 9)
    assert messages.get(MID).state == State.FINISHED
    assert messages.get(MID).outcome == "expired"


def test_for_how_long_a_message_may_be_dialled_is_known_also_of_one_that_cannot_be_read(messages, dynamodb):
    messages.add([message(MID, ttl_seconds=600)])
    assert messages.ttl_seconds_of(MID) == 600
    assert messages.ttl_seconds_of("2") is None
    if messages is dynamodb.messages:
        key = {"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}}
        unlike: list[Any] = [("menus", {"S": "another form"}, 600), ("ttl_seconds", {"S": "600"}, None)]
        unlike += [("ttl_seconds", {"N": seconds}, None) for seconds in ("-1", "0", "99999999")]
        for field, value, known in unlike:
            dynamodb.client.update_item(
                TableName=dynamodb.messages_table,
                Key=key,
                UpdateExpression=f"SET {field} = :new",
                ExpressionAttributeValues={":new": value},
            )
            assert messages.ttl_seconds_of(MID) == known


def test_a_message_that_settles_is_finished_for_a_release_that_knows_no_such_state(dynamodb):
    settling(dynamodb.messages)
    key = {"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}}
    item = dynamodb.client.get_item(TableName=dynamodb.messages_table, Key=key)["Item"]
    assert item["state"] == {"S": "finished"}
    assert item["outcome"] == {"S": "noAnswer"}
    assert item["reason"] == {"S": "noAnswer"}
    # And for this one it is neither finished nor has an outcome, in a list as by itself
    (summary,) = DynamoHistory(dynamodb.client, dynamodb.messages_table).summaries([MID])
    assert summary.state == State.SETTLING
    assert summary.outcome is None
    assert summary.reason is None
