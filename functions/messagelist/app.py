"""API: a client's list of messages, stored, or only checked."""

from speechcall.shared.adapters.start import started  # isort: skip

import secrets
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.query import parameter, truth
from speechcall.menus.rules.walk import CallLimits
from speechcall.messages.adapters.new_messages import DynamoNewMessages
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, allows_loopback, setting
from speechcall.telephony.provider import chosen_provider

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
messages = DynamoNewMessages(dynamodb, setting("MESSAGES_TABLE"))
lists = DynamoLists(dynamodb, setting("REGISTRY_TABLE"))
digests = NumberDigests(
    dynamodb, setting("REGISTRY_TABLE"), partial(boto3.client, "kms", config=AWS_CONFIG), setting("NUMBER_DIGESTS_KEY")
)
provider = chosen_provider()
judged_by: Any = {
    "allow_loopback": allows_loopback(setting("WEBHOOK_RECEIVER")),
    "ring_time_kept": provider.keeps_ring_time,
    "opt_outs": DynamoOptOuts(dynamodb, setting("REGISTRY_TABLE"), digests),
    "clock": SystemClock(),
    "sends_sms": setting("SENDS_SMS") == "true",
    "limits": CallLimits(
        int(setting("MAX_MENU_VISITS")), int(setting("MAX_CALL_SECONDS")), int(setting("SILENT_REPEATS"))
    ),
}


@app.route("POST /bat/messagelist")
def post_messagelist(request: HttpRequest) -> Answer:
    """Accepts a list. A repeat under the same idempotency key gets the first answer, counted and logged once more."""
    sender = account_of(request, accounts)
    answer = accept_messages(
        sender,
        request.body,
        request.headers.get("idempotency-key"),
        messages=messages,
        lists=lists,
        random_bits=secrets.randbits,
        strict=truth(request.query, "strict"),
        is_simulated=not provider.rings_phones,
        **judged_by,
    )
    count("MessagesAccepted", len(answer["messages"]) - answer.get("rejected", 0))
    count("MessagesRejected", answer.get("rejected", 0))
    list_id, name = answer["messagelistId"], sender.account_id
    for one in answer["messages"]:
        if one["status"] == "sent":
            logger.info("message accepted", mid=one["messageId"], messagelist_id=list_id, account=name)
    return answer_json(200, answer)


@app.route("POST /bat/messagelist/check")
def post_check(request: HttpRequest) -> Answer:
    sender = account_of(request, accounts)
    picture, strict = parameter(request.query, "picture") == "mermaid", truth(request.query, "strict")
    caps_of = partial(lists.caps_of, digest=digests.of)
    rules = {"prompts": lists, "caps_of": caps_of, "costs_of": lists.costs_of, "strict": strict, **judged_by}
    return answer_json(200, check_messages(sender, request.body, picture, **rules))


started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
