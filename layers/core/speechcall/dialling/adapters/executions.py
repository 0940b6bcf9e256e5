"""Step Functions: whether an execution runs that should."""

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.dialling.use_cases.sweep import Execution
from speechcall.menus.adapters.machines import MachineMissing, begin_execution
from speechcall.shared.adapters.stepfunctions import engine_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

JUST_STARTED_SECONDS = 30
"""The sweeper asks after a minute, so an execution that is younger was started by its asking."""


def resume_execution(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> Execution:
    """Starts an execution that should be running for a minute or more, and says what became of it.

    StartExecution is idempotent for a running execution of the same name and input, and answers with
    the date of its start; for one that has ended it answers ExecutionAlreadyExists (Step Functions API
    reference). It answers the same for one that runs with another input, given by a function of another release; so
    after that answer the execution is looked up. Nothing can run on a machine that was deleted. Raises
    EngineUnavailable, and what else the client raises.
    """
    try:
        begun = begin_execution(client, flow_arn, name, execution_input)
    except MachineMissing:
        return Execution.ENDED
    if begun is None:
        return _running_or_ended(client, flow_arn, name)
    age = time.time() - begun.timestamp()
    return Execution.STARTED if age < JUST_STARTED_SECONDS else Execution.RUNS


def _running_or_ended(client: "SFNClient", flow_arn: str, name: str) -> Execution:
    """Whether the execution of this name runs, by its record in Step Functions."""
    execution_arn = f"{flow_arn.replace(':stateMachine:', ':execution:')}:{name}"
    try:
        with engine_errors():
            found = client.describe_execution(executionArn=execution_arn)
    except ClientError as error:
        if error_code(error) == "ExecutionDoesNotExist":  # it ended so long ago that nothing is kept of it
            return Execution.ENDED
        raise
    return Execution.RUNS if found["status"] == "RUNNING" else Execution.ENDED
