"""A table's deletion protection, set apart from CloudFormation.

Source: DynamoDB API reference, UpdateTable (`DeletionProtectionEnabled`; ResourceInUseException while another update
of the table is under way) and DeleteTable (ValidationException for a protected table).
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 8.0)


class TableNotReady(Exception):
    """Another update of the table has not come to its end."""


def protect_all(dynamodb: "DynamoDBClient", tables: Iterable[str], *, on: bool) -> None:
    """`protect` for each table, also where that of another one failed. Then the last error is raised in the end."""
    failed: Exception | None = None
    for table in sorted(tables):
        try:
            protect(dynamodb, table, on=on)
        except (ClientError, TableNotReady) as error:
            failed = error
    if failed:
        raise failed


def protect(dynamodb: "DynamoDBClient", table: str, *, on: bool) -> None:
    """Makes the table refuse to be deleted, or (not `on`) lets it. A table that is gone needs nothing.

    Raises TableNotReady, ClientError. In: boto3's client of DynamoDB.
    """
    for pause in (0.0, *PAUSES_SECONDS):
        time.sleep(pause)
        try:
            if dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled", False) is on:
                return
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=on)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                return
            if code not in ("ResourceInUseException", "LimitExceededException"):
                raise
        else:
            return
    raise TableNotReady(table)
