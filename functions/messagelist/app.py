"""API: a client's list of messages, stored, or only checked."""

from speechcall.shared.adapters.start import started  # isort: skip

import secrets
from functools import cache, partial
from typing import TYPE_CHECKING, Any

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
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, allows_loopback, setting
from speechcall.shared.rules.ids import new_ids
from speechcall.telephony.provider import chosen_provider

if TYPE_CHECKING:
    from speechcall.rehearsal.use_cases.rehearsal_requests import RehearsalDesk

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
registry, rehearsal_queue = setting("REGISTRY_TABLE"), setting("REHEARSAL_QUEUE_URL")
grace_seconds = int(setting("GRACE_SECONDS"))
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
    return answer_json(200, check_messages(sender, request.body, picture, grace_seconds=grace_seconds, **rules))


@cache
def rehearsal_desk() -> "RehearsalDesk":
    """What the requests about rehearsals work with; who sends a list does not wait until it is loaded."""
    from speechcall.rehearsal.adapters.rehearsal_queue import RehearsalQueue  # noqa: PLC0415
    from speechcall.rehearsal.adapters.rehearsal_store import DynamoRehearsals  # noqa: PLC0415
    from speechcall.rehearsal.use_cases.made_messages import Rules  # noqa: PLC0415
    from speechcall.rehearsal.use_cases.rehearsal_requests import RehearsalDesk  # noqa: PLC0415

    kept = ("allow_loopback", "ring_time_kept", "sends_sms", "limits")
    return RehearsalDesk(
        DynamoRehearsals(dynamodb, registry),
        RehearsalQueue(once(partial(boto3.client, "sqs", config=AWS_CONFIG)), rehearsal_queue).send,
        lists,
        judged_by["opt_outs"],
        judged_by["clock"],
        lambda: new_ids(1, judged_by["clock"].now_msec(), secrets.randbits)[0],
        Rules(**{name: judged_by[name] for name in kept}),
    )


@app.route("POST /bat/rehearsal")
def post_rehearsal(request: HttpRequest) -> Answer:
    from speechcall.rehearsal.use_cases.rehearsal_requests import begin_rehearsal  # noqa: PLC0415, as above

    account = account_of(request, accounts)
    answer = begin_rehearsal(account, request.body, rehearsal_desk())
    logger.info("rehearsal asked for", rehearsal=answer["rehearsalId"], account=account.account_id)
    return answer_json(202, answer)


@app.route("GET /bat/rehearsal/{rehearsalId}")
def get_rehearsal(request: HttpRequest) -> Answer:
    from speechcall.rehearsal.use_cases.rehearsal_requests import read_rehearsal  # noqa: PLC0415, as above

    account = account_of(request, accounts)
    return answer_json(200, read_rehearsal(account, request.path["rehearsalId"], rehearsal_desk()))


started()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
