"""The part of the API's description that is about opt-outs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from speechcall.optouts.rules.opt_out import LIST_NAME, MAX_CONSENT_LENGTH, MAX_REASON_LENGTH
from speechcall.requests.use_cases.manage_opt_outs import MAX_PAGE

NUMBER = {
    "type": "string",
    "pattern": r"^\+?[1-9][0-9]{6,14}$",
    "description": "International format.",
    "examples": ["+380671234567"],
}
_LIST = {
    "type": "string",
    "pattern": f"^({LIST_NAME.pattern})?$",
    "default": "",
    "description": "Without it the account's own list is meant, which every message obeys.",
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_CONSENT_LENGTH}
_CONSENT = {
    "type": "object",
    "description": "Required for an entry that the callee made with a key.",
    "required": ["basis", "at", "ref"],
    "additionalProperties": False,
    "properties": {
        "basis": {**_TEXT, "description": "On which ground, such as `form`."},
        "at": {**_TEXT, "description": "Since when: RFC 3339 with an offset.", "format": "date-time"},
        "ref": {**_TEXT, "description": "Where the proof is."},
    },
    "examples": [{"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 4711"}],
}
_REASON = {"type": "string", "minLength": 1, "maxLength": MAX_REASON_LENGTH, "description": "Yours; it comes back."}


def opt_out_paths(answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    own = {
        400: "The body or the query cannot be used.",
        404: "The number is not on this list.",
        422: "The callee has opted out by a key: a `consent` is required.",
    }
    refusals = partial(errors, said=own)

    def body(**properties: Any) -> dict[str, Any]:
        schema = {
            "type": "object",
            "required": ["number"],
            "additionalProperties": False,
            "properties": {"number": NUMBER, "list": _LIST, **properties},
        }
        return {"required": True, "content": {"application/json": {"schema": schema}}}

    return {
        "/bat/optout": {
            "post": {
                "operationId": "addOptOut",
                "tags": ["optouts"],
                "summary": "A number does not want to be called",
                "description": "From the answer on no call to it begins, also of messages that are queued.",
                "requestBody": body(reason=_REASON),
                "responses": {
                    "200": answer("It stands on the list.", "OptOutAdded"),
                    **refusals(400, 401, 413, 415, 429, 500),
                },
            },
            "get": {
                "operationId": "listOptOuts",
                "tags": ["optouts"],
                "summary": "The opt-outs that hold, a page at a time",
                "description": "In the order of the lists. Numbers are not kept, so none is told. A page may hold "
                "fewer than `limit`; the last one has no `nextCursor`.",
                "parameters": [
                    {"name": "list", "in": "query", "description": "Of this list alone.", "schema": {"type": "string"}},
                    {
                        "name": "limit",
                        "in": "query",
                        "description": "How many to show.",
                        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": MAX_PAGE},
                    },
                    {
                        "name": "cursor",
                        "in": "query",
                        "description": "`nextCursor` of the page before.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {"200": answer("A page.", "OptOuts"), **refusals(400, 401, 429, 500)},
            },
        },
        "/bat/optout/find": {
            "post": {
                "operationId": "findOptOut",
                "tags": ["optouts"],
                "summary": "Whether a number has opted out",
                "description": "A POST, so that the number stands in no log of paths.",
                "requestBody": body(),
                "responses": {
                    "200": answer("Whether it stands on the list.", "OptOutFound"),
                    **refusals(400, 401, 413, 415, 429, 500),
                },
            }
        },
        "/bat/optout/remove": {
            "post": {
                "operationId": "removeOptOut",
                "tags": ["optouts"],
                "summary": "A number may be called again",
                "description": "Needs a key with the scope `erase`. The entry stays as evidence, with the consent.",
                "requestBody": body(consent=_CONSENT),
                "responses": {
                    "200": answer("It does not stand on the list any more.", "OptOutRemoved"),
                    **refusals(400, 401, 404, 413, 415, 422, 429, 500),
                },
            }
        },
    }
