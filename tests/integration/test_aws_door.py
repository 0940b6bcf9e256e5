"""AWS clients of another process: through the door, they get what the clients of this one get."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree as ET

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from local.cloud.aws_endpoint import CONTAINERS_NAME, AwsDoor
from local.cloud.bucket_cors import BucketCors
from local.cloud.laptop_cloud import Cloud
from local.cloud.moto_patches import dynamodb
from local.cloud.permissions import Permissions
from local.cloud.providers.connect import INSTANCE_ID
from local.cloud.template import read_template
from local.common.http_server import HttpServer
from tests.kit.laptop import probe

OWN_DOMAIN = {
    "DomainName": "calls.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
}


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
        aws_secret_access_key="local",
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
    assert head["ContentLength"] == len(content)
    assert head["ContentType"] == "audio/wav"
    assert head["Metadata"] == {"who": "me"}
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
    assert received["MessageId"] == sent
    assert received["Body"] == "Привіт"
    client.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])


def test_state_machines_are_listed_and_run(through):
    client, role = through("stepfunctions"), "arn:aws:iam::123456789012:role/any"
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    arn = client.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    assert arn in [machine["stateMachineArn"] for machine in client.list_state_machines()["stateMachines"]]
    run = client.start_execution(stateMachineArn=arn, input='{"a": 1}')["executionArn"]
    status = probe.wait_until(lambda: (found := client.describe_execution(executionArn=run)).get("output") and found)
    assert status["status"] == "SUCCEEDED"
    assert status["output"] == '{"a": 1}'


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


# ----------------------------------------------------------------- signatures
def signed(
    method, url, body=b"", service="s3", access_key="any", secret="local", at=None, content_type=None, **headers
):
    """The headers of a request as AWS's own SDK signs it."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type:
        given["Content-Type"] = content_type
    request = AWSRequest(method, url, given, body)
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(access_key, secret), service, "eu-central-1")
    auth.add_auth(request)
    return {**dict(request.headers.items()), "Host": url.split("/")[2]}


@pytest.mark.parametrize("service", ["dynamodb", "kms", "s3", "sqs", "stepfunctions"])
def test_another_secret_opens_nothing(cloud, service):
    client = boto3.Session().client(
        service,
        region_name="eu-central-1",
        endpoint_url=f"{cloud.url}/aws",
        aws_access_key_id="local",
        aws_secret_access_key="guessed",
        config=Config(retries={"total_max_attempts": 1}),
    )
    calls = {"dynamodb": "list_tables", "kms": "list_keys", "s3": "list_buckets", "sqs": "list_queues"}
    with pytest.raises(ClientError, match="signature we calculated does not match") as refused:
        getattr(client, calls.get(service, "list_state_machines"))()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_a_signature_holds_for_the_request_that_was_signed(cloud, names):
    url = f"{cloud.url}/aws/{names['PromptsBucket']}"
    headers = signed("PUT", f"{url}/a", b"audio")
    assert httpx.put(f"{url}/a", content=b"audio", headers=headers).status_code == 200
    assert httpx.put(f"{url}/a", content=b"other", headers=headers).status_code == 403
    assert httpx.put(f"{url}/b", content=b"audio", headers=headers).status_code == 403
    assert httpx.put(f"{url}/a?acl", content=b"audio", headers=headers).status_code == 403
    assert httpx.request("DELETE", f"{url}/a", content=b"audio", headers=headers).status_code == 403
    assert httpx.put(f"{url}/a", content=b"audio", headers={**headers, "x-amz-acl": "public-read"}).status_code == 403
    without = {name: value for name, value in headers.items() if name != "X-Amz-Content-SHA256"}
    assert httpx.put(f"{url}/a", content=b"audio", headers=without).status_code == 403
    assert httpx.get(f"{url}/a", headers=signed("GET", f"{url}/a")).content == b"audio"


def test_a_signature_is_good_for_a_quarter_of_an_hour(cloud):
    now = datetime.now(UTC)
    url = "http://127.0.0.1/aws/bucket?location"
    headers = signed("GET", url)
    for moved, code in ((14, b"NoSuchBucket"), (-14, b"NoSuchBucket"), (16, b"RequestTimeTooSkewed")):
        door = AwsDoor(cloud.template, now=partial(datetime.__add__, now, timedelta(minutes=moved)))
        assert code in asked_at(door, url, headers=headers).get_data()


def asked_at(door, url, method="GET", body=b"", headers=()):
    """What a door answers to a request from this machine."""
    path = url.partition("127.0.0.1")[2]
    environ = EnvironBuilder(path, "http://127.0.0.1", method=method, data=body, headers=dict(headers)).get_environ()
    return door.respond(Request({**environ, "REMOTE_ADDR": "127.0.0.1", "REQUEST_URI": path}))


def test_containers_ask_by_their_name_of_this_machine_and_name_buckets_before_it(cloud, names):
    server = HttpServer(AwsDoor(cloud.template), names=(CONTAINERS_NAME,))
    server.start()
    named = f"{names['PromptsBucket']}.{CONTAINERS_NAME}:{server.port}"
    there = f"{server.url}/aws/prompts/a%20b"
    try:
        headers = signed("PUT", f"http://{named}/aws/prompts/a%20b", b"audio")
        assert httpx.put(there, content=b"audio", headers=headers).status_code == 200
        assert httpx.put(there, content=b"audio", headers={**headers, "Host": f"evil.{named}"}).status_code == 403
        assert httpx.put(there, content=b"audio", headers={**headers, "Host": "evil.example"}).status_code == 421
    finally:
        server.stop()
    assert boto3.client("s3").get_object(Bucket=names["PromptsBucket"], Key="prompts/a b")["Body"].read() == b"audio"


@pytest.mark.parametrize(
    ("service", "target", "body"),
    [
        ("dynamodb", "DynamoDB_20120810.Scan", b'{"TableName":'),
        ("dynamodb", "DynamoDB_20120810.Dance", b"{}"),
        ("dynamodb", "x", b"{}"),
        ("sqs", "AmazonSQS.CreateQueue", b"{}"),
        ("kms", "TrentService.ScheduleKeyDeletion", b"{}"),
        ("states", "AWSStepFunctions.Dance", b"{}"),
    ],
)
def test_what_is_signed_and_malformed_is_the_clients_mistake(cloud, service, target, body):
    url = f"{cloud.url}/aws/"
    headers = {"X_Amz_Target": target, "content_type": "application/x-amz-json-1.0"}
    answer = httpx.post(url, content=body, headers=signed("POST", url, body, service, **headers))
    assert answer.status_code == 400
    assert answer.json()["__type"] == "ValidationException"


# ------------------------------------------------- a URL that was signed beforehand
@pytest.fixture
def upload(through, names):
    """A URL for a file of five bytes, as customers get it."""
    given = {"Bucket": names["PromptsBucket"], "Key": "uploads/a+b/ü", "ContentLength": 5}
    return through("s3").generate_presigned_url("put_object", Params=given, ExpiresIn=60)


def test_a_file_of_the_size_that_was_agreed_is_taken(upload, through, names):
    assert httpx.put(upload, content=b"audio").status_code == 200
    assert through("s3").get_object(Bucket=names["PromptsBucket"], Key="uploads/a+b/ü")["Body"].read() == b"audio"


def altered(url, name, make):
    parts = urlsplit(url)
    query = [(key, make(value) if key == name else value) for key, value in parse_qsl(parts.query)]
    return parts._replace(query=urlencode(query)).geturl()


@pytest.mark.parametrize(
    ("alter", "content", "status", "code"),
    [
        (lambda url: url, b"audio and more", 403, "SignatureDoesNotMatch"),
        (lambda url: url, b"", 403, "SignatureDoesNotMatch"),
        (lambda url: url, iter([b"audio"]), 501, "NotImplemented"),
        (lambda url: altered(url, "X-Amz-Signature", lambda _: "0" * 64), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-Signature", lambda _: ""), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-Signature", lambda _: "\u00e4\u6f22"), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-SignedHeaders", lambda h: f"{h};\u00e4"), b"audio", 403, None),
        (lambda url: altered(url, "X-Amz-Signature", lambda s: s.upper()), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-Credential", lambda c: f"x{c}"), b"audio", 403, None),
        (lambda url: altered(url, "X-Amz-SignedHeaders", lambda _: "host"), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-SignedHeaders", lambda _: ""), b"audio", 403, "AccessDenied"),
        (lambda url: altered(url, "X-Amz-Date", lambda _: "20200101T000000Z"), b"audio", 403, "AccessDenied"),
        (lambda url: altered(url, "X-Amz-Date", lambda _: "20209999T000000Z"), b"audio", 400, None),
        (lambda url: altered(url, "X-Amz-Date", lambda at: f"{at[:13]}99Z"), b"audio", 400, None),
        (lambda url: altered(url, "X-Amz-Expires", lambda _: "604800"), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: altered(url, "X-Amz-Expires", lambda _: "604801"), b"audio", 400, None),
        (lambda url: altered(url, "X-Amz-Expires", lambda _: "-1"), b"audio", 400, None),
        (lambda url: altered(url, "X-Amz-Algorithm", lambda _: "AWS4-ECDSA-P256-SHA256"), b"audio", 403, None),
        (lambda url: url.replace("uploads/", "uploads/x"), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: url.replace("uploads/", "prompts/"), b"audio", 403, "SignatureDoesNotMatch"),
        (lambda url: f"{url}&x-id=PutObject", b"audio", 403, "SignatureDoesNotMatch"),
    ],
)
def test_what_s3_would_not_take_is_not_taken(upload, alter, content, status, code):
    answer = httpx.put(alter(upload), content=content)
    assert answer.status_code == status, answer.text
    error = ET.fromstring(answer.content)
    assert error.tag == "Error"
    assert error.findtext("Message")
    assert code in (None, error.findtext("Code"))


def test_a_url_is_good_for_what_was_agreed_and_no_longer(cloud, through, names):
    bucket = names["PromptsBucket"]
    given = {"Bucket": bucket, "Key": "uploads/late", "ContentLength": 5}
    url = through("s3").generate_presigned_url("put_object", Params=given, ExpiresIn=60)
    path, now = url.partition(cloud.url)[2], datetime.now(UTC)
    host = {"Host": cloud.url.removeprefix("http://")}
    for seconds, code in ((59, None), (90, "Request has expired"), (-1000, "Request is not yet valid")):
        door = AwsDoor(cloud.template, now=partial(datetime.__add__, now, timedelta(seconds=seconds)))
        answer = asked_at(door, f"http://127.0.0.1{path}", "PUT", b"audio", host)
        assert answer.status_code == (403 if code else 200)
        assert (code or "") == (code or "")
        assert (code or "").encode() in answer.get_data()


def test_another_method_is_not_what_was_signed(upload):
    for method in ("GET", "DELETE", "POST", "HEAD"):
        assert httpx.request(method, upload, content=b"audio").status_code == 403


def test_a_put_says_how_long_it_is(cloud, upload):
    host, path = upload.removeprefix("http://").split("/", 1)
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), 5) as connection:
        connection.sendall(f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 411 ")


# ------------------------------------------------------------------- pages
def test_a_page_can_ask_for_nothing_although_it_knows_the_secret(cloud, names):
    bucket = f"{cloud.url}/aws/{names['PromptsBucket']}"
    put = signed("PUT", f"{bucket}/kept", b"audio")
    assert httpx.put(f"{bucket}/kept", content=b"audio", headers=put).status_code == 200
    delete = b"<Delete><Object><Key>kept</Key></Object></Delete>"
    auth = S3SigV4QueryAuth(Credentials("any", "local"), "s3", "eu-central-1", 60)
    form = AWSRequest("POST", f"{bucket}?delete")
    auth.add_auth(form)
    for headers in (
        {"Origin": "https://evil.example", "Content-Type": "text/plain"},
        {"Origin": cloud.url, "Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
    ):
        for url in (form.url, f"{bucket}?delete", bucket):
            assert httpx.post(url, content=delete, headers=headers).status_code == 403
    page = {"Origin": "https://evil.example"}
    assert httpx.get(f"{cloud.url}/aws/resources", headers=page).status_code == 403
    assert httpx.post(form.url, content=delete, headers={**signed("POST", form.url, delete), **page}).status_code == 403
    assert httpx.get(f"{bucket}/kept", headers=signed("GET", f"{bucket}/kept")).content == b"audio"


def test_a_page_of_the_service_puts_a_file_by_a_signed_url_as_the_buckets_cors_lets_it(cloud, names):
    where = f"{cloud.url}/aws/{names['PromptsBucket']}/uploads/large"
    asked = AWSRequest("PUT", where)
    S3SigV4QueryAuth(Credentials("any", "local"), "s3", "eu-central-1", 60).add_auth(asked)
    localhost = cloud.url.replace("127.0.0.1", "localhost")
    preflight = {"Access-Control-Request-Method": "PUT"}
    # Given the origins by which the console may be open: asked beforehand, then sent
    for origin in (cloud.url, localhost):
        may = httpx.request("OPTIONS", asked.url, headers={"Origin": origin, **preflight})
        assert (may.status_code, may.headers["access-control-allow-origin"]) == (200, origin)
        sent = httpx.put(asked.url, content=b"audio", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, origin)
    # Then no other page may, and these nothing else: other headers and methods, reading, a header that is signed
    for method, url, headers in (
        ("OPTIONS", asked.url, {"Origin": localhost, **preflight, "Access-Control-Request-Headers": "content-type"}),
        ("OPTIONS", asked.url, {"Origin": localhost, "Access-Control-Request-Method": "DELETE"}),
        ("OPTIONS", asked.url, {"Origin": "http://localhost:1", **preflight}),
        ("OPTIONS", asked.url.replace(names["PromptsBucket"], "other"), {"Origin": localhost, **preflight}),
        ("PUT", asked.url, {"Origin": localhost, "Content-Type": "audio/mpeg"}),
        ("PUT", asked.url, {"Sec-Fetch-Site": "same-origin"}),
        ("PUT", where, {"Origin": localhost}),
        ("PUT", where, {"Origin": localhost, **signed("PUT", where, b"")}),
        ("GET", where, {"Origin": localhost}),
    ):
        answer = httpx.request(method, url, headers=headers)
        assert answer.status_code == 403, (method, headers)
        given = answer.headers.get("access-control-allow-origin")
        assert given is None or method == "PUT", (method, headers)
    # And in AWS: pages of other sites may not, those of an API's own name may
    for parameters, origin, lets_in in (
        ({}, "https://a1b2.execute-api.eu-central-1.amazonaws.com", True),
        ({}, "https://evil.example", False),
        ({}, "https://evil.example/.execute-api.eu-central-1.amazonaws.com", True),  # no browser sends such an origin
        ({}, "http://a1b2.execute-api.eu-central-1.amazonaws.com", False),
        (OWN_DOMAIN, "https://calls.example.com", True),
        (OWN_DOMAIN, "https://a1b2.execute-api.eu-central-1.amazonaws.com", False),
    ):
        cors = BucketCors(cloud.template.with_parameters(**parameters))
        sent_with = [("Origin", origin), *preflight.items()]
        request = Request(EnvironBuilder(method="OPTIONS", headers=sent_with).get_environ())
        assert cors.lets_in(request, names["PromptsBucket"]) is lets_in, origin


def test_another_services_application_gets_the_request_with_its_body_and_a_function_only_what_it_may(cloud):
    got = []

    def telephony(environ, start_response):
        request = Request(environ)
        got.append((request.path, request.get_data()))
        return Response("{}", 200, content_type="application/json")(environ, start_response)

    door = AwsDoor(cloud.template, {"connect": telephony}, permissions=Permissions(cloud.template))
    asked = {"InstanceId": INSTANCE_ID, "ContactId": "1" * 36}
    for function, status in (("FinishCallFunction", 200), ("MessagelistFunction", 400)):
        body = json.dumps(asked).encode()
        url = "http://127.0.0.1/aws/contact/stop"
        headers = signed("POST", url, body, "connect", access_key=function, content_type="application/json")
        answer = asked_at(door, url, "POST", body, headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        assert ("connect:StopContact" in answer.get_data(as_text=True)) == (status == 400)
    assert [(path, json.loads(body)) for path, body in got] == [("/contact/stop", asked)]
