"""Amazon Chime SDK, PSTN audio: placing and stopping calls of a SIP media application, and asking whether one is there.

The provider keeps no record of a call that could be read: what is known of one is what its events have
told (`chime_events`). UpdateSipMediaApplicationCall is refused for a call that is over, so it is
also how a call is looked up. Sources: Amazon Chime SDK API reference (chime-sdk-voice); developer
guide, "Making outbound calls" and "Updating in-progress calls".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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

CLIENT_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=3, read_timeout=8)
"""One request is one request: a repeated CreateSipMediaApplicationCall would be a second call."""

COMMAND, HANG_UP, LOOK_UP = "command", "hang_up", "look_up"
"""What an update asks of the function that hears the call's events."""

_THROTTLES = {"ThrottledClientException", "ThrottlingException", "TooManyRequestsException"}
_FULL = "ResourceLimitExceededException"
_GONE = "NotFoundException"
_SAY_NOTHING = {408, 409}
"""A request that took too long, or that is in another's way: it may have been done, or is being done."""


class ChimeTelephony:
    """A `Telephony` on one SIP media application. `client` makes or gives the boto3 client chime-sdk-voice."""

    dials_once = has_records = False

    def __init__(self, client: Callable[[], Any], application_id: str, caller_id: str = "") -> None:
        self._client, self._application_id, self._caller_id = client, application_id, caller_id

    def place(self, call: Call, ring_timeout_seconds: int) -> str:  # noqa: ARG002 - the API has none
        """CreateSipMediaApplicationCall. It takes no ring timeout: the network gives up by itself.

        It has no idempotency token either. TelephonyUnavailable says with `maybe_done` whether the call may have been
        placed all the same. Raises DestinationRefused where the refusal is about the number, and as `Telephony` says.
        """
        with _telephony_errors(is_new=True):
            created = self._client().create_sip_media_application_call(
                SipMediaApplicationId=self._application_id,
                FromPhoneNumber=call.caller_id or self._caller_id,
                ToPhoneNumber=call.number,
                ArgumentsMap={"mid": call.mid, "attempt": str(call.attempt)},
            )
        return str(created["SipMediaApplicationCall"]["TransactionId"])

    def stop(self, contact_id: str) -> None:
        """Has the call's function answer with Hangup. A phone that still rings continues to ring."""
        self._update(contact_id, HANG_UP)

    def look_up(self, contact_id: str) -> Contact:
        """Whether the call is there, and nothing else: who is in it is known from its events alone."""
        is_there = self._update(contact_id, LOOK_UP)
        return Contact(contact_id, {}, ended=not is_there, answered=False, cause=None, missing=not is_there)

    def _update(self, contact_id: str, command: str) -> bool:
        """Sends a command to a call; False: the call is over. Raises as `Telephony` says."""
        try:
            with _telephony_errors(is_new=False):
                self._client().update_sip_media_application_call(
                    SipMediaApplicationId=self._application_id, TransactionId=contact_id, Arguments={COMMAND: command}
                )
        except _CallIsGone:
            return False
        return True


class _CallIsGone(Exception):
    """There is no such call any more."""


@contextmanager
def _telephony_errors(*, is_new: bool) -> Iterator[None]:
    """Around a request: its errors become ours, those that `Telephony` names, DestinationRefused or _CallIsGone.

    `is_new`: it places a call, which may have been done although the answer was lost. Else the call may be over.
    """
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        code, message = told.get("Code", ""), told.get("Message", "")
        if code in _THROTTLES or code == _FULL:
            raise TelephonyThrottled(code) from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or status in _SAY_NOTHING:
            raise TelephonyUnavailable(code, maybe_done=is_new) from error
        if code == _GONE and not is_new:
            raise _CallIsGone from error
        if is_new and "tophonenumber" in message.lower():
            raise DestinationRefused(Cause.INVALID_NUMBER.value) from error
        raise TelephonyMisconfigured(code) from error
    except ParamValidationError as error:
        raise TelephonyMisconfigured("ParamValidationError") from error
    except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError) as error:
        raise TelephonyUnavailable(type(error).__name__) from error
    except BotoCoreError as error:
        raise TelephonyUnavailable(type(error).__name__, maybe_done=is_new) from error
