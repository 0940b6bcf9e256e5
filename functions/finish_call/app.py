"""State machine, or EventBridge for one that died: a call is over. Or its callee has opted out with a key."""

from speechcall.shared.adapters.start import started  # isort: skip

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.ended_metrics import count_end, count_execution, forgetting, opting_out, owing, pricing
from speechcall.calls.rules.owed import opt_out_at
from speechcall.calls.use_cases.finish_call import finish_call
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.log_fields import log_failures
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.rules.ids import parse_holder
from speechcall.shared.rules.outcome import End
from speechcall.telephony.provider import chosen_telephony
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

logger = Logger()
SETTLING = {"outcome": "settling", "reason": "settling"}
"""The line of the call is free, and it is not known yet why the call ended."""

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
webhooks = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
clock = SystemClock()
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), webhooks.tell)
opt_out = opting_out(dynamodb, setting("REGISTRY_TABLE"), clock)
finish = partial(
    finish_call,
    owe=owing(webhooks.first),
    opt_out=opt_out,
    tell_end=count_end,
    rate_at=pricing(dynamodb, setting("REGISTRY_TABLE")),
    forget=forgetting(dynamodb, setting("MESSAGES_TABLE")),
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=messages,
    telephony=chosen_telephony(),
    engine=TaskEngine(boto3.client("stepfunctions", config=AWS_CONFIG)),
    clock=clock,
    find_account=DynamoAccounts(dynamodb, setting("REGISTRY_TABLE")).find,
)

started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Finishes a call, or keeps an opt-out.

    In, of a state machine: a call and its end, or the place of an opt-out; of EventBridge: an execution that died.
    Out: outcome and reason, which the execution's history shows; SETTLING where the outcome is not known yet.
    """
    if place := event.get("optOut"):
        return keep(str(event["mid"]), place)
    if "detail" in event:  # of EventBridge: the execution died
        try:
            mid, attempt = parse_holder(event["detail"]["name"])
        except ValueError:  # an execution that was started by hand, under another name
            logger.warning("an execution that is no call was ignored")
            return {"outcome": "none", "reason": "notOurs"}
        end = End.FAILED
        count_execution(event["detail"].get("status"))
    else:
        mid, attempt, end = str(event["mid"]), int(event["attempt"]), End(event["end"])
    with log_failures(logger, mid=mid, attempt=attempt):
        found = finish(mid, attempt, end)
    told = {"outcome": found.outcome, "reason": found.reason} if found else SETTLING
    logger.info("call finished", mid=mid, attempt=attempt, outcome=told["outcome"], reason=told["reason"])
    return told


def keep(mid: str, place: dict[str, Any]) -> dict[str, str]:
    """Stores the opt-out of a key, which `place` names by menu, key and step. Out: as `handler`.

    A step of a state machine: it is stored when this is answered. Raises what the stores raise.
    """
    message = messages.get(mid)
    if message is None:  # it has expired, and its call with it
        logger.warning("an opt-out of an unknown message was ignored", mid=mid)
        return {"outcome": "none", "reason": "notOurs"}
    opt_out(message, opt_out_at(message.menus, int(place["menu"]), str(place["key"]), int(place["step"])))
    logger.info("the callee opted out", mid=mid)
    return {"outcome": "optedOut", "reason": "optedOut"}
