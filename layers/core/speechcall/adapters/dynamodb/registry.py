"""Prompts and published flows, in the table Registry."""

import hashlib
from typing import TYPE_CHECKING

from speechcall.adapters.dynamodb.table import Values, from_wire, store_errors, to_wire
from speechcall.application.prepare_prompts import Prompt
from speechcall.domain.address import is_url

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Registry:
    """What is known beside the messages. Lookups by key only; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def has_prompt(self, account_id: str, identifier: str) -> bool:
        return self._get(f"PROMPT#{account_id}", _prompt_name(identifier)) is not None

    def get_prompt(self, account_id: str, name: str) -> tuple[Prompt, int] | None:
        found = self._get(f"PROMPT#{account_id}", _prompt_name(name))
        return (Prompt(found["uri"], float(found["seconds"])), found["stored_msec"]) if found else None

    def put_prompt(self, account_id: str, name: str, prompt: Prompt, now_msec: int) -> None:
        values = {"name": name, "uri": prompt.uri, "seconds": prompt.seconds, "stored_msec": now_msec}
        self._put(f"PROMPT#{account_id}", _prompt_name(name), values)

    def uploaded_prompts(self, account_id: str) -> list[tuple[str, Prompt, int]]:
        """The prompts that have an identifier, by it: identifier, prompt, when it was stored (epoch milliseconds)."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :identifiers)",
            ExpressionAttributeValues=to_wire({":pk": f"PROMPT#{account_id}", ":identifiers": _prompt_name("")}),
            ConsistentRead=True,
        )
        with store_errors():
            found = [from_wire(item) for page in pages for item in page["Items"]]
        return [(item["name"], Prompt(item["uri"], float(item["seconds"])), item["stored_msec"]) for item in found]

    def find_flow(self, name: str) -> str | None:
        """The ARN of a state machine that was published under `name`."""
        found = self._get(f"FLOW#{name}", "FLOW")
        return found["arn"] if found else None

    def put_flow(self, name: str, arn: str) -> None:
        self._put(f"FLOW#{name}", "FLOW", {"arn": arn})

    def _get(self, pk: str, sk: str) -> Values | None:
        with store_errors():
            found = self._client.get_item(TableName=self._table, Key=to_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None

    def _put(self, pk: str, sk: str, values: Values) -> None:
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire({"pk": pk, "sk": sk, **values}))


def _prompt_name(name: str) -> str:
    """A URL may be longer than a sort key can be."""
    return f"URL#{hashlib.sha256(name.encode()).hexdigest()}" if is_url(name) else f"ID#{name}"
