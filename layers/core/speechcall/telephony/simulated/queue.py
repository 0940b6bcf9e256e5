"""The queue in which simulated calls wait for their next moment: SQS, whose delays are whole seconds, at most 900.

Source: Amazon SQS API reference, SendMessage (DelaySeconds); developer guide, "Amazon SQS delay queues". Standard
queues deliver at least once, so a moment may come twice.
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
)

from speechcall.shared.rules.errors import TelephonyMisconfigured, TelephonyThrottled, TelephonyUnavailable
from speechcall.telephony.simulated.moments import Moment, dump

CLIENT_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=4)
LONGEST_DELAY_SECONDS = 900
_THROTTLES = {"ThrottlingException", "RequestThrottled", "OverLimit"}
_SAY_NOTHING = {408, 409}


class SqsMoments:
    """Brings moments when they are due. `client` makes or gives the boto3 client of SQS.

    `speed`: how many times faster than life; AWS always has 1, the laptop may be in a hurry.
    """

    def __init__(self, client: Callable[[], Any], url: str, speed: float = 1.0) -> None:
        self._client, self._url, self._speed = client, url, speed

    def send(self, moment: Moment, seconds: float = 0) -> None:
        """The moment comes after so many seconds. Raises what a telephony raises; `maybe_done`: it may come."""
        delay = min(max(round(seconds / self._speed), 0), LONGEST_DELAY_SECONDS)
        with _telephony_errors():
            self._client().send_message(QueueUrl=self._url, MessageBody=dump(moment), DelaySeconds=delay)


@contextmanager
def _telephony_errors() -> Iterator[None]:
    """Around a request to the queue, which stands for the provider: its errors become those that `Telephony` names.

    `maybe_done`: the moment may have been queued all the same.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _THROTTLES or status == 429:
            raise TelephonyThrottled(code) from error
        if status >= 500 or status in _SAY_NOTHING:
            raise TelephonyUnavailable(code, maybe_done=True) from error
        raise TelephonyMisconfigured(code) from error
    except (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError) as error:
        raise TelephonyUnavailable(type(error).__name__) from error
    except BotoCoreError as error:
        raise TelephonyUnavailable(type(error).__name__, maybe_done=True) from error
