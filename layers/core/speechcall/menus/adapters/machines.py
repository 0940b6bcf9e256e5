"""Step Functions: the machines that there are, and the end of one.

Source: Step Functions API reference, ListStateMachines, DeleteStateMachine (asynchronous; executions that run end at
their next transition; deleting one that is gone succeeds).
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.shared.adapters.stepfunctions import engine_errors, error_code

_NEVER_RUNS = {"ExecutionAlreadyExists", "StateMachineDoesNotExist"}


class MachineMissing(Exception):
    """There is no state machine of this ARN: somebody has deleted it, or it was made so lately that not all know it."""


def start_on_machine(client: "SFNClient", flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
    """Starts an execution. True: it runs, whoever started it; False: it has ended before. Raises MachineMissing."""
    try:
        with engine_errors():
            client.start_execution(stateMachineArn=flow_arn, name=name, input=json.dumps(execution_input))
    except ClientError as error:
        if error_code(error) == "StateMachineDoesNotExist":
            raise MachineMissing from error
        if error_code(error) in _NEVER_RUNS:
            return False
        raise
    return True


if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

PAGE = 1000


def machines_of(client: "SFNClient", prefix: str) -> Iterator[tuple[str, str]]:
    """Name and ARN of every machine of this stack. Raises EngineUnavailable."""
    with engine_errors():
        for page in client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": PAGE}):
            for one in page["stateMachines"]:
                if one["name"].startswith(f"{prefix}-"):
                    yield one["name"], one["stateMachineArn"]


def delete_machine(client: "SFNClient", arn: str) -> None:
    """Raises EngineUnavailable."""
    with engine_errors():
        client.delete_state_machine(stateMachineArn=arn)
