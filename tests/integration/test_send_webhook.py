"""The function that sends webhooks, with real queues and tables: what one message brings is nothing to the next."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import boto3
import pytest

from local.cloud.functions import FunctionHost
from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.shared.adapters.settings import LOOPBACK
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.delivery import MAX_WAKES
from tests.kit.http_api import TEMPLATE, HttpApi
from tests.kit.raw_receiver import raw_receiver
from tests.kit.samples import MESSAGE
from tests.kit.webhook_bench import task_of

FUNCTION = TEMPLATE.functions["SendWebhookFunction"].name


@pytest.fixture(scope="module")
def host(made: HttpApi) -> FunctionHost:
    return FunctionHost(TEMPLATE, {"WEBHOOK_RECEIVER": LOOPBACK})


@pytest.fixture
def retries(host: FunctionHost) -> Callable[[], list[str]]:
    """Takes what is in the retry queue: the bodies."""
    sqs, url = boto3.client("sqs"), TEMPLATE.ref("WebhookRetryQueue")

    def take() -> list[str]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
        for one in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return [one["Body"] for one in found]

    return take


def delayed() -> int:
    """How many messages of the retry queue wait for their moment."""
    names: Any = ["ApproximateNumberOfMessagesDelayed"]
    url = TEMPLATE.ref("WebhookRetryQueue")
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]])


def stored(api: HttpApi, *urls: str):
    message = replace(MESSAGE, menus=(Menu("a", 1000, {"d1": (*map(Webhook, urls), Hangup())}),))
    api.messages.add([message])
    return message


def record(body: str, group: str | None = None, receives: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives), **({"MessageGroupId": group} if group else {})}
    return {"messageId": f"m{receives}", "body": body, "attributes": attributes, "eventSource": "aws:sqs"}


def delivery(task):
    deliveries = DynamoDeliveries(boto3.client("dynamodb"), TEMPLATE.ref("MessagesTable"))
    found = deliveries.find(task.mid, task.event_id)
    return (found[1].state.value, [one.error or one.status for one in found[1].attempts]) if found else None


def test_a_host_that_is_none_ends_and_the_next_webhook_of_the_call_arrives(api, host, retries):
    def talk(receiver, connection, number):
        receiver.request(connection, number)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with raw_receiver(talk) as receiver:
        # Given a message that was accepted before such hosts were refused
        message = stored(api, "https://xn--a/", "https://a..b/", f"http://127.0.0.1:{receiver.port}/")
        tasks = [task_of(message, step) for step in range(3)]
        for task in tasks:
            answer = host.invoke(FUNCTION, {"Records": [record(json.dumps(asdict(task)), message.mid)]})
            assert answer == {"batchItemFailures": []}
        assert [delivery(task) for task in tasks] == [("failed", ["BAD_REQUEST"])] * 2 + [("delivered", [204])]
        assert len(receiver.requests) == 1


def test_what_cannot_be_read_goes_from_the_first_queue_to_the_second_and_from_there_to_the_dead_letters(host, retries):
    assert host.invoke(FUNCTION, {"Records": [record("{", "1")]}) == {"batchItemFailures": []}
    assert retries() == ["{"]
    assert host.invoke(FUNCTION, {"Records": [record("{")]}) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_an_item_that_cannot_be_read_is_handed_over_and_given_up_in_the_end(api, host):
    # Given a delivery whose item no version of the code can read
    message = stored(api, "https://shop.example/")
    task = task_of(message)
    key = {"pk": {"S": f"M#{task.mid}"}, "sk": {"S": f"HOOK#{task.event_id}"}}
    table = TEMPLATE.ref("MessagesTable")
    client = boto3.client("dynamodb")
    client.put_item(TableName=table, Item={**key, "delivery": {"S": "pending"}, "version": {"N": "0"}})
    body = json.dumps(asdict(task))
    assert host.invoke(FUNCTION, {"Records": [record(body, task.mid)]}) == {"batchItemFailures": []}
    assert delayed() == 1
    for receives in (1, 15):
        failed = host.invoke(FUNCTION, {"Records": [record(body, None, receives)]})
        assert failed == {"batchItemFailures": [{"itemIdentifier": f"m{receives}"}]}
    assert host.invoke(FUNCTION, {"Records": [record(body, None, 16)]}) == {"batchItemFailures": []}
    assert delivery(task) == ("dead", ["INTERNAL_ERROR"])


def test_the_clock_gives_up_what_it_has_woken_in_vain_and_queues_the_others(api, host, retries):
    message = stored(api, "https://a.example/", "https://b.example/")
    tasks = [task_of(message, step) for step in range(2)]
    client, table = boto3.client("dynamodb"), TEMPLATE.ref("MessagesTable")
    for task, woken in zip(tasks, (MAX_WAKES, 3), strict=True):
        DynamoDeliveries(client, table).begin(task, message, "https://a.example", 0)
        key = {"pk": {"S": f"M#{task.mid}"}, "sk": {"S": f"HOOK#{task.event_id}"}}
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET woken = :woken",
            ExpressionAttributeValues={":woken": {"N": str(woken)}},
        )
    assert host.invoke(TEMPLATE.functions["WakeWebhooksFunction"].name, {}) == {"woken": 1}
    assert [delivery(task) for task in tasks] == [("dead", ["INTERNAL_ERROR"]), ("pending", [])]
    assert [json.loads(one) for one in retries()] == [asdict(tasks[1])]
