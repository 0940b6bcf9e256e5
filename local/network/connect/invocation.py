"""How a contact flow invokes a Lambda function: the event it sends, its retries, and what it accepts as an answer.

Source: Amazon Connect administrator guide, "Grant Amazon Connect access to your AWS Lambda functions".
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from local.network.connect.flow_runner import Failed, Returned
from local.network.shared.invoker import Invoker

RETRIES = 3
MAX_ANSWER_BYTES = 32 * 1024
CHAIN_SECONDS = 20.0
"""The most that invocations may take together while the caller hears nothing between them."""


def contact_flow_event(
    *,
    contact_id: str,
    instance_arn: str,
    number: str,
    caller_id: str,
    attributes: Mapping[str, str],
    parameters: Mapping[str, str],
    initiated_by: str = "API",
) -> dict[str, Any]:
    """The event of one invocation. The customer is who was called, or, of an INBOUND contact, who calls."""
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": dict(attributes),
                "Channel": "VOICE",
                "ContactId": contact_id,
                "CustomerEndpoint": {"Address": number, "Type": "TELEPHONE_NUMBER"},
                "CustomerId": None,
                "Description": None,
                "InitialContactId": contact_id,
                "InitiationMethod": initiated_by,
                "InstanceARN": instance_arn,
                "LanguageCode": "en-US",
                "MediaStreams": {"Customer": {"Audio": None}},
                "Name": None,
                "PreviousContactId": contact_id,
                "Queue": None,
                "References": {},
                "SystemEndpoint": {"Address": caller_id, "Type": "TELEPHONE_NUMBER"},
            },
            "Parameters": dict(parameters),
        },
    }


def invoke_function(
    invoke: Invoker, function_arn: str, event: dict[str, Any], limit_seconds: float
) -> Returned | Failed:
    """Invoke until an answer, at most RETRIES times again after a function's error, all within the limit.

    An answer that cannot be read, or that comes too late, is not asked for again: it takes the error branch.
    """
    deadline = time.monotonic() + limit_seconds
    reason = ""
    for _ in range(1 + RETRIES):
        try:
            answer = invoke(function_arn, event)
        except Exception as error:  # noqa: BLE001 - whatever befell the function, to the flow it is one error
            reason = f"{type(error).__name__}: {error}"
        else:
            reason = _refusal(answer)
            if not reason and time.monotonic() < deadline:
                return Returned(answer)
            break
        if time.monotonic() >= deadline:
            break
    return Failed(reason or f"no answer within {limit_seconds:g} s")


def _refusal(answer: Any) -> str:
    """Why Connect does not take the answer as a STRING_MAP (flat text to text, at most 32 KB as JSON); or ""."""
    if not isinstance(answer, dict):
        return "the answer is not an object"
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in answer.items()):
        return "the answer is not a flat map of text to text"
    if len(json.dumps(answer, ensure_ascii=False).encode()) > MAX_ANSWER_BYTES:
        return f"the answer is over {MAX_ANSWER_BYTES} bytes"
    return ""
