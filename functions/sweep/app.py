"""Clock: repairs what an event that was lost left undone."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.ended_metrics import count_end, forgetting, opting_out, owing, pricing
from speechcall.calls.use_cases.finish_call import finish_call
from speechcall.campaigns.adapters.campaigns_store import DynamoCampaigns
from speechcall.dialling.adapters.executions import resume_execution
from speechcall.dialling.use_cases.sweep import Calls, sweep
from speechcall.dialling.use_cases.sweep_campaigns import withdraw_lists
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.rules.outcome import End
from speechcall.telephony.provider import chosen_telephony
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
stepfunctions = boto3.client("stepfunctions", config=AWS_CONFIG)
webhooks = SqsWebhookQueue(boto3.client("sqs", config=AWS_CONFIG), setting("WEBHOOK_QUEUE_URL"))
messages = DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), webhooks.tell)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
clock = SystemClock()
telephony = chosen_telephony()
finish = partial(
    finish_call,
    owe=owing(webhooks.first),
    opt_out=opting_out(dynamodb, setting("REGISTRY_TABLE"), clock),
    forget=forgetting(dynamodb, setting("MESSAGES_TABLE")),
    tell_end=count_end,
    rate_at=pricing(dynamodb, setting("REGISTRY_TABLE")),
    end=End.FAILED,
    calls=DynamoCalls(dynamodb, setting("MESSAGES_TABLE")),
    messages=messages,
    telephony=telephony,
    engine=TaskEngine(stepfunctions),
    clock=clock,
    find_account=accounts.find,
)
calls = Calls(
    messages=messages,
    lines=DynamoPool(dynamodb, setting("REGISTRY_TABLE")),
    turns=messages.turns,
    accounts=lambda: [account.account_id for account in accounts.all()],
    start=partial(resume_execution, stepfunctions),
    finish=finish,
    clock=clock,
    count=count,
    has_records=telephony.has_records,
    is_paused=DynamoStops(dynamodb, setting("REGISTRY_TABLE")).is_paused,
)

withdraw = partial(
    withdraw_lists,
    lists=DynamoCampaigns(dynamodb, setting("REGISTRY_TABLE")),
    messages=messages,
    clock=clock,
    count=count,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> None:
    sweep((withdraw, *calls.repairs()))
