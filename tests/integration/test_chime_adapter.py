"""The Chime SDK behind its port: requests as a real client sends them, failures as they come back."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from local.network.chime.settings import CREATE, UPDATE
from local.network.shared.quota import Quota
from local.network.shared.scripted_callees import Script, answer
from speechcall.shared.rules.errors import (
    DestinationRefused,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from speechcall.telephony.chime.client import CLIENT_CONFIG, ChimeTelephony
from tests.kit.chime_bench import APPLICATION, CALLER_ID, NUMBER, WAIT, Bench, answer_of, bench, pause
from tests.kit.samples import CALL, MID

TRANSACTION = "3a6f0c1e-7b52-4d3b-9f43-2c8d51e0a7b4"
SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260110/eu-central-1/chime/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.Session("testing", "testing", region_name="eu-central-1").client(
        "chime-sdk-voice", config=CLIENT_CONFIG
    )
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def telephony(stub: Stubber) -> ChimeTelephony:
    return ChimeTelephony(lambda: stub.client, APPLICATION, CALLER_ID)


@pytest.fixture(scope="module")
def strict() -> Iterator[Bench]:
    """An application that has one number; no call is ever placed on it."""
    with bench(owned_numbers=(CALLER_ID,)) as b:
        yield b


def test_a_call_is_placed_and_knows_whose_it_is():
    with bench() as b:
        contact_id = b.telephony.place(CALL, 45)
        phone = b.phone(contact_id)
        assert phone.number == CALL.number
        assert phone.caller_id == CALLER_ID
        assert phone.mid == MID
        b.heard("NEW_OUTBOUND_CALL")
        arguments = b.function.events[0]["ActionData"]["Parameters"]["Arguments"]
        assert arguments == {"mid": MID, "attempt": "1"}
        # A repeat is another call: that is why nobody repeats
        assert b.telephony.place(CALL, 45) != contact_id
        sender = b.telephony.place(CALL._replace(caller_id="+12065550199"), 45)
        assert b.phone(sender).caller_id == "+12065550199"


def test_a_call_is_looked_up_and_stopped_by_updates_until_it_is_over():
    with bench([lambda _: answer_of(pause(30_000))] * 9, Script([answer(after=0)])) as b:
        contact_id = b.telephony.place(CALL, 45)
        b.heard("CALL_ANSWERED")
        assert not b.telephony.look_up(contact_id).ended
        b.telephony.stop(contact_id)
        b.heard("CALL_UPDATE_REQUESTED", 2)
        commands = [event["ActionData"]["Parameters"]["Arguments"] for event in b.function.of("CALL_UPDATE_REQUESTED")]
        assert sorted(map(str, commands)) == ["{'command': 'hang_up'}", "{'command': 'look_up'}"]
        b.phone(contact_id).hang_up()
        assert b.phone(contact_id).wait_until_ended(WAIT)
        found = b.telephony.look_up(contact_id)
        assert found.ended is True
        assert found.cause is None
        assert found.attributes == {}
        b.telephony.stop(contact_id)


@pytest.mark.parametrize(
    ("code", "status", "error", "maybe_done"),
    [
        ("ThrottledClientException", 429, TelephonyThrottled, None),
        ("ResourceLimitExceededException", 400, TelephonyThrottled, None),
        ("ServiceFailureException", 500, TelephonyUnavailable, True),
        ("ServiceUnavailableException", 503, TelephonyUnavailable, True),
        ("ForbiddenException", 403, TelephonyMisconfigured, None),
        ("AccessDeniedException", 403, TelephonyMisconfigured, None),
        ("UnauthorizedClientException", 401, TelephonyMisconfigured, None),
        ("BadRequestException", 400, TelephonyMisconfigured, None),
    ],
)
def test_what_the_provider_says_when_a_call_is_not_placed(stub, telephony, code, status, error, maybe_done):
    stub.add_client_error("create_sip_media_application_call", code, http_status_code=status)
    with pytest.raises(error) as raised:
        telephony.place(CALL, 45)
    assert getattr(raised.value, "maybe_done", None) is maybe_done
    assert CALL.number not in str(raised.value)
    stub.add_client_error("update_sip_media_application_call", code, http_status_code=status)
    with pytest.raises(error) as raised:
        telephony.stop(TRANSACTION)
    assert not getattr(raised.value, "maybe_done", False)


def test_a_number_that_can_never_be_called_is_refused(stub, telephony):
    message = "1 validation error detected: Value at 'toPhoneNumber' failed to satisfy constraint"
    stub.add_client_error("create_sip_media_application_call", "BadRequestException", message, http_status_code=400)
    with pytest.raises(DestinationRefused, match="invalidNumber"):
        telephony.place(CALL, 45)


@pytest.mark.parametrize(
    ("failure", "maybe_done"),
    [
        (ReadTimeoutError(endpoint_url="https://voice-chime"), True),
        (ConnectTimeoutError(endpoint_url="https://voice-chime"), False),
        (EndpointConnectionError(endpoint_url="https://voice-chime"), False),
    ],
)
def test_whether_a_call_may_have_been_placed_all_the_same(monkeypatch, stub, telephony, failure, maybe_done):
    def make_api_call(*_):
        raise failure

    monkeypatch.setattr(type(stub.client), "_make_api_call", make_api_call)
    with pytest.raises(TelephonyUnavailable) as raised:
        telephony.place(CALL, 45)
    assert raised.value.maybe_done is maybe_done
    with pytest.raises(TelephonyUnavailable) as raised:
        telephony.look_up(TRANSACTION)
    assert not raised.value.maybe_done


def test_settings_that_no_request_can_be_made_of_are_said(strict):
    with pytest.raises(TelephonyMisconfigured):
        ChimeTelephony(lambda: strict.client, APPLICATION, None).place(CALL, 45)


@pytest.mark.parametrize("code", ["ServiceFailureException", "ThrottledClientException"])
def test_a_request_is_sent_once(code):
    with bench() as b:
        b.carrier.api.fail(CREATE, code, after_doing=True)
        with pytest.raises((TelephonyUnavailable, TelephonyThrottled)):
            b.telephony.place(CALL, 45)
        assert len(b.carrier.contacts.live()) == 1


# ------------------------------------------------------------ the simulated API
def refusal(call: Any, *args: Any, **kwargs: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    response: Any = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    "changes",
    [
        {"SipMediaApplicationId": "another"},
        {"FromPhoneNumber": "+12065550101"},
        {"ToPhoneNumber": "+0380936670003"},
        {"ToPhoneNumber": "+38093667000312345"},
        {"ArgumentsMap": {f"a{n}": "x" for n in range(21)}},
    ],
)
def test_what_the_service_would_refuse(strict, changes):
    assert refusal(strict.dial, **changes) == ("BadRequestException", 400)
    assert strict.kinds() == []


@pytest.mark.parametrize(
    ("body", "authorization", "code"),
    [
        (b"{", SIGNED, "BadRequestException"),
        ({"FromPhoneNumber": CALLER_ID, "ToPhoneNumber": NUMBER, "ClientToken": "1"}, SIGNED, "BadRequestException"),
        ({"FromPhoneNumber": CALLER_ID}, SIGNED, "BadRequestException"),
        (
            {"FromPhoneNumber": CALLER_ID, "ToPhoneNumber": NUMBER, "ArgumentsMap": {"a": 1}},
            SIGNED,
            "BadRequestException",
        ),
        ({}, SIGNED.replace("/chime/", "/connect/"), "MissingAuthenticationTokenException"),
    ],
)
def test_requests_that_no_sdk_would_send(strict, body, authorization, code):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{strict.url}/sip-media-applications/{APPLICATION}/calls"
    refused = httpx.post(url, content=content, headers={"Authorization": authorization}, trust_env=False)
    assert refused.headers["x-amzn-errortype"] == code
    assert refused.status_code >= 400


def test_updates_of_calls_that_are_not_there_are_refused(strict):
    given = {"SipMediaApplicationId": APPLICATION, "TransactionId": TRANSACTION, "Arguments": {}}
    assert refusal(strict.client.update_sip_media_application_call, **given) == ("NotFoundException", 404)
    assert UPDATE == "UpdateSipMediaApplicationCall"


def test_the_quotas():
    with bench(quotas={CREATE: Quota(0.001, 1), UPDATE: Quota(0.001, 5)}, concurrent_calls=1) as b:
        contact_id = b.dial()
        assert refusal(b.dial) == ("ThrottledClientException", 429)
        for _ in range(5):
            assert not b.telephony.look_up(contact_id).ended
        with pytest.raises(TelephonyThrottled):
            b.telephony.look_up(contact_id)
    with bench(concurrent_calls=1) as b:
        b.dial()
        assert refusal(b.dial) == ("ResourceLimitExceededException", 400)
