"""EventBridge's default bus: an event goes to every function with a rule that matches it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.cloud.account import ACCOUNT, REGION
from local.cloud.moto_patches.executions import ExecutionEnd
from local.cloud.template import Template
from local.cloud.triggers.event_filter import EventFilter


@dataclass(frozen=True)
class _Rule:
    function_arn: str
    filter: EventFilter


class EventBus:
    """The rules of a template; `submit` invokes a function asynchronously, with its retries."""

    def __init__(self, template: Template, submit: Callable[[str, Any], None]) -> None:
        self._submit = submit
        self._rules = [
            _Rule(function.arn, EventFilter([event.properties["Pattern"]]))
            for function in template.functions.values()
            for event in function.events
            if event.type == "EventBridgeRule"
        ]

    def put(self, event: dict[str, Any]) -> None:
        """Take an event: `source`, `detail-type` and `detail` at least; the envelope's other members are added."""
        envelope = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": ACCOUNT,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [],
            **event,
        }
        for rule in self._rules:
            if rule.filter.matches(envelope):
                self._submit(rule.function_arn, envelope)


def execution_ended(end: ExecutionEnd) -> dict[str, Any]:
    """The event that Step Functions puts on the bus when an execution has ended."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "resources": [end.execution_arn],
        "detail": {
            "executionArn": end.execution_arn,
            "stateMachineArn": end.state_machine_arn,
            "name": end.name,
            "status": end.status,
            "startDate": end.start_date,
            "stopDate": end.stop_date,
            "input": end.input,
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": None,
            "error": end.error,
            "cause": end.cause,
        },
    }
