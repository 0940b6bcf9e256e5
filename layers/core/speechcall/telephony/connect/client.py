"""Amazon Connect: placing, stopping and looking up contacts, and what it calls an end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.use_cases.ports import Contact
from speechcall.shared.rules.errors import (
    DestinationRefused,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from speechcall.shared.rules.ids import holder

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

CLIENT_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=8)
"""The state machine tries again itself; the SDK would only hold the function meanwhile."""
DIAL_CONFIG = CLIENT_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""Who dials has to know what each request was told: what a repeat is told says nothing of the request before it."""

_THROTTLES = {"TooManyRequestsException", "LimitExceededException", "ThrottlingException"}
_REFUSALS = {"DestinationNotAllowedException": "destinationNotAllowed"}
"""Of this number. OutboundContactNotPermittedException is not among them: nothing says what it is about, and if it is
the instance that may not call, a whole campaign would be counted as blocked, for good and without an alarm."""
_INVALID = {"InvalidParameterException", "InvalidRequestException"}
_GONE = {"ContactNotFoundException", "ResourceNotFoundException"}

_SAY_NOTHING = {408, 409}
"""A request that took too long, or that is in another's way: it may have been done, or is being done."""

_CAUSES = {
    "TELECOM_BUSY": Cause.BUSY,
    "TELECOM_NUMBER_INVALID": Cause.INVALID_NUMBER,
    "TELECOM_POTENTIAL_BLOCKING": Cause.BLOCKED,
    "OUTBOUND_DESTINATION_ENDPOINT_ERROR": Cause.BLOCKED,
    "OUTBOUND_RESOURCE_ERROR": Cause.FAILED,
    "TELECOM_UNANSWERED": Cause.NO_ANSWER,
    "TELECOM_TIMEOUT": Cause.NO_ANSWER,
    "TELECOM_ORIGINATOR_CANCEL": Cause.NO_ANSWER,
    "TELECOM_PROBLEM": Cause.FAILED,
    "CUSTOMER_DISCONNECT": Cause.CALLER_HUNG_UP,
    "CONTACT_FLOW_DISCONNECT": Cause.HUNG_UP,
}
"""DisconnectReason of voice contacts (administrator guide, "Contact records data model"; the two of OUTBOUND: "Amazon
Connect contact events", "configurations do not allow this destination" and a lack of resources)."""


class ConnectTelephony:
    """A `Telephony` on one Amazon Connect instance."""

    dials_once = has_records = True

    def __init__(
        self,
        client: "Callable[[], ConnectClient]",
        instance_id: str,
        flow_id: str = "",
        caller_id: str = "",
        dialling: "Callable[[], ConnectClient] | None" = None,
        *,
        provider_rings: bool = False,
    ) -> None:
        """`client` makes or gives the boto3 client, `dialling` that for placing calls, which repeats no request.

        `provider_rings`: the instance is told for how long a phone may ring. It may refuse that for traffic that is no
        campaign's, so it is told only where an operator has asked for it.
        """
        self._provider_rings = provider_rings
        self._client, self._dialling, self._instance_id = client, dialling or client, instance_id
        self._flow_id, self._caller_id = flow_id, caller_id

    def place(self, call: Call, ring_timeout_seconds: int) -> str:
        """StartOutboundVoiceContact. The client token is the call attempt: it dials once in 7 days.

        Raises DestinationRefused where the refusal is about the number, and as `Telephony` says.
        """
        ringing: Any = {"RingTimeoutInSeconds": ring_timeout_seconds} if self._provider_rings else {}
        try:
            with _telephony_errors():
                started = self._dialling().start_outbound_voice_contact(
                    InstanceId=self._instance_id,
                    ContactFlowId=self._flow_id,
                    DestinationPhoneNumber=call.number,
                    SourcePhoneNumber=call.caller_id or self._caller_id,
                    **ringing,
                    ClientToken=holder(call.mid, call.attempt),
                    Attributes={"mid": call.mid, "attempt": str(call.attempt)},
                )
        except _Refused as refused:
            reason = _REFUSALS.get(refused.code)
            if refused.code in _INVALID and "destinationphonenumber" in refused.message.lower():
                reason = Cause.INVALID_NUMBER.value
            if reason:
                raise DestinationRefused(reason) from refused
            # A flow, caller ID or instance that is not there, or a right that is missing: whatever the number.
            raise TelephonyMisconfigured(refused.code) from refused
        return started["ContactId"]

    def stop(self, contact_id: str) -> None:
        """StopContact. A contact that is gone already stays so."""
        try:
            with _telephony_errors():
                self._client().stop_contact(ContactId=contact_id, InstanceId=self._instance_id)
        except _Refused as refused:
            if refused.code not in _GONE:
                raise TelephonyMisconfigured(refused.code) from refused

    def look_up(self, contact_id: str) -> Contact:
        """DescribeContact. A contact that is not known counts as ended, `missing`, for a cause that is a guess."""
        try:
            with _telephony_errors():
                found = self._client().describe_contact(InstanceId=self._instance_id, ContactId=contact_id)
        except _Refused as refused:
            if refused.code in _GONE:
                return Contact(contact_id, {}, True, False, Cause.FAILED, cause_is_guess=True, missing=True)
            raise TelephonyMisconfigured(refused.code) from refused
        return to_contact(contact_id, found["Contact"])


def to_contact(contact_id: str, described: Mapping[str, Any]) -> Contact:
    """A contact from DescribeContact's answer. Its cause is None while it is up.

    Of one that has ended the disconnect reason may be missing, for a time or for ever: then the cause is a guess. For a
    reason that is not known here it is STOPPED if somebody had answered, else FAILED.
    """
    ended = _is_set(described.get("DisconnectTimestamp"))
    answered = _is_set(described.get("ConnectedToSystemTimestamp"))
    reason = described.get("DisconnectReason")
    cause = None
    if ended:
        cause = _CAUSES.get(str(reason), Cause.STOPPED if answered else Cause.FAILED)
        if not reason:
            cause = Cause.CALLER_HUNG_UP if answered else Cause.NO_ANSWER
    ended_msec = round(described["DisconnectTimestamp"].timestamp() * 1000) if ended else None
    attributes = dict(described.get("Attributes") or {})
    return Contact(contact_id, attributes, ended, answered, cause, ended and not reason, ended_msec=ended_msec)


def _is_set(timestamp: Any) -> bool:
    """Whether a time was set: in the documentation's samples one that was not is 1970-01-01T00:00:00.001Z."""
    year: int | None = getattr(timestamp, "year", None)
    return year is not None and year > 1970


class _Refused(Exception):
    """Amazon Connect has refused a request, and would refuse it again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@contextmanager
def _telephony_errors() -> Iterator[None]:
    """Around a request to Amazon Connect: its errors become those that `Telephony` names, or _Refused.

    `maybe_done`: the request may have been done, although its answer was lost.
    """
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code = told.get("Code", "")
        if code in _THROTTLES:
            raise TelephonyThrottled(code) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status in _SAY_NOTHING:
            raise TelephonyUnavailable(code, maybe_done=True) from error
        raise _Refused(code, told.get("Message", "")) from error
    except ParamValidationError as error:
        raise _Refused("ParamValidationError", str(error)) from error
    except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError) as error:
        raise TelephonyUnavailable(type(error).__name__) from error
    except BotoCoreError as error:
        raise TelephonyUnavailable(type(error).__name__, maybe_done=True) from error
