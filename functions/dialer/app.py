"""Stream and clock: messages that wait for a line are dialled."""

import time
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.dialling.adapters.call_prices import LongestPrices
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.adapters.published_flows import PublishedFlows
from speechcall.menus.rules.compile_flow import Wiring
from speechcall.menus.rules.publication import Watching
from speechcall.menus.rules.walk import CallLimits
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.pool import Pool
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.keys import LATER
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stream import message_id
from speechcall.shared.rules.time_bounds import execution_seconds
from speechcall.telephony.provider import dial_waits
from speechcall.webhooks.adapters.queue import telling

logger = Logger()
MARGIN_SECONDS = 5
LOOK_SECONDS = 5.0
"""How often an environment looks at most for messages put off until now: the cost does not grow with the calls."""
last_look = [-LOOK_SECONDS]
"""When this environment last did that, by the monotonic clock; a list, so that a function can set it."""

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
limit = execution_seconds(int(setting("MAX_CALL_SECONDS")), int(setting("GRACE_SECONDS")))
wiring = Wiring(
    setting("CONTROL_CALL_ARN"),
    setting("FINISH_CALL_ARN"),
    setting("WEBHOOK_QUEUE_URL"),
    limit,
    setting("ASK_RECEIVER_ARN"),
)
flows = PublishedFlows(
    boto3.client("stepfunctions", config=AWS_CONFIG),
    Registry(dynamodb, setting("REGISTRY_TABLE")),
    wiring,
    setting("FLOW_ROLE_ARN"),
    setting("FLOW_PREFIX"),
    tags=setting("FLOW_TAGS"),
    watching=Watching(setting("FLOW_LOG"), setting("FLOW_LOG_GROUP"), setting("FLOW_TRACING") == "Enabled"),
)
tell = telling(partial(boto3.client, "sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), tell)
dial = partial(
    dial_messages,
    messages=messages,
    turns=messages.turns,
    flows=flows,
    lines=DynamoPool(dynamodb, setting("REGISTRY_TABLE")),
    stack=Pool(
        *map(int, (setting("LINES"), setting("CALLS_PER_SECOND"), setting("URGENT_LINES"), setting("CALLS_PER_NUMBER")))
    ),
    clock=SystemClock(),
    dial_wait=dial_waits(),
    most_price=LongestPrices(
        DynamoRates(dynamodb, setting("REGISTRY_TABLE")),
        CallLimits(int(setting("MAX_MENU_VISITS")), int(setting("MAX_CALL_SECONDS"))),
    ),
)


def _take_look() -> bool:
    """Takes the look for messages that were put off until now, if this environment's last is LOOK_SECONDS ago.

    Out: whether this run looks first. If so, the runs of the next LOOK_SECONDS do not.
    """
    now = time.monotonic()
    is_due = now >= last_look[0] + LOOK_SECONDS
    if is_due:
        last_look[0] = now
    return is_due


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Dials what waits. In: a batch of the stream of MessagesTable, or an event of the clock, which has no records.

    Out: how many calls were started.
    """
    records = event.get("Records", [])
    images = {message_id(record): record["dynamodb"].get("NewImage", {}) for record in records}
    # By the stream: what has just been queued need not be found in the index, which is a moment behind.
    queued = [mid for mid, image in images.items() if image.get("state") == {"S": "queued"}]
    # Messages that an earlier release has queued, which knew no queues: they get their places first.
    strays = [mid for mid in queued if "order_pk" not in images[mid] and images[mid].get("due_shard") != {"S": LATER}]
    urgent = [mid for mid in queued if "urgent" in images[mid]]
    time_left = lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS  # noqa: E731
    done = dial(queued, urgent=urgent, strays=strays, time_left=time_left, brings_back=_take_look())
    count("CallsStarted", done.started)
    count("MessagesExpired", done.expired)
    count("MenusRefused", done.refused)
    count("MessagesCancelled", done.cancelled)
    count("MessagesOptedOut", done.opted_out)
    if done.started:
        logger.info("calls started", started=done.started)
    return {"started": done.started}
