"""DynamoDB and Step Functions for one call, in a process of their own. The state machine never comes to anything.

Of what is written the call's log is kept, and the machine's next command: no condition is looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.canned_dynamodb import JsonHandler, served


class _Call(JsonHandler):
    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = self.given
        values = request.get("ExpressionAttributeValues", {})
        if ":entries" in values:
            item["log_entries"] = {"L": [*item["log_entries"]["L"], *values[":entries"]["L"]]}
            item["log_seq"] = values[":seq"]
            if ":at" in values:
                item["answered_msec"] = values[":at"]
        elif ":command" in values:
            item.update({name: values[f":{name}"] for name in ("command", "visit", "retry", "token")})
            item["seq"] = {"N": str(int(item["seq"]["N"]) + 1)}
        elif operation == "PutItem":
            item.clear()
            item.update(request["Item"])
        return {"GetItem": {"Item": item}, "UpdateItem": {"Attributes": item}}.get(operation, {})


@contextmanager
def canned_call() -> Iterator[str]:
    """Its address. PutItem lays the call down, whatever it was before."""
    with served(_Call, {}) as address:
        yield address
