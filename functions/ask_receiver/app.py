"""State machine: a receiver is asked which menu follows, while the callee waits."""

from speechcall.shared.adapters.start import started  # isort: skip

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.warm_functions import WARM
from speechcall.calls.use_cases.ask_receiver import Asking, Question
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.log_fields import log_failures
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.webhooks.adapters.places_store import DynamoPlaces
from speechcall.webhooks.adapters.seal import KmsSeal, digits_seal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.use_cases.webhook_secrets import Signer

logger = Logger()

dynamodb = boto3.client("dynamodb", config=CALLER_WAITS_CONFIG)
clock = SystemClock()
seal = KmsSeal(partial(boto3.client, "kms", config=CALLER_WAITS_CONFIG), setting("WEBHOOK_SECRETS_KEY"))
asking = Asking(
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=DynamoMessageReader(dynamodb, setting("MESSAGES_TABLE")),
    places=DynamoPlaces(dynamodb, setting("REGISTRY_TABLE"), int(setting("WEBHOOKS_IN_FLIGHT"))),
    ask=WebhookSender(make_client(setting("WEBHOOK_RECEIVER"))).ask,
    sign=Signer(DynamoWebhookSecrets(dynamodb, setting("REGISTRY_TABLE")), seal.unseal, clock),
    clock=clock,
    unseal=digits_seal(setting("WEBHOOK_SECRETS_KEY")).unseal,
)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Makes the lookup at which a state machine is: of which message, attempt and entry, by which menu, key and step.

    Out: the menu that follows, as text; nothing for an event that only makes this function ready (WARM).
    """
    if event == WARM:
        return {}
    question = Question(
        str(event["mid"]),
        int(event["attempt"]),
        int(event["seq"]),
        int(event["menu"]),
        str(event["key"]),
        int(event["step"]),
    )
    with log_failures(logger, mid=question.mid, attempt=question.attempt):
        led = asking.look_up(question)
    told = {"case": led.case, "error": led.error, "asked_msec": led.asked_msec}
    logger.info("lookup", extra={**question.log_fields, **told})
    count("Lookups", result="case" if led.case else "else")
    return {"menu": str(led.menu)}
