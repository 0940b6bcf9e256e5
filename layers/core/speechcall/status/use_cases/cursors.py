"""Where a listing continues, as a text that only we read.

A cursor names the listing that it was made for, and a place in it; not a number of entries, so nothing is shown twice
or left out when something comes meanwhile. It holds nothing that its owner may not know, so it is not signed.
"""

import base64
import binascii
import hashlib
import json

from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidCursor, Problem

FORM = 1
"""Another form of cursors has another number: one of it is refused, not misread."""
MAX_LENGTH = 512


def dump_cursor(place: str | None, *listing: str) -> str | None:
    """The cursor for a place in a listing (`listing`: its name, its account, …); None: there is no more."""
    if place is None:
        return None
    text = json.dumps([FORM, _mark(listing), place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def load_cursor(given: str | None, *listing: str) -> str | None:
    """The place in a cursor; None: none was given. Raises InvalidCursor if it is of another listing, or no cursor."""
    if given is None:
        return None
    try:
        if len(given) > MAX_LENGTH:
            raise ValueError
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        form, mark, place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if form != FORM or not isinstance(mark, str) or not isinstance(place, str) or not place:
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _invalid(f"is no cursor of ours, or one of an older release; begin without it{foreign(given)}") from None
    if mark != _mark(listing):
        raise _invalid("was made for another listing; begin this one without it")
    return place


def _invalid(text: str) -> InvalidCursor:
    return InvalidCursor("The listing cannot be continued.", [Problem("INVALID_CURSOR", "cursor", text)])


def _mark(listing: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(listing).encode()).hexdigest()[:12]
