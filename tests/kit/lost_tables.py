"""Tables that are lost in the middle of calls, and put back from a copy: the laptop cloud, and what became of whom."""

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from cli.deployment import Deployment
from cli.stack.identity import Identity
from cli.stack.restoring import Report, Restoring, Source
from local.cloud.template import STACK_ID
from speechcall.evidence.rules.audit import Change

TABLES = ("RegistryTable", "MessagesTable")


def items_of(table: str) -> list[dict[str, Any]]:
    """All items, as they are."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("pk", "sk")}


def copy_tables(template: Any) -> list[Source]:
    """A copy of each table as it is now, as point-in-time recovery would make it."""
    sources = []
    dynamodb = boto3.client("dynamodb")
    for logical in TABLES:
        source = Source(template.ref(logical), f"{logical}-copy")
        dynamodb.create_table(
            TableName=source.copy,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in items_of(source.live):
            dynamodb.put_item(TableName=source.copy, Item=item)
        sources.append(source)
    return sources


def lose_tables(sources: list[Source]) -> None:
    """Everything that is in the live tables."""
    for source in sources:
        for item in items_of(source.live):
            boto3.client("dynamodb").delete_item(TableName=source.live, Key=_key(item))


def restore_tables(template: Any, sources: list[Source], at: datetime) -> Report:
    """What the command does once the copies are there."""
    deployment = Deployment(boto3.Session(), template.ref, Config())
    lasting = tuple(("AWS::DynamoDB::Table", logical, template.ref(logical)) for logical in TABLES)
    stack = Identity("laptop", STACK_ID, "CREATE_COMPLETE", False, lasting, ())
    with deployment.trail.recording(lambda: Change("stack restore", deployment.actor)):
        return Restoring(deployment, stack, sources, at).carry_out(lambda _line: None)


def now() -> datetime:
    """The moment of a copy."""
    return datetime.now(UTC)
