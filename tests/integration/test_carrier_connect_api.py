"""Amazon Connect's API as the simulator speaks it: what is accepted, what is refused and how errors look to boto3."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from local.network.shared.faults import Faults
from local.network.shared.quota import Quota
from local.network.shared.scripted_callees import Script, answer, busy, hang_up
from tests.kit.carrier_bench import ARN, CALLER_ID, FLOW_ID, INSTANCE, NUMBER, WAIT, Bench, ask, bench

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=testing/20260110/eu-central-1/connect/aws4_request, SignedHeaders=host, Signature=0"
)


@pytest.fixture(scope="module")
def strict() -> Iterator[Bench]:
    """A carrier that takes one caller ID and calls one country; no call is ever placed on it."""
    with bench(allowed_prefixes=("+380",), claimed_numbers=(CALLER_ID,)) as b:
        yield b


def refusal(call: Any, *args: Any, **kwargs: Any) -> tuple[str, int]:
    """The code and status of the error that the call gets."""
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    response: Any = refused.value.response
    assert response["Error"]["Message"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def on_the_wire(
    b: Bench, body: Any, authorization: str = SIGNED, path: str = "/contact/outbound-voice"
) -> httpx.Response:
    """A request as no SDK would make it."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.put(b.url + path, content=content, headers={"Authorization": authorization}, trust_env=False)


def request(**changes: Any) -> dict[str, Any]:
    given = {"InstanceId": INSTANCE, "ContactFlowId": FLOW_ID, "DestinationPhoneNumber": NUMBER}
    return {key: v for key, v in {**given, "SourcePhoneNumber": CALLER_ID, **changes}.items() if v is not None}


def test_a_contact_is_described() -> None:
    with bench() as b:
        contact_id = b.dial()
        contact = b.describe(contact_id)
        assert contact["Arn"] == f"{ARN}/contact/{contact_id}"
        assert contact["Id"] == contact_id
        assert contact["InitialContactId"] == contact_id
        assert contact["InitiationMethod"] == "API"
        assert contact["Channel"] == "VOICE"
        assert contact["Attributes"] == {"mid": "7748021", "attempt": "1"}
        assert contact["CustomerEndpoint"] == {"Type": "TELEPHONE_NUMBER", "Address": NUMBER}
        assert contact["SystemEndpoint"] == {"Type": "TELEPHONE_NUMBER", "Address": CALLER_ID}
        assert not {"ConnectedToSystemTimestamp", "DisconnectTimestamp", "DisconnectReason"} & set(contact)


def test_a_client_token_starts_one_contact_only() -> None:
    with bench([], Script([busy()])) as b:
        first = b.dial(ClientToken="7748021-1")
        b.ended(first)
        assert b.dial(ClientToken="7748021-1") == first
        assert b.dial(ClientToken="7748021-2") != first
        assert b.kinds().count("dialled") == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"InstanceId": "another"}, ("ResourceNotFoundException", 404)),
        ({"ContactFlowId": "another"}, ("ResourceNotFoundException", 404)),
        ({"QueueId": "a-queue"}, ("ResourceNotFoundException", 404)),
        ({"SourcePhoneNumber": "4930123456"}, ("InvalidParameterException", 400)),
        ({"SourcePhoneNumber": "+4930999999"}, ("InvalidParameterException", 400)),
        ({"DestinationPhoneNumber": "380936670003"}, ("InvalidParameterException", 400)),
        ({"DestinationPhoneNumber": "+0380936670003"}, ("InvalidParameterException", 400)),
        ({"DestinationPhoneNumber": "+3809366700031234"}, ("InvalidParameterException", 400)),
        ({"DestinationPhoneNumber": "+15551234567"}, ("DestinationNotAllowedException", 403)),
        ({"RingTimeoutInSeconds": 61}, ("InvalidParameterException", 400)),
        ({"Attributes": {"not allowed": "1"}}, ("InvalidParameterException", 400)),
        ({"Attributes": {"a": "x" * 20_000, "b": "x" * 20_000}}, ("InvalidParameterException", 400)),
        ({"TrafficType": "CAMPAIGN"}, ("InvalidRequestException", 400)),
        ({"TrafficType": "BULK"}, ("InvalidParameterException", 400)),
        ({"ClientToken": "x" * 501}, ("InvalidParameterException", 400)),
    ],
)
def test_what_the_service_would_refuse(strict: Bench, changes: dict[str, Any], code: tuple[str, int]) -> None:
    assert refusal(strict.dial, **changes) == code
    assert strict.kinds() == []


@pytest.mark.parametrize("seconds", [15, 60])
def test_ring_timeouts_within_bounds_are_accepted(seconds: int) -> None:
    with bench(ring_timeout_needs_campaign=False) as b:
        assert b.dial(RingTimeoutInSeconds=seconds)


def test_a_ring_timeout_is_for_campaigns(strict: Bench) -> None:
    assert refusal(strict.dial, RingTimeoutInSeconds=45) == ("InvalidRequestException", 400)
    assert strict.kinds() == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "InvalidRequestException"),
        (b"[]", "InvalidRequestException"),
        (request(RingTimeout=20), "InvalidRequestException"),
        (request(RingTimeoutInSeconds="20"), "InvalidRequestException"),
        (request(RingTimeoutInSeconds=14), "InvalidRequestException"),
        (request(Attributes={"mid": 7748021}), "InvalidRequestException"),
        (request(DestinationPhoneNumber=None), "InvalidRequestException"),
        (request(SourcePhoneNumber=None), "InvalidRequestException"),
    ],
)
def test_requests_that_no_sdk_sends_are_refused(strict: Bench, body: Any, code: str) -> None:
    response = on_the_wire(strict, body)
    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == code
    assert response.json()["Message"]


def test_requests_must_be_signed_for_this_service() -> None:
    with bench() as b:
        for authorization in ("Basic x", SIGNED.replace("connect", "s3"), SIGNED.replace("eu-central-1", "us-east-1")):
            assert on_the_wire(b, request(), authorization).status_code == 403
        assert on_the_wire(b, request()).status_code == 200
        assert on_the_wire(b, request(), path="/contact/outbound-fax").status_code == 404


def test_stopping_and_looking_up_contacts_that_are_not_there() -> None:
    with bench([ask(1)], Script([answer(after=0)])) as b:
        unknown = {"ContactId": "no-such", "InstanceId": INSTANCE}
        assert refusal(b.connect.stop_contact, **unknown) == ("ContactNotFoundException", 410)
        assert refusal(b.connect.describe_contact, **unknown) == ("ResourceNotFoundException", 404)
        contact_id = b.dial()
        b.connect.stop_contact(ContactId=contact_id, InstanceId=INSTANCE)
        elsewhere = {"ContactId": contact_id, "InstanceId": "another"}
        assert refusal(b.connect.describe_contact, **elsewhere) == ("ResourceNotFoundException", 404)
        again = {"ContactId": contact_id, "InstanceId": INSTANCE}
        assert refusal(b.connect.stop_contact, **again) == ("ContactNotFoundException", 410)


def test_quotas() -> None:
    with bench(concurrent_calls=1) as b:
        contact_id = b.dial()
        assert refusal(b.dial) == ("LimitExceededException", 429)
        b.connect.stop_contact(ContactId=contact_id, InstanceId=INSTANCE)
        assert b.dial()
    with bench(quotas={"StartOutboundVoiceContact": Quota(0.001, 2), "DescribeContact": Quota(0.001, 3)}) as b:
        contact_id = b.dial()
        assert b.dial() != contact_id
        assert refusal(b.dial) == ("TooManyRequestsException", 429)
        for _ in range(3):
            b.describe(contact_id)
        assert refusal(b.describe, contact_id) == ("TooManyRequestsException", 429)
        b.connect.stop_contact(ContactId=contact_id, InstanceId=INSTANCE)


def test_a_quota_fills_again() -> None:
    with bench(quotas={"StartOutboundVoiceContact": Quota(1000, 1)}) as b:
        assert len({b.dial() for _ in range(3)}) == 3


def test_a_request_may_be_done_or_not_when_it_is_answered_500() -> None:
    with bench(faults=Faults(requests_failed=1.0)) as b:
        assert refusal(b.dial) == ("InternalServiceException", 500)
        assert b.kinds() == []
    with bench(faults=Faults(requests_lost=1.0)) as b:
        assert refusal(b.dial, ClientToken="1-1") == ("InternalServiceException", 500)
        assert refusal(b.dial, ClientToken="1-1") == ("InternalServiceException", 500)
        assert b.kinds().count("dialled") == 1


def test_the_record_of_a_contact_may_lag_behind_its_events() -> None:
    with bench(faults=Faults(record_lag_seconds=3600)) as b:
        contact_id = b.dial()
        phone = b.phone(contact_id)
        assert phone.wait_until_ringing(WAIT)
        assert phone.reject()
        contact = b.ended(contact_id)
        assert not {"DisconnectTimestamp", "DisconnectReason"} & set(contact)
        assert contact["Attributes"] == {"mid": "7748021", "attempt": "1"}


def test_why_a_contact_ended_may_be_shown_later_than_that_it_has() -> None:
    with bench(faults=Faults(reason_lag_seconds=3600)) as b:
        contact_id = b.dial()
        phone = b.phone(contact_id)
        assert phone.wait_until_ringing(WAIT)
        assert phone.reject()
        contact = b.ended(contact_id)
        assert "DisconnectTimestamp" in contact
        assert "DisconnectReason" not in contact


def test_answers_have_only_members_that_the_service_describes() -> None:
    with bench([ask(1)], Script([answer(after=0), hang_up()])) as b:
        operation: Any = b.connect.meta.service_model.operation_model("DescribeContact")
        described = operation.output_shape.members["Contact"]
        contact_id = b.dial()
        b.ended(contact_id)
        headers = {"Authorization": SIGNED}
        on_the_wire_answer = httpx.get(f"{b.url}/contacts/{INSTANCE}/{contact_id}", headers=headers, trust_env=False)
        contact = on_the_wire_answer.json()["Contact"]
        assert set(contact) <= set(described.members)
        assert {"Attributes", "ConnectedToSystemTimestamp", "DisconnectTimestamp", "DisconnectReason"} <= set(contact)


def test_a_service_in_trouble() -> None:
    with bench() as b:
        b.carrier.api.fail("StartOutboundVoiceContact", "InternalServiceException", times=2)
        assert refusal(b.dial) == ("InternalServiceException", 500)
        assert refusal(b.dial) == ("InternalServiceException", 500)
        assert b.dial()
