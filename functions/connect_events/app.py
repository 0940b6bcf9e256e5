"""EventBridge: a contact of the instance has ended."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.adapters.stepfunctions import TaskEngine
from speechcall.adapters.telephony.connect import CLIENT_CONFIG, ConnectTelephony, contact_id_of
from speechcall.application.end_call import contact_ended

logger = Logger()

calls = DynamoCalls(boto3.client("dynamodb", config=AWS_CONFIG), setting("MESSAGES_TABLE"))
engine = TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG))
telephony = ConnectTelephony(boto3.client("connect", config=CLIENT_CONFIG), setting("CONNECT_INSTANCE_ID"))
clock = SystemClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    contact_id = contact_id_of(event)
    if contact_id is None:
        logger.warning("an event without a contact was ignored")
        return {"ours": False}
    call = contact_ended(telephony.look_up(contact_id), calls=calls, engine=engine, clock=clock)
    if call:
        logger.info("call ended", mid=call.mid, attempt=call.attempt, cause=call.cause)
    return {"ours": call is not None}
