"""How much of AWS Lambda the account has."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def unreserved_executions(client: "LambdaClient") -> int:
    """Concurrent executions in this Region that are not reserved for a function. In: boto3's client of Lambda.

    Raises ClientError.
    """
    return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
