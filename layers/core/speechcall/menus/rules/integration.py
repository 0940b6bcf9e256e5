"""Step Functions' service integrations: their names, in the partition of the stack, and what Lambda's reports."""

import re

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
