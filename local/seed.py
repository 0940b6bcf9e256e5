"""What the laptop cloud holds from its first moment: an account, and the specification's prompt."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.accounts import DynamoAccounts
from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.s3_prompts import S3Prompts
from speechcall.application.accounts import Secrets, credentials_of
from speechcall.application.prepare_prompts import add_prompt
from speechcall.domain.account import ANYWHERE, Account

if TYPE_CHECKING:
    from local.template import Template

ACCOUNT_ID = "laptop"
USER = "laptop"
PASSWORD = "speechcall"
KEY = "laptop-key"

AUDIO = Path(__file__).parent / "audio"
"""Every WAV file here is a prompt of the account, under its own name."""


def seed(template: "Template") -> None:
    """Write the account (user and password, and an API key) and the prompts into the tables of a started cloud."""
    environment = template.functions["MessagelistFunction"].environment
    accounts = DynamoAccounts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    account = Account(ACCOUNT_ID, prefixes=(ANYWHERE,), calls_per_day=1_000_000, rate=200, burst=2000)
    accounts.add(account, credentials_of(ACCOUNT_ID, Secrets(USER, PASSWORD, KEY)))
    for audio in sorted(AUDIO.glob("*.wav")):
        put_prompt(template, audio.stem, audio.read_bytes())


def put_prompt(template: "Template", name: str, content: bytes) -> None:
    """Upload telephone audio to the account under an identifier. Raises PromptUnavailable if it is none."""
    environment = template.functions["PreparePromptsFunction"].environment
    prompts = S3Prompts(boto3.client("s3"), environment["PROMPTS_BUCKET"], _registry(template))
    add_prompt(ACCOUNT_ID, name, content, prompts=prompts, clock=SystemClock())


def _registry(template: "Template") -> Registry:
    environment = template.functions["PreparePromptsFunction"].environment
    return Registry(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
