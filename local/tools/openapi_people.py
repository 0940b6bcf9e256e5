"""The part of the API's description that is about what is kept of people."""

from collections.abc import Callable
from functools import partial
from typing import Any

from local.tools.openapi_optouts import NUMBER
from speechcall.evidence.use_cases.manage_people import PAGE

_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["number"],
                "additionalProperties": False,
                "properties": {"number": NUMBER},
            }
        }
    },
}


def people_paths(answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    own = {400: "The body or the query cannot be used.", 404: "There is none of this id in this account."}
    refusals = partial(errors, said=own)

    def by_id(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "in": "path",
            "required": True,
            "description": "As it was answered.",
            "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"},
            "example": "234881024000000001",
        }

    def post(operation: str, summary: str, description: str, told: str, schema: str) -> dict[str, Any]:
        return {
            "operationId": operation,
            "tags": ["people"],
            "summary": summary,
            "description": description,
            "requestBody": _BODY,
            "responses": {"202": answer(told, schema), **refusals(400, 401, 413, 415, 429, 500)},
        }

    return {
        "/bat/erasure": {
            "post": post(
                "beginErasure",
                "Erase what is kept of a person",
                "Needs a key with the scope `erase`. Messages to the number that wait are cancelled; what is in a call "
                "is erased when that is over. Opt-outs stay, as digests.",
                "It has begun.",
                "Erasure",
            )
        },
        "/bat/erasure/{erasureId}": {
            "get": {
                "operationId": "getErasure",
                "tags": ["people"],
                "summary": "The receipt of an erasure",
                "description": "What was erased, and what is still there until when. Kept for three years.",
                "parameters": [by_id("erasureId")],
                "responses": {"200": answer("The receipt.", "Erasure"), **refusals(401, 404, 429, 500)},
            }
        },
        "/bat/person/export": {
            "post": post(
                "beginPersonExport",
                "Collect what is kept of a person",
                "The id that is answered stands for the number, which is in no path. It holds for seven days.",
                "It has begun.",
                "PersonExport",
            )
        },
        "/bat/person/export/{exportId}": {
            "get": {
                "operationId": "getPersonExport",
                "tags": ["people"],
                "summary": "What is kept of a person",
                "description": f"`running` without messages until all are found; then {PAGE} messages a page, as they "
                "are now. The last page has no `nextCursor`.",
                "parameters": [
                    by_id("exportId"),
                    {
                        "name": "cursor",
                        "in": "query",
                        "description": "`nextCursor` of the page before.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {"200": answer("A page.", "PersonExport"), **refusals(400, 401, 404, 429, 500)},
            }
        },
    }
