"""Queue: a message waits for audio, which is fetched from its URL, spoken, or joined; then the message is prepared."""

import random
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.adapters.fetch_audio import AudioFetcher
from speechcall.prompts.adapters.polly import POLLY_CONFIG, PollySpeaker
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.queue import PromptJob, PromptQueue
from speechcall.prompts.adapters.s3_audio import FETCHED, S3Audio
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.use_cases.fetch_prompts import Fetching, fetch_prompt, most_at_a_host, most_of_an_account
from speechcall.prompts.use_cases.prepare_prompts import Preparation
from speechcall.prompts.use_cases.prompt_sources import Sources
from speechcall.prompts.use_cases.prompts import Workshop
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting
from speechcall.webhooks.adapters.places_store import PROMPT_LEASE_MSEC, DynamoPlaces
from speechcall.webhooks.adapters.queue import SqsWebhookQueue

logger = Logger()

dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
audio = S3Audio(boto3.client("s3", config=AWS_CONFIG), setting("PROMPTS_BUCKET"), FETCHED)
sqs = boto3.client("sqs", config=AWS_CONFIG)
queue = PromptQueue(sqs, setting("PROMPT_QUEUE_URL"))
webhooks = SqsWebhookQueue(sqs, setting("WEBHOOK_QUEUE_URL"))
encoding = Encoding.of(setting("PROMPT_ENCODING"))
world = Preparation(
    messages=DynamoMessages(dynamodb, setting("MESSAGES_TABLE"), setting("REGISTRY_TABLE"), webhooks.tell),
    prompts=DynamoPrompts(dynamodb, setting("REGISTRY_TABLE")),
    ask_for=queue.ask_for,
    clock=SystemClock(),
    grace_seconds=int(setting("GRACE_SECONDS")),
    encoding=encoding,
)
sources = Sources(
    fetch=AudioFetcher(make_client(setting("WEBHOOK_RECEIVER"))),
    speak=PollySpeaker(boto3.client("polly", config=POLLY_CONFIG), encoding).speak,
    read=audio.find,
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
    return fetch_prompt(job.mid, job.place, job.attempt, job.apart, fetching=fetching)
