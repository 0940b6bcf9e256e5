"""The audio that an account keeps under identifiers: put, listed, removed; and the upload of larger files.

small  PUT /bat/audio/ID, the file as body ─────────────────────────────► prompt
large  POST /bat/audio/ID/upload ─► a URL ─► PUT the file there ─► PUT /bat/audio/ID?uploadId=… ─► prompt
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.prompts.use_cases.prompts import (
    PromptStore,
    Retire,
    Workshop,
    add_prompt,
    find_uploaded,
    remove_prompt,
)
from speechcall.shared.rules.characters import foreign, lookalike
from speechcall.shared.rules.errors import (
    NotFound,
    PayloadTooLarge,
    Problem,
    PromptUnavailable,
    RequestError,
    UnusableAudio,
)
from speechcall.shared.rules.json_text import parse_json, whole
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock

if TYPE_CHECKING:  # Its types are Pydantic's, which these functions do not load
    from speechcall.api.rules.answers import Audio, AudioList, AudioRemoved, Upload

MAX_BODY_BYTES = 4 * 1024 * 1024
"""What fits through Lambda's 6 MB in base64, with room for the rest of the request."""
MAX_UPLOAD_BYTES = 25 * 1024 * 1024
UPLOAD_SECONDS = 900

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Uploads(Protocol):
    """Files on their way to become prompts, by name; each is there for a day at most."""

    def presign(self, name: str, size: int, seconds: int) -> str:
        """A URL to which a file of exactly this size can be PUT for so long."""

    def take(self, name: str, most: int) -> bytes | None:
        """The file; None if there is none. Raises PayloadTooLarge for more than `most` bytes."""

    def drop(self, name: str) -> None:
        """Forgets the file."""


def new_upload_id() -> str:
    """192 random bits: the id without credentials opens nothing."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class AudioDesk:
    """What managing audio needs of the world around it."""

    prompts: PromptStore
    workshop: Workshop
    uploads: Uploads
    clock: Clock
    retire: Retire
    new_id: Callable[[], str] = new_upload_id


def put_audio(account: Account, intro_id: str, body: bytes, upload_id: str | None, desk: AudioDesk) -> "Audio":
    """Makes a prompt of a file: the body, or the upload `upload_id`. Raises RequestError.

    It replaces what the identifier named before.
    """
    _check_identifier(intro_id)
    if upload_id is None:
        return _store(account, intro_id, _checked_body(body), desk)
    name = _upload_name(account, intro_id, upload_id)
    uploaded = desk.uploads.take(name, MAX_UPLOAD_BYTES)
    if uploaded is None:
        raise NotFound(
            "There is no file of this upload; PUT it to the URL that the upload was given, within 15 minutes."
        )
    answer = _store(account, intro_id, uploaded, desk)
    desk.uploads.drop(name)
    return answer


def begin_upload(account: Account, intro_id: str, body: bytes, desk: AudioDesk) -> "Upload":
    """A URL to PUT a file of up to 25 MiB to, and the `uploadId` for `put_audio`. In: the body `{"bytes": N}`.

    Raises RequestError.
    """
    _check_identifier(intro_id)
    given = parse_json(body)
    size = whole(given.get("bytes")) if isinstance(given, dict) else None
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_UPLOAD_BYTES:
        hidden = lookalike(given, "bytes") if isinstance(given, dict) else ""
        text = f"must be the size of the file, a whole number of bytes from 1 to {MAX_UPLOAD_BYTES}{hidden}"
        raise RequestError("The upload cannot begin.", [Problem("INVALID_REQUEST", "bytes", text)])
    upload_id = desk.new_id()
    url = desk.uploads.presign(_upload_name(account, intro_id, upload_id), size, UPLOAD_SECONDS)
    return {"introId": intro_id, "uploadId": upload_id, "method": "PUT", "url": url, "expiresInSec": UPLOAD_SECONDS}


def list_audio(account: Account, prompts: PromptStore) -> "AudioList":
    """All audio that has an identifier, in its order."""
    return {"audio": [describe_audio(known) for known in prompts.uploaded(account.account_id)]}


def read_audio(account: Account, intro_id: str, prompts: PromptStore) -> "Audio":
    """What is known of one identifier. Raises NotFound."""
    _check_identifier(intro_id)
    return describe_audio(find_uploaded(account.account_id, intro_id, prompts))


def find_audio(account: Account, intro_id: str, prompts: PromptStore) -> Prompt:
    """The prompt that an identifier names. Raises NotFound."""
    _check_identifier(intro_id)
    if prompt := find_uploaded(account.account_id, intro_id, prompts).prompt:
        return prompt
    raise no_audio()


def no_audio() -> NotFound:
    """The answer where an identifier names nothing."""
    return NotFound("There is no audio of this identifier in this account.")


def remove_audio(account: Account, intro_id: str, desk: AudioDesk) -> "AudioRemoved":
    """Removes an identifier; messages that are queued already still play it. Raises NotFound."""
    _check_identifier(intro_id)
    if not remove_prompt(account.account_id, intro_id, prompts=desk.prompts, retire=desk.retire):
        raise no_audio()
    return {"introId": intro_id, "removed": True}


def describe_audio(known: KnownPrompt) -> "Audio":
    """An identifier's audio in an answer."""
    prompt = known.prompt
    return {
        "introId": known.name,
        "seconds": round(prompt.seconds, 3) if prompt else 0,
        "bytes": prompt.size if prompt else 0,
        "storedAt": utc_text(known.stored_msec),
        "lastUsedAt": utc_text(known.used_msec) if known.used_msec else None,
        "warnings": [{"code": one.code, "message": one.message} for one in (prompt.warnings if prompt else ())],
    }


def _store(account: Account, intro_id: str, content: bytes, desk: AudioDesk) -> "Audio":
    """Stores audio under an identifier; the API's answer. Raises UnusableAudio."""
    try:
        known = add_prompt(
            account.account_id,
            intro_id,
            content,
            prompts=desk.prompts,
            workshop=desk.workshop,
            clock=desk.clock,
            retire=desk.retire,
        )
    except PromptUnavailable as error:
        raise UnusableAudio(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    return describe_audio(known)


def _checked_body(content: bytes) -> bytes:
    """The body as it is. Raises RequestError if it is empty; PayloadTooLarge."""
    if not content:
        raise RequestError("The body is empty; it has to be the audio file itself.")
    if len(content) > MAX_BODY_BYTES:
        text = f"The body has {len(content)} bytes; at most {MAX_BODY_BYTES} can be taken."
        raise PayloadTooLarge(f"{text} Larger files are uploaded.")
    return content


def _check_identifier(intro_id: str) -> None:
    if not _IDENTIFIER.fullmatch(intro_id):
        text = f"must have 1 to 64 letters, digits, _ and -{foreign(intro_id)}"
        problem = Problem("INVALID_REQUEST", "introId", text)
        raise RequestError("The identifier cannot be used.", [problem])


def _upload_name(account: Account, intro_id: str, upload_id: str) -> str:
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise NotFound("There is no upload of this id.")
    return f"{account.account_id}/{intro_id}/{upload_id}"
