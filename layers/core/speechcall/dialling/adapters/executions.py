"""Step Functions: starting executions. Apart from the answering of tasks, whose functions a caller waits for."""

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.dialling.use_cases.sweep import Execution
from speechcall.menus.adapters.machines import _NEVER_RUNS, MachineMissing, start_on_machine
from speechcall.shared.adapters.stepfunctions import engine_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


JUST_STARTED_SECONDS = 30
"""The sweeper asks after a minute, so an execution that is younger was started by its asking."""


def start_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
    """Starts an execution. True: it runs, whoever started it; False: it has ended before, or never can run."""
    try:
        return start_on_machine(client, flow_arn, name, execution_input)
    except MachineMissing:
        return False


def resume_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> Execution:
    """Starts an execution that should be running for a minute or more, and says what became of it.

    StartExecution is idempotent for a running execution of the same name and input, and answers with
    the date of its start; for one that has ended it answers ExecutionAlreadyExists (Step Functions API
    reference). So it does for one that runs with another input, which a function of another release has given it:
    then it is looked at. Nothing can run on a machine that somebody has deleted.
    """
    try:
        with engine_errors():
            found = client.start_execution(stateMachineArn=flow_arn, name=name, input=json.dumps(execution_input))
    except ClientError as error:
        if error_code(error) == "ExecutionAlreadyExists":
            return _running_or_ended(client, flow_arn, name)
        if error_code(error) in _NEVER_RUNS:
            return Execution.ENDED
        raise
    age = time.time() - found["startDate"].timestamp()
    return Execution.STARTED if age < JUST_STARTED_SECONDS else Execution.RUNS


def _running_or_ended(client: "SFNClient", flow_arn: str, name: str) -> Execution:
    execution_arn = f"{flow_arn.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        with engine_errors():
            found = client.describe_execution(executionArn=execution_arn)
    except ClientError as error:
        if error_code(error) == "ExecutionDoesNotExist":  # it ended so long ago that nothing is kept of it
            return Execution.ENDED
        raise
    return Execution.RUNS if found["status"] == "RUNNING" else Execution.ENDED
