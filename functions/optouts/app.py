"""API: who does not want to be called, and what is kept of a person."""

import secrets
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.evidence.adapters.audit_trail import AuditTrail, recording_requests
from speechcall.evidence.adapters.person_jobs import DynamoPersonJobs
from speechcall.evidence.use_cases import manage_people as people
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.requests.use_cases.manage_opt_outs import add_opt_out, find_opt_out, list_opt_outs, remove_opt_out
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.shared.rules.ids import new_ids
from speechcall.status.adapters.history_store import DynamoHistory

logger = Logger()
dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
table = setting("REGISTRY_TABLE")
accounts = DynamoAccounts(dynamodb, table)
digests = NumberDigests(dynamodb, table, partial(boto3.client, "kms", config=AWS_CONFIG), setting("NUMBER_DIGESTS_KEY"))
clock = SystemClock()
trail = AuditTrail(dynamodb, table, clock)
app = HttpApi(logger, recording_requests(trail))
store, history = DynamoOptOuts(trail.client, table, digests), DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
new_id = lambda: new_ids(1, clock.now_msec(), secrets.randbits)[0]  # noqa: E731
jobs = DynamoPersonJobs(trail.client, table)
desk = people.PeopleDesk(jobs, store, history, clock, new_id, setting("TELEPHONY_PROVIDER"))


@app.route("POST /bat/optout")
def post(request: HttpRequest) -> Answer:
    answer = add_opt_out(account_of(request, accounts), request.body, store=store, clock=clock)
    count("OptOutsAdded", int(answer["added"]))
    return answer_json(200, answer)


@app.route("POST /bat/optout/find")
def post_find(request: HttpRequest) -> Answer:
    return answer_json(200, find_opt_out(account_of(request, accounts), request.body, store=store))


@app.route("POST /bat/optout/remove")
def post_remove(request: HttpRequest) -> Answer:
    answer = remove_opt_out(account_of(request, accounts), request.body, store=store, clock=clock)
    count("OptOutsRemoved")
    return answer_json(200, answer)


@app.route("GET /bat/optout")
def get(request: HttpRequest) -> Answer:
    return answer_json(200, list_opt_outs(account_of(request, accounts), request.query, store=store))


@app.route("POST /bat/erasure")
def post_erasure(request: HttpRequest) -> Answer:
    return answer_json(202, people.begin_erasure(account_of(request, accounts), request.body, desk))


@app.route("GET /bat/erasure/{erasureId}")
def get_erasure(request: HttpRequest) -> Answer:
    return answer_json(200, people.read_erasure(account_of(request, accounts), request.path["erasureId"], desk))


@app.route("POST /bat/person/export")
def post_export(request: HttpRequest) -> Answer:
    return answer_json(202, people.begin_export(account_of(request, accounts), request.body, desk))


@app.route("GET /bat/person/export/{exportId}")
def get_export(request: HttpRequest) -> Answer:
    account, export_id = account_of(request, accounts), request.path["exportId"]
    return answer_json(200, people.read_export(account, export_id, request.query, desk))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
