"""Step Functions: the machines that there are, an execution on one, and the end of one.

Source: Step Functions API reference, ListStateMachines, DeleteStateMachine (asynchronous; executions that run end at
their next transition; deleting one that is gone succeeds), StartExecution.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from speechcall.shared.adapters.stepfunctions import engine_errors, error_code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

PAGE = 1000


class MachineMissing(Exception):
    """There is no state machine of this ARN: somebody has deleted it, or it was made so lately that not all know it."""


def begin_execution(
    client: "SFNClient", flow_arn: str, name: str, execution_input: Mapping[str, object]
) -> datetime | None:
    """Starts an execution; returns when it began, which for a running one of this input is the time of its first start.

    None: Step Functions says that there is one of this name, which has ended or has another input. Raises
    MachineMissing, EngineUnavailable.
    """
    try:
        with engine_errors():
            begun = client.start_execution(stateMachineArn=flow_arn, name=name, input=json.dumps(execution_input))
    except ClientError as error:
        if error_code(error) == "StateMachineDoesNotExist":
            raise MachineMissing from error
        if error_code(error) == "ExecutionAlreadyExists":
            return None
        raise
    return begun["startDate"]


def machines_of(client: "SFNClient", prefix: str) -> Iterator[tuple[str, str]]:
    """Name and ARN of every machine of the stack whose names begin with `prefix`. Raises EngineUnavailable."""
    with engine_errors():
        for page in client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": PAGE}):
            for one in page["stateMachines"]:
                if one["name"].startswith(f"{prefix}-"):
                    yield one["name"], one["stateMachineArn"]


def delete_machine(client: "SFNClient", arn: str) -> None:
    """Has a machine deleted, which may take a while; one that is gone is no error. Raises EngineUnavailable."""
    with engine_errors():
        client.delete_state_machine(stateMachineArn=arn)
