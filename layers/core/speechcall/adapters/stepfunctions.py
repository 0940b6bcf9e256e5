"""Step Functions: answering tasks, publishing machines, starting executions."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.adapters.dynamodb.registry import Registry
from speechcall.domain.errors import EngineUnavailable
from speechcall.domain.message import Menu
from speechcall.statemachine.compile_flow import Wiring, compile_flow
from speechcall.statemachine.publication import LOGGING, publication

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_PASSES = {"ThrottlingException", "TooManyRequestsException", "StateMachineDeleting"}
_ANSWERED_BEFORE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class TaskEngine:
    """An `Engine`: answers the tasks that wait with a token."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        return _first(lambda: self._client.send_task_success(taskToken=token, output=json.dumps(dict(output))))

    def fail(self, token: str, error: str, cause: str) -> bool:
        return _first(lambda: self._client.send_task_failure(taskToken=token, error=error, cause=cause[:32768]))


def _first(answer: Callable[[], object]) -> bool:
    """Whether this answer was the first: Step Functions refuses every other."""
    try:
        with _engine_errors():
            answer()
    except ClientError as error:
        if _code(error) in _ANSWERED_BEFORE:
            return False
        raise
    return True


class PublishedFlows:
    """The state machines of this stack, by the hash in their names."""

    def __init__(self, client: "SFNClient", registry: Registry, wiring: Wiring, role_arn: str, prefix: str) -> None:
        self._client, self._registry, self._wiring = client, registry, wiring
        self._role_arn, self._prefix = role_arn, prefix
        self._known: dict[str, str] = {}

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, created if it is new. Raises RetryableError."""
        wanted = publication(compile_flow(menus, self._wiring), self._role_arn, self._prefix)
        arn = self._known.get(wanted.name) or self._registry.find_flow(wanted.name)
        if arn is None:
            with _engine_errors():
                # Two dialers may create the same shape at once: CreateStateMachine is idempotent.
                created = self._client.create_state_machine(
                    name=wanted.name,
                    definition=wanted.definition,
                    roleArn=wanted.role_arn,
                    type="STANDARD",
                    loggingConfiguration={"level": LOGGING["level"], "includeExecutionData": False},
                )
            arn = created["stateMachineArn"]
            self._registry.put_flow(wanted.name, arn)
        self._known[wanted.name] = arn
        return arn

    def start(self, flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        return start_execution(self._client, flow_arn, name, execution_input)


def start_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
    """Starts an execution. True: it runs, whoever started it; False: it has ended before.

    StartExecution is idempotent for a running execution of the same name and input; for one that has
    ended it answers ExecutionAlreadyExists (Step Functions API reference).
    """
    try:
        with _engine_errors():
            client.start_execution(stateMachineArn=flow_arn, name=name, input=json.dumps(execution_input))
    except ClientError as error:
        if _code(error) == "ExecutionAlreadyExists":
            return False
        raise
    return True


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        failed_there = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        if failed_there or _code(error) in _PASSES:
            raise EngineUnavailable(_code(error)) from error
        raise
    except BotoCoreError as error:
        raise EngineUnavailable(type(error).__name__) from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
