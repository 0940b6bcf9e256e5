"""Step Functions: answering the tasks that wait."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from speechcall.shared.rules.errors import EngineUnavailable

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from speechcall.shared.use_cases.tasks import TaskAnswer

_PASSES = {"ThrottlingException", "TooManyRequestsException", "StateMachineDeleting"}
_ANSWERED_BEFORE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


class TaskEngine:
    """An `Engine`: answers the tasks that wait with a token."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def succeed(self, token: str, output: "TaskAnswer") -> bool:
        return _answer(lambda: self._client.send_task_success(taskToken=token, output=json.dumps(output)))

    def fail(self, token: str, error: str, cause: str) -> bool:
        return _answer(lambda: self._client.send_task_failure(taskToken=token, error=error, cause=cause[:32768]))


def _answer(send: Callable[[], object]) -> bool:
    """Sends the answer of a task; whether Step Functions took it.

    False: the task was answered before, has timed out, or is not there. Raises EngineUnavailable; ClientError for what
    no repeat would change.
    """
    try:
        with engine_errors():
            send()
    except ClientError as error:
        if error_code(error) in _ANSWERED_BEFORE:
            return False
        raise
    return True


@contextmanager
def engine_errors() -> Iterator[None]:
    """Maps what may pass to EngineUnavailable; other errors of the client stay what they are."""
    try:
        yield
    except ClientError as error:
        failed_there = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
        if failed_there or error_code(error) in _PASSES:
            raise EngineUnavailable(error_code(error)) from error
        raise
    except BotoCoreError as error:
        raise EngineUnavailable(type(error).__name__) from error


def error_code(error: ClientError) -> str:
    """What the service calls its refusal."""
    return error.response.get("Error", {}).get("Code", "")
