"""API: the audio that an account keeps under identifiers."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.api.adapters.http_answers import Answer, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.query import parameter
from speechcall.evidence.adapters.audit_trail import AuditTrail, recording_requests
from speechcall.prompts.adapters.answer_file import answer_file
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.s3_audio import UPLOADED, S3Audio
from speechcall.prompts.adapters.s3_uploads import S3Uploads
from speechcall.prompts.adapters.time_to_answer import answering, decode_in_time
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.use_cases import manage_audio as asked
from speechcall.prompts.use_cases.prompts import Workshop
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.settings import CLIENT_WAITS_CONFIG, SIGNER_CONFIG, setting

logger = Logger()
dynamodb, s3 = boto3.client("dynamodb", config=CLIENT_WAITS_CONFIG), boto3.client("s3", config=CLIENT_WAITS_CONFIG)
signer = boto3.client("s3", config=SIGNER_CONFIG, endpoint_url=setting("UPLOAD_ENDPOINT") or None)
bucket = setting("PROMPTS_BUCKET")
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
trail = AuditTrail(dynamodb, setting("REGISTRY_TABLE"), SystemClock())
app = HttpApi(logger, recording_requests(trail))
prompts = DynamoPrompts(trail.client, setting("REGISTRY_TABLE"))
audio = S3Audio(s3, bucket, UPLOADED)
workshop = Workshop(decode_in_time, Encoding.of(setting("PROMPT_ENCODING")), audio.put)


def retire(uri: str) -> None:
    if not audio.retire(uri):
        logger.warning("The audio of a removed prompt is gone already, or could not be marked", extra={"uri": uri})


desk = asked.AudioDesk(prompts, workshop, S3Uploads(s3, signer, bucket), SystemClock(), retire)


@app.route("PUT /bat/audio/{introId}")
def put(request: HttpRequest) -> Answer:
    account, upload_id = account_of(request, accounts), parameter(request.query, "uploadId")
    return answer_json(200, asked.put_audio(account, request.path["introId"], request.body, upload_id, desk))


@app.route("POST /bat/audio/{introId}/upload")
def post_upload(request: HttpRequest) -> Answer:
    return answer_json(
        200, asked.begin_upload(account_of(request, accounts), request.path["introId"], request.body, desk)
    )


@app.route("GET /bat/audio")
def get_all(request: HttpRequest) -> Answer:
    return answer_json(200, asked.list_audio(account_of(request, accounts), prompts))


@app.route("GET /bat/audio/{introId}")
def get(request: HttpRequest) -> Answer:
    return answer_json(200, asked.read_audio(account_of(request, accounts), request.path["introId"], prompts))


@app.route("GET /bat/audio/{introId}/file")
def get_file(request: HttpRequest) -> Answer:
    return answer_file(asked.find_audio(account_of(request, accounts), request.path["introId"], prompts), audio, signer)


@app.route("DELETE /bat/audio/{introId}")
def delete(request: HttpRequest) -> Answer:
    return answer_json(200, asked.remove_audio(account_of(request, accounts), request.path["introId"], desk))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    with answering(context):
        return app.resolve(event)
