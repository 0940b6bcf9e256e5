"""The part of the API's description that is about stopping."""

from collections.abc import Callable
from functools import partial
from typing import Any

_CAMPAIGN = {
    "name": "campaign",
    "in": "path",
    "required": True,
    "description": "The name that its lists were sent with.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "example": "spring",
}
_HANGUP = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "hangup": {
                        "type": "boolean",
                        "default": False,
                        "description": "Calls in progress are ended too; without it they go on.",
                    }
                },
                "additionalProperties": False,
            },
            "example": {"hangup": True},
        }
    },
}
_ERRORS = {
    400: "The body or the query cannot be used; the message says why.",
    409: "It is cancelled, and that is final (`LIST_CANCELLED`, `CAMPAIGN_CANCELLED`).",
}
_CANCEL = (
    "No call of it begins after the answer, whatever the length of the queue; that cannot be taken back. The messages' "
    "own states follow, at least thirty a second. Calls in progress go on, unless `hangup` is true. A repeat is "
    "answered the same."
)
_PAUSE = (
    "No call of it begins after the answer, until it is resumed. Calls in progress go on, and lists are still "
    "accepted. The messages' `ttl` runs on. May be repeated."
)
_RESUME = "It is dialled again. May be repeated."


def stop_paths(
    answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]], list_id: Any, message_id: Any
) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    refusals = partial(errors, said=_ERRORS)

    def post(name: str, summary: str, description: str, parameter: Any, responses: Any, body: Any = None) -> Any:
        told = {
            "operationId": name,
            "tags": ["stopping"],
            "summary": summary,
            "description": description,
            "parameters": [parameter],
            **({"requestBody": body} if body else {}),
            "responses": responses,
        }
        return {"post": told}

    plain, final = refusals(400, 401, 404, 413, 415, 429, 500), refusals(400, 401, 404, 409, 413, 415, 429, 500)
    paths = {
        "/bat/message/{messageId}/cancel": post(
            "cancelMessage",
            "Cancel a message",
            "It is not dialled any more; its call in progress is ended with `hangup`. A repeat is answered the "
            "same, or says how the call has ended since.",
            message_id,
            {
                "200": answer("What has become of it.", "MessageCancelled"),
                "202": answer("Its call is being ended.", "MessageCancelled"),
                **plain,
            },
            _HANGUP,
        )
    }
    for path, parameter, noun, schema in (
        ("/bat/messagelist/{messagelistId}", list_id, "List", "messagelist"),
        ("/bat/campaign/{campaign}", _CAMPAIGN, "Campaign", "campaign"),
    ):
        what = "a list of messages" if noun == "List" else "a campaign"
        stopped, cancelled = f"{noun}Stopped", f"{noun}Cancelled"
        name = schema.capitalize()
        cancel = {"200": answer("Certain for all that is to come.", cancelled), **plain}
        paths[f"{path}/cancel"] = post(f"cancel{name}", f"Cancel {what}", _CANCEL, parameter, cancel, _HANGUP)
        for verb, description in (("pause", _PAUSE), ("resume", _RESUME)):
            responses = {"200": answer("As it was asked for.", stopped), **final}
            paths[f"{path}/{verb}"] = post(
                f"{verb}{name}", f"{verb.capitalize()} {what}", description, parameter, responses
            )
    return paths
