"""What the laptop cloud holds from its first moment: an account, and the specification's prompt."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.s3_prompts import S3Prompts
from speechcall.application.accounts import Credential, key_name, sha256, user_name
from speechcall.application.prepare_prompts import add_prompt

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
    registry = _registry(template)
    registry.put_credential(user_name(USER), Credential(ACCOUNT_ID, sha256(PASSWORD)))
    registry.put_credential(key_name(KEY), Credential(ACCOUNT_ID, sha256(KEY)))
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
