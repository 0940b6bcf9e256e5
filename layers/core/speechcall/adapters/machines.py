"""Step Functions: the machines that there are, and the end of one.

Source: Step Functions API reference, ListStateMachines, DeleteStateMachine (asynchronous; executions that run end at
their next transition; deleting one that is gone succeeds).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from speechcall.adapters.stepfunctions import engine_errors

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
