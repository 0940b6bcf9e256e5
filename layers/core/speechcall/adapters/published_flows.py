"""Step Functions: publishing the machines that are built from menus."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.adapters.dynamodb.registry import Registry
from speechcall.adapters.executions import start_execution
from speechcall.adapters.stepfunctions import engine_errors
from speechcall.domain.errors import EngineUnavailable, MenusRefused
from speechcall.domain.message import Menu
from speechcall.statemachine.compile_flow import Wiring, compile_flow
from speechcall.statemachine.publication import LOGGING, Publication, publication

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_REFUSALS = {"InvalidDefinition"}
"""For good, whoever asks (Step Functions API reference, CreateStateMachine). A role that is missing or a quota that is
used up are the operator's to mend: those messages are tried again as long as their time lasts."""
CREATE_PAUSE_SECONDS = 1.0
"""Step Functions creates one machine a second in the long run (quotas, CreateStateMachine: refill 1)."""


class PublishedFlows:
    """The state machines of this stack, by the hash in their names."""

    def __init__(
        self,
        client: "SFNClient",
        registry: Registry,
        wiring: Wiring,
        role_arn: str,
        prefix: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._registry, self._wiring = client, registry, wiring
        self._role_arn, self._prefix = role_arn, prefix
        self._known: dict[str, str] = {}
        self._monotonic, self._creates_again_at = monotonic, float("-inf")

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, created if it is new. Raises RetryableError, MenusRefused."""
        wanted = publication(compile_flow(menus, self._wiring), self._role_arn, self._prefix)
        arn = self._known.get(wanted.name) or self._registry.find_flow(wanted.name)
        if arn is None:
            arn = self._create(wanted)
            self._registry.put_flow(wanted.name, arn)
        self._known[wanted.name] = arn
        return arn

    def _create(self, wanted: Publication) -> str:
        """Refused once, this process asks for no other machine for a second: a refusal with its tries takes time
        that messages whose machine is there could have.
        """
        if self._monotonic() < self._creates_again_at:
            raise EngineUnavailable("waits to create a state machine")
        try:
            with engine_errors():
                # Two dialers may create the same shape at once: CreateStateMachine is idempotent.
                created = self._client.create_state_machine(
                    name=wanted.name,
                    definition=wanted.definition,
                    roleArn=wanted.role_arn,
                    type="STANDARD",
                    loggingConfiguration={"level": LOGGING["level"], "includeExecutionData": False},
                )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _REFUSALS:
                raise MenusRefused("Step Functions does not take the state machine that these menus become") from error
            raise
        except EngineUnavailable:
            self._creates_again_at = self._monotonic() + CREATE_PAUSE_SECONDS
            raise
        return created["stateMachineArn"]

    def start(self, flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        return start_execution(self._client, flow_arn, name, execution_input)
