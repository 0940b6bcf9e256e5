"""The API's description: a call as a file, and the keys that verify it."""

from collections.abc import Callable
from typing import Any

from speechcall.status.use_cases.call_file import FULL, MASKED, MEDIA_TYPE

_TEXT = {"type": "string"}
_KEY = {
    "type": "object",
    "required": ["kty", "crv", "x", "y", "use", "alg", "kid"],
    "properties": {
        "kty": {"const": "EC"},
        "crv": {"const": "P-256"},
        "x": _TEXT,
        "y": _TEXT,
        "use": {"const": "sig"},
        "alg": {"const": "ES256"},
        "kid": _TEXT | {"description": "Its thumbprint (RFC 7638)."},
    },
}


def call_file_paths(message_id: dict[str, Any], errors: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `message_id`: the parameter, `errors`: the responses to what goes wrong."""
    number = {
        "name": "number",
        "in": "query",
        "description": "With the number masked, or whole; `full` needs the scope `manage`.",
        "schema": {"type": "string", "enum": [MASKED, FULL], "default": MASKED},
    }
    conflict = "The message is not final yet (`CALL_NOT_OVER`), or the stack signs no calls (`NOT_SIGNED_HERE`)."
    return {
        "/bat/message/{messageId}/call": {
            "get": {
                "operationId": "getCall",
                "tags": ["status"],
                "summary": "The calls of a message as a signed file",
                "description": "A JSON Web Signature in the compact form (RFC 7515), ES256. It is made once and stays "
                "the same. Of its content, and how to verify it: docs/call-files.md.",
                "parameters": [message_id, number],
                "responses": {
                    "200": {"description": "The file.", "content": {MEDIA_TYPE: {"schema": _TEXT}}},
                    **errors(400, 401, 404, 409, 429, 500, said={400: "The query is wrong.", 409: conflict}),
                },
            }
        },
        "/keys.json": {
            "get": {
                "operationId": "getKeys",
                "summary": "The public keys of the files of calls",
                "description": "A JWK Set (RFC 7517): every key that has signed. Empty where nothing was ever signed.",
                "responses": {
                    "200": {
                        "description": "The keys.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["keys"],
                                    "properties": {"keys": {"type": "array", "items": _KEY}},
                                }
                            }
                        },
                    },
                    **errors(429, 500),
                },
            }
        },
    }
