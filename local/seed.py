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
    environment = template.functions["PreparePromptsFunction"].environment
    registry = Registry(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    registry.put_credential(user_name(USER), Credential(ACCOUNT_ID, sha256(PASSWORD)))
    registry.put_credential(key_name(KEY), Credential(ACCOUNT_ID, sha256(KEY)))
    prompts = S3Prompts(boto3.client("s3"), environment["PROMPTS_BUCKET"], registry)
    for audio in sorted(AUDIO.glob("*.wav")):
        add_prompt(ACCOUNT_ID, audio.stem, audio.read_bytes(), prompts=prompts, clock=SystemClock())
