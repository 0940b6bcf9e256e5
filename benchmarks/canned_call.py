"""DynamoDB and Step Functions for one call, in a process of their own: an answered task is followed by a question.

The state machine takes no time at all: the next command is there at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.canned_dynamodb import JsonHandler, served


class _Call(JsonHandler):
    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = self.given
        if operation == "SendTaskSuccess":
            seq = int(item["seq"]["N"])
            item["done_seq"], item["seq"] = {"N": str(seq)}, {"N": str(seq + 1)}
            item["command"] = {"M": {"kind": {"S": "ask"}, "menu": {"N": "0"}}}
        elif operation == "PutItem":
            item.clear()
            item.update(request["Item"])
        return {"GetItem": {"Item": item}, "UpdateItem": {"Attributes": item}}.get(operation, {})


@contextmanager
def canned_call() -> Iterator[str]:
    """Its address. PutItem lays the call down, whatever it was before."""
    with served(_Call, {}) as address:
        yield address
