"""API: who does not want to be called."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.requests.use_cases.manage_opt_outs import add_opt_out, find_opt_out, list_opt_outs, remove_opt_out
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
table = setting("REGISTRY_TABLE")
accounts = DynamoAccounts(dynamodb, table)
digests = NumberDigests(dynamodb, table, partial(boto3.client, "kms", config=AWS_CONFIG), setting("NUMBER_DIGESTS_KEY"))
store = DynamoOptOuts(dynamodb, table, digests)
clock = SystemClock()


@app.route("POST /bat/optout")
def post(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    answer = add_opt_out(account, request.body, store=store, clock=clock)
    count("OptOutsAdded", int(answer["added"]))
    return answer_json(200, answer)


@app.route("POST /bat/optout/find")
def post_find(request: HttpRequest) -> Answer:
    return answer_json(200, find_opt_out(account_of(request, accounts), request.body, store=store))


@app.route("POST /bat/optout/remove")
def post_remove(request: HttpRequest) -> Answer:
    account = account_of(request, accounts)
    answer = remove_opt_out(account, request.body, store=store, clock=clock)
    count("OptOutsRemoved")
    return answer_json(200, answer)


@app.route("GET /bat/optout")
def get(request: HttpRequest) -> Answer:
    return answer_json(200, list_opt_outs(account_of(request, accounts), request.query, store=store))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
