"""AWS clients of another process: through the door, they get what the clients of this one get."""

import json
import threading

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.aws_door import AwsDoor
from local.cloud import INSTANCE_ID, Cloud
from local.guards import dynamodb
from local.permissions import Permissions
from local.template import read_template
from tests.fixtures.laptop import probe


@pytest.fixture(scope="module")
def cloud():
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def through(cloud):
    """A client of a service, as another process makes it."""
    return lambda service, region="eu-central-1": boto3.Session().client(
        service,
        region_name=region,
        endpoint_url=f"{cloud.url}/aws",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def names(cloud):
    return httpx.get(f"{cloud.url}/aws/resources").json()


def key(name):
    return {"pk": {"S": name}, "sk": {"S": "x"}}


def test_the_names_of_what_is_deployed_are_told(cloud, names):
    assert names["RegistryTable"] == cloud.template.ref("RegistryTable")
    assert {"MessagesTable", "PromptsBucket", "WebhookQueue"} < set(names)
    assert "MessagelistFunction" not in names


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_an_item_is_put_and_found_from_both_sides_whatever_the_region(through, names, region):
    item = {**key(f"both-{region}"), "text": {"S": "Привіт"}, "raw": {"B": b"\x00\xff"}, "number": {"N": "1.10"}}
    through("dynamodb", region).put_item(TableName=names["RegistryTable"], Item=item)
    wanted = {"TableName": names["RegistryTable"], "Key": key(f"both-{region}")}
    assert through("dynamodb", region).get_item(**wanted)["Item"] == item
    assert boto3.client("dynamodb").get_item(**wanted)["Item"] == item


def test_a_transaction_that_fails_says_at_which_condition(through, names):
    client, table = through("dynamodb"), names["RegistryTable"]
    client.put_item(TableName=table, Item=key("there"))
    new = "attribute_not_exists(pk)"
    puts = [{"TableName": table, "Item": key(name), "ConditionExpression": new} for name in ("free", "there")]
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in client.get_item(TableName=table, Key=key("free"))


def test_requests_through_the_door_are_one_step_each_too(through, names, monkeypatch):
    """They pass the guard that the clients of this process pass, in the thread that serves the connection."""
    taken = []

    class Recorded:
        def __enter__(self):
            taken.append(threading.current_thread().name)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(dynamodb, "_one_at_a_time", Recorded())
    through("dynamodb").get_item(TableName=names["RegistryTable"], Key=key("any"))
    assert [name for name in taken if "process_request_thread" in name]


@pytest.mark.parametrize("name", ["prompts/a.wav", "a b/ü+%2F.txt", "x?y&z=1", "a//b"])
def test_an_object_is_put_found_and_listed_whatever_its_key(through, names, name):
    client, bucket = through("s3"), names["PromptsBucket"]
    content = bytes(range(256)) * 400
    client.put_object(Bucket=bucket, Key=name, Body=content, ContentType="audio/wav", Metadata={"who": "me"})
    assert client.get_object(Bucket=bucket, Key=name)["Body"].read() == content
    head = client.head_object(Bucket=bucket, Key=name)
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (len(content), "audio/wav", {"who": "me"})
    listed = client.list_objects_v2(Bucket=bucket, Prefix=name[:3])["Contents"]
    assert name in [one["Key"] for one in listed]
    assert boto3.client("s3").get_object(Bucket=bucket, Key=name)["Body"].read() == content
    client.delete_object(Bucket=bucket, Key=name)


def test_what_is_missing_in_s3_is_the_clients_own_error(through, names):
    client = through("s3")
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket=names["PromptsBucket"], Key="nothing")


def test_a_message_is_sent_and_received(through, names):
    client, queue = through("sqs"), names["EventDeadLetterQueue"]
    assert client.get_queue_url(QueueName=queue.rsplit("/", 1)[-1])["QueueUrl"].endswith("/EventDeadLetterQueue")
    sent = client.send_message(QueueUrl=queue, MessageBody="Привіт")["MessageId"]
    (received,) = client.receive_message(QueueUrl=queue)["Messages"]
    assert (received["MessageId"], received["Body"]) == (sent, "Привіт")
    client.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])


def test_state_machines_are_listed_and_run(through):
    client, role = through("stepfunctions"), "arn:aws:iam::123456789012:role/any"
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    arn = client.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    assert arn in [machine["stateMachineArn"] for machine in client.list_state_machines()["stateMachines"]]
    run = client.start_execution(stateMachineArn=arn, input='{"a": 1}')["executionArn"]
    status = probe.wait_until(lambda: (found := client.describe_execution(executionArn=run)).get("output") and found)
    assert (status["status"], status["output"]) == ("SUCCEEDED", '{"a": 1}')


@pytest.mark.parametrize(
    ("service", "operation"),
    [("sts", "get_caller_identity"), ("events", "list_rules"), ("cloudfront", "list_distributions")],
)
def test_other_services_are_refused_in_words_that_their_clients_understand(through, service, operation):
    with pytest.raises(ClientError, match="only dynamodb, kms, s3, sqs, states") as refused:
        getattr(through(service), operation)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/aws"), ("GET", "/aws/"), ("POST", "/aws/"), ("POST", "/aws/resources")]
)
def test_what_is_not_signed_is_refused(cloud, method, path):
    assert httpx.request(method, f"{cloud.url}{path}").status_code == 403


def test_only_this_machine_is_answered():
    door = AwsDoor(read_template(probe.TEMPLATE, {}))
    for address, status in (("127.0.0.1", 200), ("::1", 200), ("192.168.1.5", 403)):
        environ = EnvironBuilder("/aws/resources", environ_overrides={"REMOTE_ADDR": address}).get_environ()
        assert door.respond(Request(environ)).status_code == status


def test_another_services_application_gets_the_request_with_its_body_and_a_function_only_what_it_may(cloud):
    got = []

    def telephony(environ, start_response):
        request = Request(environ)
        got.append((request.path, request.get_data()))
        return Response("{}", 200, content_type="application/json")(environ, start_response)

    door = AwsDoor(cloud.template, {"connect": telephony}, permissions=Permissions(cloud.template))
    asked = {"InstanceId": INSTANCE_ID, "ContactId": "1" * 36}
    for function, status in (("FinishCallFunction", 200), ("MessagelistFunction", 400)):
        scope = f"{function}/20261123/eu-central-1/connect/aws4_request"
        headers = [("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0")]
        environ = EnvironBuilder("/aws/contact/stop", method="POST", json=asked, headers=headers).get_environ()
        environ["REMOTE_ADDR"] = "127.0.0.1"
        answer = door.respond(Request(environ))
        assert answer.status_code == status, answer.get_data(as_text=True)
        assert ("connect:StopContact" in answer.get_data(as_text=True)) == (status == 400)
    assert [(path, json.loads(body)) for path, body in got] == [("/contact/stop", asked)]
