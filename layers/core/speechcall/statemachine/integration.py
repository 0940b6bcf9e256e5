"""The names of Step Functions' service integrations, in the partition that the stack is in."""

import re

_PARTITION = re.compile(r"arn:(aws[a-z-]*):")


def integration(name: str, neighbour_arn: str) -> str:
    """The ARN of an integration ("sqs:sendMessage"); `neighbour_arn`, of anything of the stack, has the partition.

    Outside of `aws` (GovCloud: `aws-us-gov`) a definition with another partition is refused.
    """
    found = _PARTITION.match(neighbour_arn)
    return f"arn:{found[1] if found else 'aws'}:states:::{name}"
