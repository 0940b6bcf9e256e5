"""Queue: a message waits for audio, which is fetched from its URL, or spoken; then the message is prepared."""

import random
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.adapters.audio_sandbox import decode_audio
from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.places import PROMPT_LEASE_MSEC, DynamoPlaces
from speechcall.adapters.dynamodb.prompts import DynamoPrompts
from speechcall.adapters.fetch_audio import AudioFetcher
from speechcall.adapters.http import make_client
from speechcall.adapters.metrics import count
from speechcall.adapters.polly import POLLY_CONFIG, PollySpeaker
from speechcall.adapters.prompt_queue import PromptJob, PromptQueue
from speechcall.adapters.s3_audio import FETCHED, S3Audio
from speechcall.adapters.settings import AWS_CONFIG, setting
from speechcall.application.fetch_prompts import Fetching, fetch_prompt, most_at_a_host, most_of_an_account
from speechcall.application.prepare_prompts import Preparation
from speechcall.application.prompt_sources import Sources
from speechcall.application.prompts import Workshop
from speechcall.domain.wav import Encoding

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
audio = S3Audio(boto3.client("s3", config=AWS_CONFIG), setting("PROMPTS_BUCKET"), FETCHED)
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
consumers = int(setting("PROMPT_CONCURRENCY"))
fetching = Fetching(
    world=world,
    sources=sources,
    workshop=Workshop(decode_audio, encoding, audio.put),
    of_accounts=DynamoPlaces(dynamodb, setting("REGISTRY_TABLE"), most_of_an_account(consumers), PROMPT_LEASE_MSEC),
    at_hosts=DynamoPlaces(dynamodb, setting("REGISTRY_TABLE"), most_at_a_host(consumers), PROMPT_LEASE_MSEC),
    uniform=random.uniform,
    on_given_up=lambda: count("PromptsGivenUp"),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"batchItemFailures": queue.work(event["Records"], do)}


def do(job: PromptJob) -> int | None:
    return fetch_prompt(job.mid, job.menu, job.attempt, job.apart, fetching=fetching)
