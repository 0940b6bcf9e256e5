"""Step Functions: answering tasks and starting executions."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.application.sweep import Execution
from speechcall.domain.errors import EngineUnavailable

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_PASSES = {"ThrottlingException", "TooManyRequestsException", "StateMachineDeleting"}
_NEVER_RUNS = {"ExecutionAlreadyExists", "StateMachineDoesNotExist"}
_ANSWERED_BEFORE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}

JUST_STARTED_SECONDS = 30
"""The sweeper asks after a minute, so an execution that is younger was started by its asking."""


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
        with engine_errors():
            answer()
    except ClientError as error:
        if _code(error) in _ANSWERED_BEFORE:
            return False
        raise
    return True


def start_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
    """Starts an execution. True: it runs, whoever started it; False: it has ended before, or never can run."""
    return resume_execution(client, flow_arn, name, execution_input) is not Execution.ENDED


def resume_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> Execution:
    """Starts an execution that should be running for a minute or more, and says what became of it.

    StartExecution is idempotent for a running execution of the same name and input, and answers with
    the date of its start; for one that has ended it answers ExecutionAlreadyExists (Step Functions API
    reference). Nothing can run on a machine that somebody has deleted.
    """
    try:
        with engine_errors():
            found = client.start_execution(stateMachineArn=flow_arn, name=name, input=json.dumps(execution_input))
    except ClientError as error:
        if _code(error) in _NEVER_RUNS:
            return Execution.ENDED
        raise
    age = time.time() - found["startDate"].timestamp()
    return Execution.STARTED if age < JUST_STARTED_SECONDS else Execution.RUNS


@contextmanager
def engine_errors() -> Iterator[None]:
    """Maps what may pass to EngineUnavailable; other errors of the client stay what they are."""
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
