"""The cloud as a whole: it starts, tells what happens, stops, and leaves nothing behind."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import boto3
import httpx
import pytest

from local.cloud.laptop_cloud import Cloud, CloudSettings, PortTaken
from local.cloud.seed import PASSWORD, USER
from local.common.http_server import HttpServer

MESSAGE = {
    "from": "Shop",
    "to": "+380671234567",
    "text": "ivr",
    "type": "speechcall",
    "menu": [{"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}],
}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def test_it_stops_promptly_and_leaves_nothing_behind() -> None:
    threads, variables = set(threading.enumerate()), dict(os.environ)
    with httpx.Client() as client:
        with Cloud() as cloud:
            client.get(f"{cloud.url}/phone")
            began = time.monotonic()
        assert time.monotonic() - began < 2
    assert [thread.name for thread in set(threading.enumerate()) - threads] == []
    assert dict(os.environ) == variables
    with pytest.raises(httpx.TransportError):
        httpx.get(cloud.url)


def test_a_message_is_accepted_and_its_way_is_in_the_journal(cloud: Cloud) -> None:
    answer = httpx.post(f"{cloud.url}/bat/messagelist", json={"messages": [MESSAGE]}, auth=(USER, PASSWORD))
    (message,) = answer.json()["messages"]
    accepted = cloud.journal.wait_for(lambda entry: entry["kind"] == "accepted", 5)
    assert accepted["mid"] == message["messageId"]
    assert accepted["recipient"] == "+380671234567"
    for state in ("preparing", "queued", "calling"):
        cloud.journal.wait_for(lambda entry, state=state: entry.get("state") == state, 10)  # type: ignore[misc]
    cloud.journal.wait_for(lambda entry: entry["kind"] == "dialled", 10)
    assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []


def test_the_api_answers_as_api_gateway_does_and_the_page_is_beside_it(cloud: Cloud) -> None:
    assert httpx.get(f"{cloud.url}/nothing").json() == {"message": "Not Found"}
    page = httpx.get(f"{cloud.url}/phone", follow_redirects=True)
    assert page.status_code == 200
    assert "html" in page.headers["content-type"]


def test_connect_is_the_carrier(cloud: Cloud) -> None:
    client = boto3.client("connect")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_contact(InstanceId=cloud.template.parameters["ConnectInstanceArn"].split("/")[1], ContactId="0")


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(PortTaken, match=f"^Port {port} is taken; choose another with PORT=…$"),
            Cloud(CloudSettings(port=port)),
        ):
            pass


def test_a_connection_serves_many_requests() -> None:
    def app(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])  # type: ignore[operator]
        return [threading.current_thread().name.encode()[-2:]]

    server = HttpServer(app)
    server.start()
    with httpx.Client() as client:
        threads = {client.get(server.url).content for _ in range(5)}
    server.stop()
    assert len(threads) == 1
