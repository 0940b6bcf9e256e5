"""Repairs of moto's executions: how they start, how they are stopped, and who learns of their end."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends
from moto.stepfunctions.responses import StepFunctionResponse

from local.cloud.moto_patches.replace import Replacement, instead_of

STARTING_SECONDS = 5.0
"""How long StopExecution waits for an execution that has just been started to have something to stop."""


@dataclass(frozen=True)
class ExecutionEnd:
    """An execution that has ended, however it did. Times are epoch milliseconds, as EventBridge gives them."""

    execution_arn: str
    state_machine_arn: str
    name: str
    status: str
    start_date: int
    stop_date: int
    input: str
    error: str | None
    cause: str | None


EndListener = Callable[[ExecutionEnd], None]
_listeners: list[EndListener] = []
_starting = threading.Lock()


def add_end_listener(listener: EndListener) -> Callable[[], None]:
    """Have `listener` called at the end of each execution, in the execution's own thread; the result takes it off."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def tell_of_each_end() -> None:
    """EventBridge hears nothing of executions: moto emits no "Step Functions Execution Status Change"."""

    @instead_of(BaseExecutionWorkerCommunication, "terminated")
    def terminated(stock: Replacement, communication: Any) -> None:
        stock(communication)
        execution = communication.execution
        end = ExecutionEnd(
            execution_arn=execution.exec_arn,
            state_machine_arn=execution.state_machine_arn,
            name=execution.name,
            status=execution.status,
            start_date=round(execution.start_date.timestamp() * 1000),
            stop_date=round(execution.stop_date.timestamp() * 1000),
            input=execution.execution_input,
            error=execution.error,
            cause=execution.cause,
        )
        for listener in tuple(_listeners):
            listener(end)


def start_each_name_once() -> None:
    """Two StartExecution calls with one name at the same time start two executions; a second one without a name none.

    Moto looks for the name and adds the execution in two steps. And an unnamed execution's ARN ends in `:None`, so the
    next one is refused or taken for the first. The lock makes it one step; a missing name becomes a uuid.
    """

    @instead_of(StepFunctionsParserBackend, "start_execution")
    def start_execution(
        stock: Replacement, backend: Any, arn: str, name: str | None = None, *args: Any, **more: Any
    ) -> Any:
        with _starting:
            return stock(backend, arn, name or str(uuid.uuid4()), *args, **more)

    @instead_of(StepFunctionsParserBackend, "create_state_machine")
    def create_state_machine(stock: Replacement, backend: Any, *args: Any, **more: Any) -> Any:
        with _starting:
            return stock(backend, *args, **more)


def stop_what_waits() -> None:
    """StopExecution, and the machine's own timeout, do not end a wait for a token: it goes on, for ever if it may.

    The pending callbacks are woken, and what their states make of that cannot change the end any more.
    """

    @instead_of(Environment, "set_stop")
    def set_stop(stock: Replacement, env: Any, *args: Any, **more: Any) -> None:
        stock(env, *args, **more)
        _wake(env)

    @instead_of(Environment, "set_timed_out")
    def set_timed_out(stock: Replacement, env: Any) -> None:
        stock(env)
        _wake(env)

    @instead_of(Environment, "set_error")
    def set_error(stock: Replacement, env: Any, error: Any) -> None:
        if not isinstance(env._program_state, (ProgramStopped, ProgramTimedOut)):
            stock(env, error)


def keep_the_cause_of_a_stop() -> None:
    """StopExecution drops `error` and `cause`, and raises AttributeError for an execution that is just starting."""

    @instead_of(BaseExecutionWorkerCommunication, "_reflect_execution_status")
    def reflect(stock: Replacement, communication: Any) -> None:
        stock(communication)
        state = communication.execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):
            communication.execution.error, communication.execution.cause = state.error, state.cause

    @instead_of(StepFunctionResponse, "stop_execution")
    def stop_execution(_stock: Replacement, response: Any) -> ActionResult:
        execution = response.stepfunction_backend.describe_execution(response._get_param("executionArn"))
        now = utcnow()
        if execution.status == "RUNNING":
            stop(execution, error=response._get_param("error"), cause=response._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date or now})


def stop(execution: Any, error: str | None, cause: str | None) -> None:
    """Abort moto's `execution`; one that has just been started is given the time to come into being."""
    deadline = time.monotonic() + STARTING_SECONDS
    while (env := execution.exec_worker.env) is None or env._program_state is None:
        if time.monotonic() > deadline:
            return
        time.sleep(0.002)
    execution.stop(stop_date=utcnow(), error=error, cause=cause)


def stop_all(account: str, region: str, cause: str) -> None:
    """Abort whatever runs, so that no thread of the engine waits on for an answer that nobody gives."""
    for machine in stepfunctions_parser_backends[account][region].state_machines:
        for execution in tuple(machine.executions):
            if execution.status == "RUNNING":
                stop(execution, error=None, cause=cause)


def _wake(env: Any) -> None:
    for endpoint in tuple(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()
