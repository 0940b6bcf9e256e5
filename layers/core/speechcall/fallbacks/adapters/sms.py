"""AWS End User Messaging SMS: SendTextMessage, asked once.

Source: its API reference, version 2, "SendTextMessage", and botocore's description of it: there is no idempotency
token. So botocore must not repeat a request by itself, and each failure is told apart by whether the text may have been
sent.
"""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from speechcall.fallbacks.use_cases.fallback_ports import Answer
from speechcall.shared.rules.unforeseen import told

logger = logging.getLogger(__name__)

ONCE_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=2,
    read_timeout=10,
    parameter_validation=False,
)
OPTED_OUT = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
_SERVER_ERROR, _TIMEOUT = 500, 408


class SmsClient(Protocol):
    """What boto3's client of the service is asked."""

    def send_text_message(self, **request: Any) -> Mapping[str, Any]: ...


class TextMessages:
    """An `Sms`."""

    def __init__(self, client: SmsClient, origination_identity: str) -> None:
        """`client` is made with ONCE_CONFIG; `origination_identity`: the ARN of a number, a sender ID or a pool."""
        self._client, self._identity = client, origination_identity

    def send(self, number: str, text: str, mid: str) -> Answer:
        """As `Sms.send`. Where no connection was made, nothing was sent: NOT_NOW.

        After that it may have been sent: LOST. What the service refuses is told apart by its error.
        """
        try:
            answer = self._client.send_text_message(
                DestinationPhoneNumber=number,
                OriginationIdentity=self._identity,
                MessageBody=text,
                MessageType="TRANSACTIONAL",
                Context={"mid": mid},
            )
        except ClientError as error:
            return _answer_of(error, mid)
        except (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError) as error:
            logger.warning("the service for text messages cannot be reached: %s", told(error), extra={"mid": mid})
            return Answer.NOT_NOW
        except BotoCoreError as error:
            logger.warning("the answer to a text message was lost: %s", told(error), extra={"mid": mid})
            return Answer.LOST
        logger.info("text message sent", extra={"mid": mid, "sms_id": answer.get("MessageId")})
        return Answer.TAKEN


def _answer_of(error: ClientError, mid: str) -> Answer:
    """The answer that an error of the service stands for; logs it. Without a status it is taken for a 500: LOST."""
    code = error.response.get("Error", {}).get("Code", "")
    reason = str(error.response.get("Reason", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
    logger.warning("text message: %s %s", code, reason, extra={"mid": mid})
    if code in ("ThrottlingException", "TooManyRequestsException"):
        return Answer.NOT_NOW
    if reason == OPTED_OUT:
        return Answer.OPTED_OUT
    return Answer.LOST if status >= _SERVER_ERROR or status == _TIMEOUT else Answer.REFUSED
