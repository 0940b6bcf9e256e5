"""The AWS account that the laptop cloud stands for: its Region and number, and the ARNs in it."""

REGION = "eu-central-1"
ACCOUNT = "123456789012"
PARTITION = "aws"


def arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """The ARN of a resource of this account."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:{rest}"
