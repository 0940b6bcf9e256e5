"""The part of the API's description that is about the console: a web application, for people."""

from collections.abc import Callable
from typing import Any

_TEXT = {"schema": {"type": "string"}}
_FILE = {
    "name": "file",
    "in": "path",
    "required": True,
    "description": "One of the files that the page names.",
    "schema": {"type": "string", "minLength": 1, "examples": ["main.js"]},
}


def console_paths(errors: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `errors` makes responses of statuses."""
    known = {"304": {"description": "The browser has it already (`If-None-Match`)."}}
    files = dict.fromkeys(("text/javascript", "text/css", "text/html", "image/svg+xml"), _TEXT)
    return {
        "/console": {
            "get": {
                "operationId": "getConsole",
                "summary": "The console, a page for people",
                "description": "It asks for a key and sends it with every request of this API. Nothing is kept.",
                "responses": {
                    "200": {"description": "The page.", "content": {"text/html": _TEXT}},
                    **known,
                    **errors(429, 500),
                },
            }
        },
        "/console/{file}": {
            "get": {
                "operationId": "getConsoleFile",
                "summary": "A file of the console",
                "parameters": [_FILE],
                "responses": {
                    "200": {"description": "The file.", "content": files},
                    **known,
                    **errors(404, 429, 500),
                },
            }
        },
    }
