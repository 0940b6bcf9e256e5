"""API: the calls of a message as a signed file, and the public keys that verify it."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json, answer_text
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, credential_of
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.status.adapters.call_files_store import DynamoCallFiles
from speechcall.status.adapters.call_signer import KmsCallSigner
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.use_cases.call_file import MEDIA_TYPE, call_file, public_keys

logger = Logger()
app = HttpApi(logger)

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
history = DynamoHistory(dynamodb, setting("MESSAGES_TABLE"))
files = DynamoCallFiles(dynamodb, setting("MESSAGES_TABLE"))
kms = partial(boto3.client, "kms", config=AWS_CONFIG)
signer = KmsCallSigner(kms, setting("CALL_SIGNING_KEY"), dynamodb, setting("REGISTRY_TABLE"))


@app.route("GET /bat/message/{messageId}/call")
def get_call(request: HttpRequest) -> Answer:
    given = (*credential_of(request, accounts), request.path["messageId"], request.query)
    return answer_text(200, call_file(*given, store=history, files=files, signer=signer), {"Content-Type": MEDIA_TYPE})


@app.route("GET /keys.json")
def get_keys(_request: HttpRequest) -> Answer:
    return answer_json(200, public_keys(signer), {"Cache-Control": "public, max-age=300"})


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event)
