"""The part of the API's description that is about rehearsals."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from speechcall.rehearsal.rules.rehearsal_job import (
    DEFAULT_SEEDS,
    KEPT_SECONDS,
    MOST_A_DAY,
    MOST_MESSAGES,
    MOST_SEEDS,
    MOST_START_SECONDS,
)

CALLEES = Path(__file__).parents[2] / "docs" / "callees.schema.json"
_REF = "#/components/schemas/"


def rehearsal_schemas(messagelist: dict[str, Any]) -> dict[str, Any]:
    """The schemas of requests, made of that of a list that is sent."""
    properties = messagelist["properties"]
    longer = {**properties["messages"], "maxItems": MOST_MESSAGES}
    own = {
        "callees": {"$ref": f"{_REF}Callees"},
        "seeds": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_SEEDS,
            "description": f"How often the list is rehearsed, each with other chances. Default: {DEFAULT_SEEDS}.",
        },
        "start": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When the list would be sent, with an offset: from now on, at most "
            f"{MOST_START_SECONDS // 86_400} days ahead. What waits now is taken to wait then. Default: now.",
        },
    }
    listed = {
        **messagelist,
        "required": ["messages", "callees"],
        "properties": {**properties, "messages": longer, **own},
    }
    return {"RehearsedList": listed, "Callees": _callees()}


def _callees() -> dict[str, Any]:
    schema = json.loads(CALLEES.read_text(encoding="utf-8"))
    parts = schema.pop("$defs")
    del schema["$schema"], schema["title"]
    return dict(_inlined(schema, parts))


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema with its own definitions where they are referred to."""
    if isinstance(schema, list):
        return [_inlined(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _inlined(value, parts) for name, value in schema.items() if name != "$ref"}
    return {**parts[schema["$ref"].rpartition("/")[2]], **inner} if "$ref" in schema else inner


def rehearsal_paths(
    by_id: dict[str, Any], answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]]
) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    own = {
        400: "The list would not be accepted as it is, or who is called cannot be drawn; each place is named.",
        404: "There is none of this id in this account, or it has expired.",
        409: "Another list of the account is being rehearsed.",
        413: "The body is larger than 1 MiB, or its messages have too many different hours.",
        429: f"The account has rehearsed {MOST_A_DAY} lists today (UTC); or the gateway's own throttle.",
    }
    refusals = partial(errors, said=own)
    return {
        "/bat/rehearsal": {
            "post": {
                "operationId": "beginRehearsal",
                "tags": ["messages"],
                "summary": "Rehearse a list: when would it be over, and how would it end?",
                "description": "Nobody is called, and nothing of the list is kept when it has ended. The dialler "
                "itself runs on a clock that nobody waits for, on top of what the account waits for already; other "
                "accounts enter with their shares alone (docs/rehearsal.md). The list is judged as if it were sent, "
                f"{MOST_MESSAGES} messages at most, and refused if any message would be rejected. One list at a time, "
                f"{MOST_A_DAY} a day.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"{_REF}RehearsedList"}}},
                },
                "responses": {
                    "202": answer("It has begun.", "Rehearsal"),
                    **refusals(400, 401, 409, 413, 415, 429, 500),
                },
            }
        },
        "/bat/rehearsal/{rehearsalId}": {
            "get": {
                "operationId": "getRehearsal",
                "tags": ["status"],
                "summary": "What is to be expected of a list",
                "description": "`waiting`, `running`, `done` with its figures, or `failed` with a reason. Kept for "
                f"{KEPT_SECONDS // 86_400} days.",
                "parameters": [by_id],
                "responses": {"200": answer("The rehearsal.", "Rehearsal"), **refusals(401, 404, 429, 500)},
            }
        },
    }
