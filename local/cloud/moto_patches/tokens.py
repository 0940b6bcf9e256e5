"""Repairs of moto's task tokens: each is found, is answered once and in time, and belongs to one try of a task."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import json
import threading
import time
from typing import Any
from weakref import WeakValueDictionary

from moto.core.exceptions import JsonRESTError
from moto.core.responses import EmptyResult
from moto.stepfunctions.exceptions import InvalidToken
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackEndpoint,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
    CallbackPoolManager,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from local.cloud.moto_patches.replace import Replacement, instead_of

ANSWER_MARGIN = 0.02
"""Seconds before a state's timeout after which its token is refused: what is accepted, the state still sees."""

_answering = threading.Lock()
_endpoints: WeakValueDictionary[str, CallbackEndpoint] = WeakValueDictionary()


def find_tokens_without_a_search() -> None:
    """SendTask* raises `'NoneType' object has no attribute 'callback_pool_manager'` while any execution is starting.

    Moto asks every running execution in turn; one whose definition is still being parsed has no environment. Here
    each token is known by itself, so the call takes the same time with one execution as with a thousand.
    """

    @instead_of(CallbackPoolManager, "add")
    def add(stock: Replacement, pool: Any, callback_id: str) -> Any:
        endpoint = stock(pool, callback_id)
        _endpoints[callback_id] = endpoint
        return endpoint

    @instead_of(StepFunctionsParserBackend, "send_task_success")
    def send_task_success(_stock: Replacement, _backend: Any, task_token: str, outcome: str) -> None:
        try:
            json.loads(outcome)
        except ValueError as error:
            raise JsonRESTError("InvalidOutput", f"Invalid Output: {error}") from error
        _endpoint(task_token).notify(CallbackOutcomeSuccess(task_token, outcome))

    @instead_of(StepFunctionsParserBackend, "send_task_failure")
    def send_task_failure(
        _stock: Replacement, _backend: Any, task_token: str, error: str | None = None, cause: str | None = None
    ) -> None:
        _endpoint(task_token).notify(CallbackOutcomeFailure(task_token, error, cause))

    @instead_of(StepFunctionsParserBackend, "send_task_heartbeat")
    def send_task_heartbeat(_stock: Replacement, _backend: Any, task_token: str) -> None:
        if not _endpoint(task_token).notify_heartbeat():
            raise too_late()


def _endpoint(token: str) -> Any:
    endpoint = _endpoints.get(token)
    if endpoint is None:
        raise InvalidToken
    return endpoint


def too_late() -> JsonRESTError:
    """The answer to who reports on a task that is over."""
    return JsonRESTError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def answer_tokens_once() -> None:
    """A second answer to a token, or one after its state has timed out, is accepted with 200 and goes nowhere.

    That is stock moto's symptom; here it is refused, TaskTimedOut.
    """

    @instead_of(CallbackEndpoint, "notify")
    def notify(stock: Replacement, endpoint: Any, outcome: Any) -> None:
        with _answering:  # of two answers at once the second has to see the event of the first
            # It is set by an answer, by a stop, and by the end of the try. `give_each_try_its_token` sets the deadline.
            deadline: float = getattr(endpoint, "deadline", float("inf"))
            if endpoint._notify_event.is_set() or time.monotonic() > deadline:
                raise too_late()
            stock(endpoint, outcome)


def give_each_try_its_token() -> None:
    """A retried task keeps its first try's token, which is spent: the retry ends at once with the first try's result.

    The time within which a token may be answered is set here too: it runs from the start of the try, as the state's
    timeout does, and not from the end of the Lambda call, as moto's wait does.
    """

    @instead_of(ExecutionState, "_evaluate_with_timeout")
    def evaluate_with_timeout(stock: Replacement, state: Any, env: Any) -> None:
        context = env.states.context_object.context_object_data
        endpoint = env.callback_pool_manager.get(context["Task"]["Token"]) if "Task" in context else None
        if endpoint is None:
            stock(state, env)
            return
        if context["State"]["RetryCount"] > 0:
            endpoint = env.callback_pool_manager.add(env.states.context_object.update_task_token())
        state.timeout.eval(env=env)
        endpoint.deadline = time.monotonic() + env.stack.pop() - ANSWER_MARGIN
        try:
            stock(state, env)
        finally:
            endpoint.interrupt_all()


def keep_the_cause_of_a_failure() -> None:
    """SendTaskFailure drops `cause`: a Catch sees null."""

    @instead_of(StepFunctionResponse, "send_task_failure")
    def send_task_failure(_stock: Replacement, response: Any) -> EmptyResult:
        response.stepfunction_backend.send_task_failure(
            response._get_param("taskToken"), error=response._get_param("error"), cause=response._get_param("cause")
        )
        return EmptyResult()
