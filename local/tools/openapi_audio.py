"""The part of the API's description that is about audio."""

from collections.abc import Callable
from functools import partial
from typing import Any

from speechcall.prompts.use_cases.manage_audio import MAX_BODY_BYTES, MAX_UPLOAD_BYTES

_IDENTIFIER = {
    "name": "introId",
    "in": "path",
    "required": True,
    "description": "What messages say in `introUrl`.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "example": "ivr_welcome",
}
_UPLOAD_ID = {
    "name": "uploadId",
    "in": "query",
    "description": "Of an upload whose file was PUT to its URL; the body is then not looked at.",
    "schema": {"type": "string"},
}


_ERRORS = {
    400: "The identifier or the body cannot be used.",
    404: "There is nothing of this identifier in this account, or no file of this upload.",
    413: f"The body is larger than {MAX_BODY_BYTES // 2**20} MiB.",
    422: "The file cannot become a prompt; the message says why.",
}


def audio_paths(answer: Callable[[str, str], Any], errors: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The paths; `answer` makes a response of a description and a schema's name, `errors` those of statuses."""
    refusals = partial(errors, said=_ERRORS)
    size = {"type": "integer", "minimum": 1, "maximum": MAX_UPLOAD_BYTES, "description": "Of the file, exactly."}
    upload = {"type": "object", "required": ["bytes"], "properties": {"bytes": size}}
    return {
        "/bat/audio": {
            "get": {
                "operationId": "listAudio",
                "tags": ["audio"],
                "summary": "All audio that has an identifier",
                "responses": {
                    "200": answer("In the order of the identifiers.", "AudioList"),
                    **refusals(401, 429, 500),
                },
            }
        },
        "/bat/audio/{introId}": {
            "put": {
                "operationId": "putAudio",
                "tags": ["audio"],
                "summary": "Upload audio under an identifier",
                "description": "WAV, MP3, OGG, FLAC, M4A and other formats, less than five minutes. It takes the place "
                f"of what the identifier named. At most {MAX_BODY_BYTES // 2**20} MiB; larger files by an upload.",
                "parameters": [_IDENTIFIER, _UPLOAD_ID],
                "requestBody": {
                    "description": "The file itself.",
                    "content": {"application/octet-stream": {"schema": {}}, "audio/*": {"schema": {}}},
                },
                "responses": {
                    "200": answer("Messages can name it now.", "Audio"),
                    **refusals(400, 401, 404, 413, 415, 422, 429, 500),
                },
            },
            "get": {
                "operationId": "getAudio",
                "tags": ["audio"],
                "summary": "What is known of an identifier's audio",
                "parameters": [_IDENTIFIER],
                "responses": {"200": answer("Length, size, use.", "Audio"), **refusals(400, 401, 404, 429, 500)},
            },
            "delete": {
                "operationId": "removeAudio",
                "tags": ["audio"],
                "summary": "Remove an identifier",
                "description": "New messages cannot name it. Those that are queued already still play it.",
                "parameters": [_IDENTIFIER],
                "responses": {"200": answer("It is gone.", "AudioRemoved"), **refusals(400, 401, 404, 429, 500)},
            },
        },
        "/bat/audio/{introId}/file": {
            "get": {
                "operationId": "getAudioFile",
                "tags": ["audio"],
                "summary": "The audio of an identifier, as the telephone plays it",
                "parameters": [_IDENTIFIER],
                "responses": {
                    "200": {
                        "description": "WAV, 8 kHz, mono.",
                        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
                    },
                    "307": {
                        "description": "It is larger than 4.5 MB, and is for a minute at the URL in `Location`; no "
                        "credentials are needed there, and none should be sent.",
                        "headers": {"Location": {"required": True, "schema": {"type": "string"}}},
                    },
                    **refusals(400, 401, 404, 429, 500),
                },
            },
        },
        "/bat/audio/{introId}/upload": {
            "post": {
                "operationId": "beginUpload",
                "tags": ["audio"],
                "summary": "Begin the upload of a larger file",
                "description": f"A URL for a file of up to {MAX_UPLOAD_BYTES // 2**20} MiB. PUT the file there, then "
                "PUT `/bat/audio/{introId}?uploadId=…` without a body.",
                "parameters": [_IDENTIFIER],
                "requestBody": {"required": True, "content": {"application/json": {"schema": upload}}},
                "responses": {
                    "200": answer("Where to PUT it.", "Upload"),
                    **refusals(400, 401, 404, 429, 500),
                    **errors(413, 415),
                },
            }
        },
    }
