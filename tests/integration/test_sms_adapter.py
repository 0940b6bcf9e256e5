"""The client of the service for text messages, against the laptop's: what each answer and each silence means."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from local.common.http_server import HttpServer
from local.common.journal import Journal
from local.network.sms.service import SEND, SmsService
from speechcall.fallbacks.adapters.sms import ONCE_CONFIG, TextMessages
from speechcall.fallbacks.use_cases.fallback_ports import Answer

IDENTITY = "arn:aws:sms-voice:eu-central-1:123456789012:phone-number/phone-1"
NUMBER, MID = "+380671234567", "227633266688000007"


def client(url: str) -> Any:
    return boto3.client(
        "pinpoint-sms-voice-v2",
        region_name="eu-central-1",
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=ONCE_CONFIG,
    )


@contextmanager
def served(application: Any) -> Iterator[TextMessages]:
    server = HttpServer(application, name="sms")
    server.start()
    try:
        yield TextMessages(client(server.url), IDENTITY)
    finally:
        server.stop()


@pytest.fixture
def service() -> SmsService:
    return SmsService("eu-central-1", IDENTITY, Journal())


def test_a_text_is_sent_and_shown(service):
    with served(service.api) as sms:
        assert sms.send(NUMBER, "Зателефонуйте нам €", MID) is Answer.TAKEN
    assert service.sent == [(NUMBER, "Зателефонуйте нам €", {"mid": MID})]


@pytest.mark.parametrize(
    ("code", "is_done", "taken_for"),
    [
        ("InternalServerException", True, Answer.LOST),
        ("InternalServerException", False, Answer.LOST),
        ("ThrottlingException", False, Answer.NOT_NOW),
        ("ServiceQuotaExceededException", False, Answer.REFUSED),
        ("AccessDeniedException", False, Answer.REFUSED),
        ("ValidationException", False, Answer.REFUSED),
        ("ConflictException", False, Answer.REFUSED),
    ],
)
def test_an_error_is_asked_for_once_and_told_apart(service, code, is_done, taken_for):
    service.api.fail(SEND, code, after_doing=is_done)
    with served(service.api) as sms:
        assert sms.send(NUMBER, "a", MID) is taken_for
    assert len(service.sent) == int(is_done)


def test_a_number_that_has_answered_stop_is_no_failure(service):
    service.stop(NUMBER)
    with served(service.api) as sms:
        assert sms.send(NUMBER, "a", MID) is Answer.OPTED_OUT
    assert service.sent == []


@pytest.mark.parametrize(
    "change",
    [
        lambda sms: sms.send("0671234567", "a", MID),
        lambda sms: sms.send(NUMBER, "a" * 1601, MID),
        lambda sms: sms.send(NUMBER, " ", MID),
        lambda sms: TextMessages(sms._client, f"{IDENTITY}0").send(NUMBER, "a", MID),
        lambda sms: TextMessages(sms._client, "a b").send(NUMBER, "a", MID),
    ],
)
def test_what_the_service_would_never_take_is_refused_by_its_own_description(
    service, change: Callable[[TextMessages], Answer]
):
    with served(service.api) as sms:
        assert change(sms) is Answer.REFUSED
    assert service.sent == []


def test_who_hears_nothing_does_not_know_and_asks_once():
    asked = []

    def silent(environ: Any, start_response: Any) -> Any:
        asked.append(environ["REQUEST_METHOD"])
        raise ConnectionAbortedError

    with served(silent) as sms:
        assert sms.send(NUMBER, "a", MID) is Answer.LOST
    assert asked == ["POST"]


def test_a_connection_that_breaks_before_the_answer_may_have_brought_the_text():
    with socket.create_server(("127.0.0.1", 0)) as server:
        sms = TextMessages(client(f"http://127.0.0.1:{server.getsockname()[1]}"), IDENTITY)

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert sms.send(NUMBER, "a", MID) is Answer.LOST
        thread.join()


def test_a_service_that_cannot_be_reached_has_sent_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert TextMessages(client(f"http://127.0.0.1:{port}"), IDENTITY).send(NUMBER, "a", MID) is Answer.NOT_NOW


@pytest.mark.parametrize("kind", ["phone-number/phone-1", "sender-id/SHOP/DE", "pool/pool-1"])
def test_what_it_tells_of_itself_is_what_the_services_description_allows(kind: str) -> None:
    arn = IDENTITY.replace("phone-number/phone-1", kind)
    made = SmsService("eu-central-1", arn, Journal())
    made.origination.rules["UA"] = "BLOCK"
    asked: dict[str, dict[str, Any]] = {
        "DescribePhoneNumbers": {"PhoneNumberIds": [arn]} if kind.startswith("phone") else {},
        "DescribeSenderIds": {"SenderIds": [{"SenderId": "SHOP", "IsoCountryCode": "DE"}]} if "SHOP" in kind else {},
        "DescribePools": {"PoolIds": [arn]} if kind.startswith("pool") else {},
        "DescribeSpendLimits": {},
        "DescribeAccountAttributes": {},
        "GetProtectConfigurationCountryRuleSet": {
            "ProtectConfigurationId": "protect-5eec4ca1",
            "NumberCapability": "SMS",
        },
    }
    server = HttpServer(made.api, name="sms")
    server.start()
    sms = client(server.url)
    try:
        for operation, request in asked.items():
            answer = getattr(sms, xform_name(operation))(**request)
            del answer["ResponseMetadata"]
            report = ParamValidator().validate(answer, sms.meta.service_model.operation_model(operation).output_shape)
            assert not report.has_errors(), report.generate_report()
            assert any(answer.values()) or operation.startswith(("DescribeP", "DescribeSender"))
        with pytest.raises(sms.exceptions.ResourceNotFoundException):
            sms.describe_phone_numbers(PhoneNumberIds=["phone-2"])
    finally:
        server.stop()
