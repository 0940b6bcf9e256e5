"""Queue: a message waits for audio, which is fetched from its URL, or spoken; then the message is prepared."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.audio_sandbox import decode_audio
from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.prompts import DynamoPrompts
from speechcall.adapters.fetch_audio import AudioFetcher
from speechcall.adapters.http import make_client
from speechcall.adapters.polly import POLLY_CONFIG, PollySpeaker
from speechcall.adapters.prompt_queue import PromptQueue, read_job
from speechcall.adapters.s3_audio import S3Audio
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.application.prepare_prompts import Preparation, fetch_prompt, retry_seconds
from speechcall.application.prompt_sources import Sources
from speechcall.application.prompts import Workshop
from speechcall.domain.errors import PromptUnreachable
from speechcall.domain.wav import Encoding

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
audio = S3Audio(boto3.client("s3", config=AWS_CONFIG), setting("PROMPTS_BUCKET"))
queue = PromptQueue(boto3.client("sqs", config=AWS_CONFIG), setting("PROMPT_QUEUE_URL"))
encoding = Encoding.of(setting("PROMPT_ENCODING"))
world = Preparation(
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE")),
    prompts=DynamoPrompts(dynamodb, setting("REGISTRY_TABLE")),
    ask_for=queue.ask_for,
    clock=SystemClock(),
    grace_seconds=int(setting("GRACE_SECONDS")),
    encoding=encoding,
)
sources = Sources(
    fetch=AudioFetcher(make_client(setting("WEBHOOK_RECEIVER"))),
    speak=PollySpeaker(boto3.client("polly", config=POLLY_CONFIG), encoding).speak,
)
workshop = Workshop(decode_audio, encoding, audio.put)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        job = read_job(record)
        try:
            fetch_prompt(job.mid, job.menu, job.attempt, world=world, sources=sources, workshop=workshop)
        except Exception as error:
            # For a moment, not for the queue's whole timeout: the messages behind this one wait for it.
            queue.put_off(job, retry_seconds(job.attempt))
            if isinstance(error, PromptUnreachable):
                logger.info("the audio of a message is not there yet", mid=job.mid, attempt=job.attempt)
            else:
                logger.exception("a message could not be prepared", mid=job.mid)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
