"""May another telephony place the stack's calls? Not while a message is unfinished: its call, its introduction and what
it says of itself are those of the telephony that it was accepted for.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from speechcall.deployment.rules.checks import why_not_another_provider
from speechcall.shared.adapters.keys import LATER, SETTLING, due_shards

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient

UNFINISHED = (*(shard for state in ("preparing", "queued", "calling") for shard in due_shards(state)), LATER, SETTLING)
"""The parts of the index of what is due that hold unfinished messages."""


def provider_of(parameters: Mapping[str, str]) -> str:
    """Who placed the calls under these properties of the check; a release before did not name them."""
    return parameters.get("TelephonyProvider") or ("connect" if parameters.get("ConnectInstanceArn") else "chime")


def changes_provider(given: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Whether an update changes who places the calls."""
    return bool(before) and provider_of(given) != provider_of(before)


def why_not_changed(
    given: Mapping[str, str],
    before: Mapping[str, str],
    stack_id: str,
    cloudformation: "CloudFormationClient",
    dynamodb: "DynamoDBClient",
) -> str | None:
    """Why the stack's provider may not change now, from that of `before` to that of `given`; None: it may.

    In: the parameters before the update and now. Raises ClientError.
    """
    outputs = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0].get("Outputs", [])
    table = next((one["OutputValue"] for one in outputs if one["OutputKey"] == "MessagesTableName"), None)
    if table is None:  # the first deployment failed: there was never a message
        return None
    is_unfinished = any(_holds_one(dynamodb, table, shard) for shard in UNFINISHED)
    return why_not_another_provider(provider_of(before), provider_of(given), is_unfinished=is_unfinished)


def _holds_one(dynamodb: "DynamoDBClient", table: str, shard: str) -> bool:
    """Whether there is an item in this shard of the index `due`."""
    found = dynamodb.query(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard",
        ExpressionAttributeValues={":shard": {"S": shard}},
        Limit=1,
    )
    return bool(found["Items"])
