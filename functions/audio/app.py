"""API: the audio that an account keeps under identifiers."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from speechcall.adapters.audio_sandbox import decode_audio
from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.dynamodb.prompts import DynamoPrompts
from speechcall.adapters.http_answers import account_of, answer_json, body_of, map_errors
from speechcall.adapters.s3_audio import S3Audio
from speechcall.adapters.s3_uploads import S3Uploads
from speechcall.adapters.settings import AWS_CONFIG, SIGNER_CONFIG, setting
from speechcall.application.manage_audio import AudioDesk, begin_upload, list_audio, put_audio, read_audio, remove_audio
from speechcall.application.prompts import Workshop
from speechcall.domain.wav import Encoding

logger = Logger()
app = map_errors(APIGatewayHttpResolver(), logger)

dynamodb, s3 = boto3.client("dynamodb", config=AWS_CONFIG), boto3.client("s3", config=AWS_CONFIG)
signer = boto3.client("s3", config=SIGNER_CONFIG, endpoint_url=setting("UPLOAD_ENDPOINT") or None)
bucket = setting("PROMPTS_BUCKET")
accounts = DynamoAccounts(dynamodb, setting("REGISTRY_TABLE"))
prompts = DynamoPrompts(dynamodb, setting("REGISTRY_TABLE"))
workshop = Workshop(decode_audio, Encoding.of(setting("PROMPT_ENCODING")), S3Audio(s3, bucket).put)
desk = AudioDesk(prompts, workshop, S3Uploads(s3, signer, bucket), SystemClock())


@app.put("/bat/audio/<intro_id>")
def put(intro_id: str) -> Response[str]:
    account, query = account_of(app.current_event, accounts), app.current_event.query_string_parameters
    return answer_json(200, put_audio(account, intro_id, body_of(app.current_event), query.get("uploadId"), desk))


@app.post("/bat/audio/<intro_id>/upload")
def post_upload(intro_id: str) -> Response[str]:
    event, account = app.current_event, account_of(app.current_event, accounts)
    return answer_json(200, begin_upload(account, intro_id, body_of(event), desk))


@app.get("/bat/audio")
def get_all() -> Response[str]:
    return answer_json(200, list_audio(account_of(app.current_event, accounts), prompts))


@app.get("/bat/audio/<intro_id>")
def get(intro_id: str) -> Response[str]:
    return answer_json(200, read_audio(account_of(app.current_event, accounts), intro_id, prompts))


@app.delete("/bat/audio/<intro_id>")
def delete(intro_id: str) -> Response[str]:
    return answer_json(200, remove_audio(account_of(app.current_event, accounts), intro_id, prompts))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
