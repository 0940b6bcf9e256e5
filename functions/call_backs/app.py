"""Telephony: somebody calls the caller ID back, hears who has called, and may opt out with a key."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.callbacks.adapters.called_numbers import DynamoCalledNumbers
from speechcall.callbacks.adapters.uploaded_audio import DynamoUploadedAudio
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import CALLER_WAITS_CONFIG, setting
from speechcall.telephony.provider import chosen_provider

logger = Logger()

dynamodb = boto3.client("dynamodb", config=CALLER_WAITS_CONFIG)
table = setting("REGISTRY_TABLE")
kms = partial(boto3.client, "kms", config=CALLER_WAITS_CONFIG)
desk = CallBackDesk(
    called=DynamoCalledNumbers(dynamodb, setting("MESSAGES_TABLE")),
    accounts=DynamoAccounts(dynamodb, table),
    audio=DynamoUploadedAudio(dynamodb, table),
    opt_outs=DynamoOptOuts(dynamodb, table, NumberDigests(dynamodb, table, kms, setting("NUMBER_DIGESTS_KEY"))),
    clock=SystemClock(),
)
call_backs = chosen_provider().call_backs(desk, logger)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return call_backs.answer(event)
