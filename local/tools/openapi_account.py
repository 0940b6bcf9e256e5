"""The part of the API's description that is about the account and the webhooks that were given up."""

from collections.abc import Callable
from functools import partial
from typing import Any

_SINCE = {"type": "string", "format": "date-time", "examples": ["2026-12-01T07:00:00Z"]}
_STATE = {"type": "string", "enum": ["dead", "failed"]}
_REPLAY = {
    "type": "object",
    "required": ["since"],
    "properties": {
        "since": {**_SINCE, "description": "Those that were given up since then."},
        "state": {**_STATE, "description": "Only these."},
        "cursor": {"type": "string", "maxLength": 512, "description": "`nextCursor` of the answer before."},
    },
    "additionalProperties": False,
}
_SAID = {
    400: "The query or the body cannot be used; the message says why.",
    409: "Five secrets sign already (`TOO_MANY_SECRETS`).",
}


def account_paths(
    answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]], paged: list[dict[str, Any]]
) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    refusals = partial(errors, said=_SAID)
    content = {"application/json": {"schema": _REPLAY, "example": {"since": "2026-12-01T07:00:00Z"}}}
    nothing = {"application/json": {"schema": {"type": "object", "additionalProperties": False}}}
    return {
        "/bat/account": {
            "get": {
                "operationId": "getAccount",
                "tags": ["account"],
                "summary": "What the account may do, and what it has used today",
                "responses": {"200": answer("No secrets.", "AccountStatus"), **refusals(401, 429, 500)},
            }
        },
        "/bat/account/webhook-secret": {
            "post": {
                "operationId": "giveWebhookSecret",
                "tags": ["account"],
                "summary": "Get a new secret for the signatures of webhooks",
                "description": "It signs within a minute. Those before it sign too for 24 hours, and each webhook then "
                "has a signature of each. It is shown once; repeated, the request gives another.",
                "requestBody": {"required": False, "content": nothing},
                "responses": {
                    "200": answer("Keep it.", "SecretGiven"),
                    **refusals(400, 401, 409, 413, 415, 429, 500),
                },
            }
        },
        "/bat/webhook": {
            "get": {
                "operationId": "getWebhooks",
                "tags": ["account"],
                "summary": "The webhooks that were given up, the latest first",
                "description": "A page may have fewer than `limit`, also none, and go on with `nextCursor`.",
                "parameters": [
                    {"name": "state", "in": "query", "description": "Only these.", "schema": _STATE},
                    {"name": "since", "in": "query", "description": "Given up since then.", "schema": _SINCE},
                    *paged,
                ],
                "responses": {"200": answer("A page of them.", "WebhookList"), **refusals(400, 401, 429, 500)},
            }
        },
        "/bat/webhook/replay": {
            "post": {
                "operationId": "replayAllWebhooks",
                "tags": ["account"],
                "summary": "Send again all webhooks that were given up since a moment",
                "description": "The oldest first, a hundred at a time, with the same `webhook-id`: where the answer "
                "has `nextCursor`, send the same body with it as `cursor`.",
                "requestBody": {"required": True, "content": content},
                "responses": {
                    "202": answer("They are queued.", "AccountReplayed"),
                    **refusals(400, 401, 413, 415, 429, 500),
                },
            }
        },
    }
