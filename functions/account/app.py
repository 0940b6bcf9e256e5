"""API: what an account may do and has done today, and a new secret for the signatures of its webhooks."""

import secrets
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.adapters.days_store import calls_of_day
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of, credential_of
from speechcall.evidence.adapters.audit_trail import AuditTrail, recording_requests
from speechcall.messages.adapters.caps_store import spent_of_day, used_of_day
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.status.use_cases.read_account import read_account
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.use_cases.give_secret import give_secret

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
clock = SystemClock()
trail = AuditTrail(dynamodb, setting("REGISTRY_TABLE"), clock)
app = HttpApi(logger, recording_requests(trail))
store = DynamoWebhookSecrets(trail.client, setting("REGISTRY_TABLE"))
seal = KmsSeal(partial(boto3.client, "kms", config=AWS_CONFIG), setting("WEBHOOK_SECRETS_KEY"))
calls = partial(calls_of_day, dynamodb, setting("REGISTRY_TABLE"))
used = partial(used_of_day, dynamodb, setting("REGISTRY_TABLE"))
spent = partial(spent_of_day, dynamodb, setting("REGISTRY_TABLE"))
rates = DynamoRates(dynamodb, setting("REGISTRY_TABLE"))


@app.route("GET /bat/account")
def get_account(request: HttpRequest) -> Answer:
    counted: Any = {"spent_of_day": spent, "currency": lambda: rates.versions().currency}
    return answer_json(200, read_account(*credential_of(request, accounts), clock.now_msec(), calls, used, **counted))


@app.route("POST /bat/account/webhook-secret")
def post_secret(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    means: Any = {"store": store, "seal": seal.seal, "random_bytes": secrets.token_bytes}
    answer = give_secret(account.account_id, request.body, **means, now_msec=clock.now_msec())
    logger.info("webhook secret given", account=account.account_id)
    return answer_json(200, answer, {"Cache-Control": "no-store"})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
