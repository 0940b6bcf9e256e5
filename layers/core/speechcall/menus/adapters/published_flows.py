"""Step Functions: publishing the machines that are built from menus."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.adapters.machines import MachineMissing, begin_execution
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.publication import UNWATCHED, Publication, Watching, publication
from speechcall.menus.rules.retirement import BELIEVED_SECONDS
from speechcall.shared.adapters.stepfunctions import engine_errors
from speechcall.shared.rules.errors import EngineUnavailable, MenusRefused

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import TagTypeDef

_REFUSALS = {"InvalidDefinition"}
"""For good (Step Functions API reference, CreateStateMachine). A role that is missing or a quota that is
used up are the operator's to fix: those messages are tried again as long as their time lasts."""
MISSING_PAUSES_SECONDS = (0.2, 1.0, 2.0)
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
        tags: str = "",
        watching: Watching = UNWATCHED,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`prefix`: how the names of this stack's machines begin; `tags`: as `tags_of` takes them, empty: none."""
        self._client, self._registry, self._wiring = client, registry, wiring
        self._role_arn, self._prefix = role_arn, prefix
        self._watching = watching
        self._logging: Any = watching.logging
        self._tags: Any = {"tags": tags_of(tags)} if tags else {}
        if watching.is_traced:
            self._tags["tracingConfiguration"] = {"enabled": True}
        self._known: dict[str, tuple[str, float]] = {}
        """ARN, and until when (`monotonic`) it is believed to be there, by name."""
        self._last: Publication | None = None
        self._sleep = sleep
        self._monotonic, self._creates_again_at = monotonic, float("-inf")

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, created if it is new; `start` may be asked for it next.

        Raises RetryableError: it may work later; MenusRefused: never.
        """
        wanted = publication(compile_flow(menus, self._wiring), self._role_arn, self._prefix, self._watching)
        self._last = wanted
        arn, until = self._known.get(wanted.name, ("", float("-inf")))
        if self._monotonic() < until:
            return arn
        found = self._registry.find_flow(wanted.name)
        return self._believe(wanted, found) if found else self._make(wanted)

    def _make(self, wanted: Publication) -> str:
        arn = self._create(wanted)
        self._registry.put_flow(wanted.name, arn)
        return self._believe(wanted, arn)

    def _believe(self, wanted: Publication, arn: str) -> str:
        self._known[wanted.name] = arn, self._monotonic() + BELIEVED_SECONDS
        return arn

    def _create(self, wanted: Publication) -> str:
        """Creates a machine; its ARN. Raises EngineUnavailable, MenusRefused.

        After EngineUnavailable this process creates no other machine for a second: a request that fails so, with its
        repeats, takes time that messages whose machines are there could have.
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
                    loggingConfiguration=self._logging,
                    # No part of what makes it idempotent: the first dialer's tags stay (API reference).
                    **self._tags,
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
        """Starts an execution, `name`, on the machine that was published last, which is made again if it is not there.

        True: it runs, also if it did before with this input. False: one of this name has ended, or has other input.
        Raises RetryableError, MenusRefused.

        Made again, the machine has the same ARN. One that was made a moment ago may not be known everywhere, hence the
        pauses (Step Functions API reference, CreateStateMachine: eventually consistent).
        """
        for pause in MISSING_PAUSES_SECONDS:
            try:
                return begin_execution(self._client, flow_arn, name, execution_input) is not None
            except MachineMissing:
                if self._last is None or not flow_arn.endswith(self._last.name):
                    break
                self._make(self._last)
                self._sleep(pause)
        self._known.clear()
        raise EngineUnavailable("there is no such state machine")


def tags_of(text: str) -> "list[TagTypeDef]":
    """`team=voice,stage=prod` (template.yaml's MachineTags, which says what is valid) as Step Functions takes it."""
    pairs = (one.partition("=") for one in text.split(","))
    return [{"key": key.strip(), "value": value.strip()} for key, _, value in pairs]
