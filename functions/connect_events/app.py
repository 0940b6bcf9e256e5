"""EventBridge: a contact of the instance has ended."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.use_cases.hear_end import ContactEnd, hear_contact_end
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.log_fields import log_failures
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.telephony.connect.client import CLIENT_CONFIG, ConnectTelephony
from speechcall.telephony.connect.contact_events import parse_contact_event

logger = Logger()

connect = once(partial(boto3.client, "connect", config=CLIENT_CONFIG))
calls = DynamoCalls(boto3.client("dynamodb", config=AWS_CONFIG), setting("MESSAGES_TABLE"))
engine = TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG))
telephony = ConnectTelephony(connect, setting("CONNECT_INSTANCE_ID"))
clock = SystemClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Tells the end of a contact to its call. Out: `ours`, whether it is one of our calls.

    The instance may have other contacts. An event that tells of no end is ignored, and logged. Raises what makes
    EventBridge invoke it again.
    """
    found = parse_contact_event(event)
    if found is None or not found.ended:
        logger.warning("an event that tells of no contact's end was ignored")
        return {"ours": False}
    end = ContactEnd(found.contact_id, found.answered, found.is_repeat, found.at_msec)
    with log_failures(logger, contact_id=found.contact_id):
        call = hear_contact_end(end, telephony=telephony, calls=calls, engine=engine, clock=clock)
    if call:
        logger.info("call ended", mid=call.mid, attempt=call.attempt, cause=call.cause)
    return {"ours": call is not None}
