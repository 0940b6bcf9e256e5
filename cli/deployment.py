"""A SpeechCall that runs somewhere: in a CloudFormation stack, or in `make run` on this machine."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import httpx
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError, ClientError

from cli.dead_letters import DeadLetters
from cli.failures import Failure, Refusal
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.evidence.adapters.audit_trail import AuditRecords, AuditTrail
from speechcall.evidence.rules.audit import Actor, By, actor_of_arn
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.adapters.turns_store import DynamoTurns
from speechcall.messages.rules.message import Message
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.s3_audio import UPLOADED, S3Audio
from speechcall.prompts.rules.encoding import Encoding
from speechcall.rehearsal.adapters.standing_reader import read_standing
from speechcall.rehearsal.adapters.virtual_stack import Standing
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.telephony.provider import ProviderName, provider
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.queue import SqsWebhookQueue
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOCAL_REGION = "eu-central-1"
DEFAULT_PORT = 8080
# No proxy stands between this machine and itself.
_LOCAL_CONFIG = Config(proxies={}, connect_timeout=2, read_timeout=30, s3={"addressing_style": "path"})
_CONFIG = Config(retries={"mode": "standard"}, connect_timeout=5, read_timeout=30)


@dataclass(frozen=True)
class Place:
    """Which deployment is meant, as given on the command line."""

    local: bool = False
    port: int = DEFAULT_PORT
    stack: str | None = None
    region: str | None = None
    profile: str | None = None


class Deployment:
    """What the commands work on. Names are looked up, and clients made, when they are first needed."""

    def __init__(
        self, session: boto3.Session, name_of: Callable[[str], str], config: Config, endpoint: str | None = None
    ) -> None:
        """`name_of` gives a resource's physical name by its logical one; `endpoint` stands in for AWS's own."""
        self._session, self._name_of, self._config, self._endpoint = session, name_of, config, endpoint
        self._clients: dict[str, Any] = {}

    @cached_property
    def trail(self) -> AuditTrail:
        """The audit trail: what is changed is written through its client, or not at all."""
        return AuditTrail(self._dynamodb, self._registry_table, SystemClock())

    @cached_property
    def audit_records(self) -> AuditRecords:
        """What was changed, by whom."""
        return AuditRecords(self._dynamodb, self._registry_table)

    @cached_property
    def actor(self) -> Actor:
        """Who gives the commands: as AWS knows them, for GetCallerIdentity needs no permission."""
        if self._endpoint is not None:
            return Actor(By.LOCAL)
        return actor_of_arn(self.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def accounts(self) -> DynamoAccounts:
        """The accounts and their credentials."""
        return DynamoAccounts(self.trail.client, self._registry_table)

    @cached_property
    def webhook_secrets(self) -> DynamoWebhookSecrets:
        """The sealed secrets with which webhooks are signed."""
        return DynamoWebhookSecrets(self.trail.client, self._registry_table)

    def client(self, service: str) -> Any:
        """The boto3 client of a service of AWS."""
        if service not in self._clients:
            client: Any = self._session.client
            self._clients[service] = client(service, endpoint_url=self._endpoint, config=self._config)
        return self._clients[service]

    def name_of(self, logical_id: str) -> str:
        """A resource's physical name. Raises KeyError or ClientError where there is none."""
        return self._name_of(logical_id)

    @property
    def region(self) -> str:
        """The AWS Region of the deployment."""
        return self._session.region_name or ""

    def seal(self, account_id: str, secret: str) -> str:
        """A webhook secret as it is stored. Nobody here can open it again."""
        return KmsSeal(lambda: self.client("kms"), self._name_of("WebhookSecretsKey")).seal(account_id, secret)

    @cached_property
    def opt_outs(self) -> DynamoOptOuts:
        """Who does not want to be called.

        Numbers are stored as digests under a secret of the stack, which its only KMS key, "WebhookSecretsKey", seals;
        KMS is asked when a number is first looked up.
        """
        key = self._name_of("WebhookSecretsKey")
        digests = NumberDigests(self._dynamodb, self._registry_table, lambda: self.client("kms"), key)
        return DynamoOptOuts(self.trail.client, self._registry_table, digests)

    @cached_property
    def lines(self) -> DynamoPool:
        """The pool of lines."""
        return DynamoPool(self.trail.client, self._registry_table)

    @cached_property
    def turns(self) -> DynamoTurns:
        """The store of turns: which account is next for a line."""
        return DynamoTurns(self._dynamodb, self._messages_table, self._registry_table)

    @cached_property
    def lists(self) -> DynamoLists:
        """The message lists."""
        return DynamoLists(self._dynamodb, self._registry_table)

    @cached_property
    def messages(self) -> DynamoMessages:
        """The messages."""
        return DynamoMessages(self.trail.client, self._messages_table, self._registry_table)

    @cached_property
    def stops(self) -> DynamoStops:
        """What is paused or cancelled."""
        return DynamoStops(self.trail.client, self._registry_table)

    @cached_property
    def rates(self) -> DynamoRates:
        """What calls cost."""
        return DynamoRates(self.trail.client, self._registry_table)

    def standing(
        self, accounts: Sequence[Account], new: Sequence[Message], progress: Callable[[int], object]
    ) -> Standing:
        """What waits for lines or is in a call now, for a rehearsal. Nothing is written.

        `accounts`: all there are; `new`: the messages that are rehearsed. `progress`: is told how many
        messages have been read. Raises TooManyWait.
        """
        lines = self.lines.read()
        return read_standing(
            self._dynamodb,
            self._messages_table,
            accounts=accounts,
            new=new,
            lines=lines,
            turns=self.turns,
            stops=self.stops,
            progress=progress,
        )

    @cached_property
    def prompts(self) -> DynamoPrompts:
        """The names of the prompts."""
        return DynamoPrompts(self.trail.client, self._registry_table)

    @cached_property
    def audio(self) -> S3Audio:
        """The prompts' audio."""
        return S3Audio(self.client("s3"), self._name_of("PromptsBucket"), UPLOADED)

    @cached_property
    def prompt_encoding(self) -> Encoding:
        """The encoding that this stack's telephony plays. Raises Refusal."""
        for one in map(provider, ProviderName):
            if any(self._has(logical_id) for logical_id in one.known_by):
                return one.encoding
        raise Refusal("Who places this stack's calls cannot be told by its resources: it is of another release.")

    def _has(self, logical_id: str) -> bool:
        """Whether the deployment has a resource of this logical id: a stack of another release may not."""
        try:
            self._name_of(logical_id)
        except KeyError:
            return False
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ValidationError":
                return False
            raise
        return True

    @cached_property
    def deliveries(self) -> DynamoDeliveries:
        """The deliveries of webhooks."""
        return DynamoDeliveries(self.trail.client, self._messages_table)

    @cached_property
    def history(self) -> DynamoHistory:
        """All that is stored of a message."""
        return DynamoHistory(self._dynamodb, self._messages_table, self.rates)

    @cached_property
    def webhook_queue(self) -> SqsWebhookQueue:
        """What wakes a webhook."""
        return SqsWebhookQueue(self.client("sqs"), self._name_of("WebhookRetryQueue"))

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """The dead-letter queues."""
        # A function may take a minute to answer, and is asked once.
        patient = self._config.merge(Config(read_timeout=90, retries={"total_max_attempts": 1}))
        functions = self._session.client("lambda", endpoint_url=self._endpoint, config=patient)
        return DeadLetters(self.client("sqs"), functions, self.client("dynamodbstreams"), self._name_of)

    @cached_property
    def _messages_table(self) -> str:
        return self._name_of("MessagesTable")

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self.client("dynamodb")
        return client

    @cached_property
    def _registry_table(self) -> str:
        return self._name_of("RegistryTable")


def open_deployment(place: Place) -> Deployment:
    """The deployment at a place. Raises Failure if `make run` does not answer, or the AWS settings cannot be used."""
    return _on_this_machine(place.port) if place.local else _in_stack(place)


def _on_this_machine(port: int) -> Deployment:
    """What `make run` serves on a port. Raises Failure if nothing does."""
    door = f"http://127.0.0.1:{port}/aws"
    try:
        with httpx.Client(trust_env=False, timeout=10) as client:
            names: dict[str, str] = client.get(f"{door}/resources").raise_for_status().json()
            _check_names(names)
    except (httpx.HTTPError, ValueError) as error:
        raise Failure(
            f"No SpeechCall answers on port {port}: start it with `make run`, or give the port it runs on with --port."
        ) from error
    return Deployment(_made_up_session(), names.__getitem__, _LOCAL_CONFIG, door)


def _check_names(names: Any) -> None:
    """Raises ValueError unless this is what `make run` tells of itself: another program may have the port."""
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ValueError("no names of resources")
    if "RegistryTable" not in names:
        raise ValueError("no RegistryTable")


def _made_up_session() -> boto3.Session:
    """A session that knows nothing of the user's settings: no profile, file or variable disturbs it."""
    unset = {name: (None, None, default, to) for name, (_, _, default, to) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    nothing = (None, None, os.devnull, None)
    without_files = {**unset, "config_file": nothing, "credentials_file": nothing}
    return boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",
        region_name=LOCAL_REGION,
        botocore_session=botocore.session.Session(session_vars=without_files),
    )


def _in_stack(place: Place) -> Deployment:
    """A deployed stack, by the AWS settings of the command's user; its resources are looked up when they are needed.

    Raises Failure, or the BotoCoreError as it is, where the settings cannot be used.
    """
    try:
        session = boto3.Session(profile_name=place.profile, region_name=place.region)
        cloudformation = session.client("cloudformation", config=_CONFIG)
    except BotoCoreError:  # some are ValueErrors too, and `told` has a better sentence for them
        raise
    except ValueError as error:  # AWS_METADATA_SERVICE_NUM_ATTEMPTS=many, for one
        raise Failure(f"The settings of AWS, in the environment or its files, cannot be used: {error}.") from error

    def name_of(logical_id: str) -> str:
        # One at a time: DescribeStackResources tells of the first 100 only, and there are about as many.
        found = cloudformation.describe_stack_resource(StackName=place.stack or "", LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    return Deployment(session, name_of, _CONFIG)
