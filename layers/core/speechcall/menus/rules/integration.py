"""How a state asks a service: the integration's name, which failures are tried again, how often and after how long."""

import re
from typing import Any

from speechcall.shared.rules.errors import retryable_error_names
from speechcall.shared.rules.time_bounds import (
    COMMAND_RETRIES,
    RETRY_FACTOR,
    RETRY_FIRST_SECONDS,
    RETRY_LONGEST_SECONDS,
)

LAMBDA_ERRORS = [
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    # A function that ran out of time or memory, wherever it was: each command may be given again. Older runtimes
    # are reported by the first name, newer ones by the others.
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
]
"""What Lambda and its runtimes report that is no answer of ours (Step Functions developer guide, "Handling errors in
Step Functions workflows": "In newer runtimes, timeouts are reported as Sandbox.Timedout"; Lambda developer guide)."""

_PARTITION = re.compile(r"arn:(aws[a-z-]*):")


def integration(name: str, neighbour_arn: str) -> str:
    """The ARN of an integration ("sqs:sendMessage"); `neighbour_arn`, of anything of the stack, has the partition.

    Outside of `aws` (GovCloud: `aws-us-gov`) a definition with another partition is refused.
    """
    found = _PARTITION.match(neighbour_arn)
    return f"arn:{found[1] if found else 'aws'}:states:::{name}"


def retry_command(but: str = "") -> list[dict[str, Any]]:
    """The Retry of a state that invokes a function of ours; `but`: an error that is not tried again."""
    names = [name for name in [*retryable_error_names(), *LAMBDA_ERRORS] if name != but]
    return [retry_of(names, COMMAND_RETRIES)]


def retry_of(errors: list[str], attempts: int) -> dict[str, Any]:
    """One retrier of a state: after these errors it tries again, `attempts` times, with longer and longer pauses."""
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": RETRY_FIRST_SECONDS,
        "BackoffRate": RETRY_FACTOR,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": RETRY_LONGEST_SECONDS,
    }
