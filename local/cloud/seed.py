"""What the laptop cloud holds from its first moment: an account with its webhook secret, the specification's prompt."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import ANYWHERE, Account
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.s3_audio import UPLOADED, S3Audio
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.use_cases.prompts import Workshop, add_prompt
from speechcall.shared.adapters.clock import SystemClock
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.use_cases.webhook_secrets import rotate_secret

if TYPE_CHECKING:
    from local.cloud.template import Template

ACCOUNT_ID = "laptop"
USER = "laptop"
PASSWORD = "speechcall"
KEY = "laptop-key"
WEBHOOK_SECRET = "whsec_bGFwdG9wLXdlYmhvb2stc2VjcmV0LXNwZWVjaGNhbGw="

AUDIO = Path(__file__).parent / "audio"
"""Every WAV file here is a prompt of the account, under its own name."""


def seed(template: "Template") -> None:
    """Write the account (user and password, and an API key) and the prompts into the tables of a started cloud."""
    environment = template.functions["MessagelistFunction"].environment
    accounts = DynamoAccounts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    account = Account(ACCOUNT_ID, prefixes=(ANYWHERE,), calls_per_day=1_000_000, rate=200, burst=2000, sms_per_day=1000)
    accounts.add(account, credentials_of(ACCOUNT_ID, Secrets(USER, PASSWORD, KEY)))
    _let_sign(template)
    for audio in sorted(AUDIO.glob("*.wav")):
        put_prompt(template, audio.stem, audio.read_bytes())


def _let_sign(template: "Template") -> None:
    environment = template.functions["SendWebhookFunction"].environment
    store = DynamoWebhookSecrets(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    seal = KmsSeal(lambda: boto3.client("kms"), environment["WEBHOOK_SECRETS_KEY"]).seal
    rotate_secret(ACCOUNT_ID, WEBHOOK_SECRET, 0, store=store, seal=seal, now_msec=SystemClock().now_msec())


def put_prompt(template: "Template", name: str, content: bytes) -> None:
    """Upload audio to the account under an identifier. Raises PromptUnavailable if it is none."""
    environment = template.functions["FetchPromptFunction"].environment
    audio = S3Audio(boto3.client("s3"), environment["PROMPTS_BUCKET"], UPLOADED)
    prompts = DynamoPrompts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    workshop = Workshop(decode_audio, Encoding.of(environment["PROMPT_ENCODING"]), audio.put)
    clock = SystemClock()
    add_prompt(ACCOUNT_ID, name, content, prompts=prompts, workshop=workshop, clock=clock, retire=audio.retire)
