"""What only DynamoDB has: items of other releases, times to live, writes in between."""

from speechcall.calls.rules.call import Cause
from speechcall.calls.rules.owed import logged_webhooks
from speechcall.evidence.adapters.person_records import DynamoPersonRecords
from speechcall.menus.adapters.flows_store import Registry
from speechcall.messages.rules.message import State
from speechcall.messages.rules.turns import Queue
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.delivery import Attempt, DeliveryState
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, message
from tests.kit.store_samples import EXPIRES, logged, put, queued, ticket


def test_a_later_try_that_loses_to_the_end_between_its_two_writes_is_told_so(dynamodb, monkeypatch):
    # Given menu 0 asked by try 0, and a call that ends between the two writes of try 1
    calls = dynamodb.calls
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    update = dynamodb.client.update_item
    seen = []

    def update_item(**request):
        try:
            return update(**request)
        finally:
            if not seen:
                seen.append(request)
                calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)

    monkeypatch.setattr(dynamodb.client, "update_item", update_item)
    # When try 1 brings its token
    written, found = put(calls, ticket(1, retry=1))
    # Then it hears that the call has ended, and not that somebody else has the word
    assert not written
    assert found.ended


def test_items_say_when_they_expire_and_hold_no_token_beyond_the_call(dynamodb):
    dynamodb.calls.open(CALL, EXPIRES)
    dynamodb.messages.add([MESSAGE])
    items = dynamodb.client.scan(TableName=dynamodb.messages_table)["Items"]
    assert {item["expires_at"]["N"] for item in items} == {str(EXPIRES)}
    assert "state" not in next(item for item in items if item["sk"]["S"].startswith("CALL#")), (
        "the stream filters on it"
    )


def test_the_registry_finds_what_was_put_and_nothing_else(dynamodb):
    registry = Registry(dynamodb.client, dynamodb.registry_table)
    registry.put_flow("12345678-x", "arn:machine")
    assert registry.find_flow("12345678-x") == "arn:machine"
    assert registry.find_flow("y") is None


def test_a_new_message_is_looked_after_when_its_time_is_up_if_not_before(messages):
    messages.add([message("1", ttl_seconds=30), message("2", ttl_seconds=86_400)])
    assert messages.due(State.PREPARING, NOW + 29_999, 9) == []
    assert messages.due(State.PREPARING, NOW + 30_000, 9) == ["1"]
    assert set(messages.due(State.PREPARING, NOW + 300_000, 9)) == {"1", "2"}


def test_faults_are_counted_while_a_message_is_prepared(messages):
    messages.add([MESSAGE])
    assert [messages.note_fault(MID) for _ in range(3)] == [1, 2, 3]
    assert messages.get(MID) == MESSAGE
    messages.queue(messages.get(MID), (ASK,), NOW)
    assert [messages.note_fault(MID), messages.note_fault("1")] == [0, 0]
    assert messages.get("1") is None


def test_what_a_release_before_has_ended_is_taken_out_of_its_queue(dynamodb):
    messages, queue = dynamodb.messages, Queue(MESSAGE.account_id)
    messages.add([MESSAGE])
    messages.queue(MESSAGE, (ASK,), NOW)
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key={"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}},
        UpdateExpression="SET #state = :finished, finished_msec = :now",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":finished": {"S": "finished"}, ":now": {"N": str(NOW)}},
    )
    assert messages.turns.heads(queue, 9) == [MID]
    messages.forget_place(messages.get(MID))
    assert messages.turns.heads(queue, 9) == []


def test_what_waits_is_due_for_the_release_before_which_asks_for_all_that_is(dynamodb):
    queued(dynamodb.messages)
    found = dynamodb.client.query(
        TableName=dynamodb.messages_table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues={":shard": {"S": f"queued#{int(MID) % 4}"}, ":now": {"N": str(NOW)}},
    )
    assert [one["pk"]["S"] for one in found["Items"]] == [f"M#{MID}"]


def test_a_message_that_a_release_before_has_queued_is_due_at_once_and_can_be_put_into_its_queue(dynamodb):
    messages = dynamodb.messages
    messages.add([MESSAGE])
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key={"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}},
        UpdateExpression="SET #state = :queued, due_shard = :shard, due_at = :now",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={
            ":queued": {"S": "queued"},
            ":shard": {"S": f"queued#{int(MID) % 4}"},
            ":now": {"N": str(NOW)},
        },
    )
    assert messages.due(State.QUEUED, NOW, 9) == [MID]
    assert not messages.get(MID).stands
    assert messages.promote(messages.get(MID), NOW)
    assert messages.get(MID).stands
    assert messages.turns.heads(Queue(MESSAGE.account_id), 9) == [MID]


def test_a_webhook_whose_delivery_has_not_begun_is_owed(dynamodb):
    # Given a call whose key stands in its log, and whose webhook stands in its queue
    dynamodb.messages.add([MESSAGE])
    (task,) = logged_webhooks(logged(dynamodb.calls, "d1"), MESSAGE.menus)
    records = DynamoPersonRecords(
        dynamodb.client, dynamodb.messages_table, DynamoLists(dynamodb.client, dynamodb.registry_table)
    )
    assert records.pending_webhooks(MID, NOW) == 1
    # When it is delivered
    deliveries = DynamoDeliveries(dynamodb.client, dynamodb.messages_table)
    deliveries.begin(task, MESSAGE, "receiver", NOW)
    assert records.pending_webhooks(MID, NOW) == 1
    assert deliveries.record(task, Attempt(NOW, 12, 200, None), DeliveryState.DELIVERED, None)
    # Then it is not any more
    assert records.pending_webhooks(MID, NOW) == 0
