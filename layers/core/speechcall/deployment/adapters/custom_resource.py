"""The answer of a custom resource to CloudFormation.

Source: CloudFormation user guide, "Custom resource request and response": a PUT of JSON to the presigned URL of the
request, without a Content-Type (it is not signed); at most 4,096 bytes.
"""

import json
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

PAUSES_SECONDS = (0.5, 1.5)
"""Between the tries. Who is not answered waits for the resource's ServiceTimeout."""
ANSWER_SECONDS = 5
REASON_CHARACTERS = 2000


def response(
    event: Mapping[str, Any], physical_id: str, refusal: str | None, attributes: Mapping[str, str] | None = None
) -> dict[str, object]:
    """What CloudFormation is told.

    In: its request; why the resource fails (`refusal`); None: it does not; what GetAtt gives of it. `physical_id` stays
    the same from request to request: under a new one CloudFormation would delete the old resource.
    """
    return {
        "Status": "FAILED" if refusal else "SUCCESS",
        "Reason": (refusal or "")[:REASON_CHARACTERS],
        "PhysicalResourceId": physical_id,
        "Data": dict(attributes or {}),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }


def send(url: str, answer: Mapping[str, object]) -> bool:
    """Gives the answer to CloudFormation, in three tries; whether it took it. `url`: the request's ResponseURL."""
    body = json.dumps(answer).encode()
    for pause in (0.0, *PAUSES_SECONDS):
        time.sleep(pause)
        request = urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
                return True
        except (OSError, HTTPException):
            continue
    return False


def stack_status(cloudformation: "CloudFormationClient", stack_id: str) -> str:
    """What CloudFormation is doing with the stack. In: boto3's client of it."""
    return str(cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])


def rolls_back(cloudformation: "CloudFormationClient", stack_id: str) -> bool:
    """Whether the stack returns to what it was; that must not fail, whatever it was."""
    return "ROLLBACK" in stack_status(cloudformation, stack_id)
