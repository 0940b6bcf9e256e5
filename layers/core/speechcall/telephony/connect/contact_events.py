"""Amazon Connect's contact events, as EventBridge brings them: best effort, in any order, of every contact.

Source: Amazon Connect administrator guide, "Amazon Connect contact events". Its samples write the
same member with a large and with a small letter, and show 1970-01-01T00:00:00.001Z for a time that
was never set. Attributes and, outside campaigns, the reason of the end are not in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_CONTACT_ID = re.compile(r"[A-Za-z0-9-]{1,256}")
_ENDS = {"DISCONNECTED", "COMPLETED"}


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """What an event says of its contact."""

    contact_id: str
    ended: bool
    answered: bool
    at_msec: int | None = None
    """When it ended, in epoch milliseconds."""
    is_repeat: bool = False
    """COMPLETED: published right after DISCONNECTED, with the same data (administrator guide, as above)."""


def parse_contact_event(event: Any) -> ContactEvent | None:
    """The contact that an event is about; None if it is about none, or cannot be read."""
    detail = event.get("detail") if isinstance(event, Mapping) else None
    if not isinstance(detail, Mapping):
        return None
    members = {str(name).lower(): value for name, value in detail.items()}
    contact_id = members.get("contactid")
    if not isinstance(contact_id, str) or not _CONTACT_ID.fullmatch(contact_id):
        return None
    kind = str(members.get("eventtype")).upper()
    answered = _is_set(members.get("connectedtosystemtimestamp"))
    at_msec = _msec(members.get("disconnecttimestamp")) if kind in _ENDS else None
    return ContactEvent(contact_id, kind in _ENDS, answered, at_msec, is_repeat=kind == "COMPLETED")


def _msec(timestamp: Any) -> int | None:
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000) if _is_set(timestamp) else None
    except (ValueError, OverflowError):  # nothing that we know, and nothing that we need
        return None


def _is_set(timestamp: Any) -> bool:
    return isinstance(timestamp, str) and timestamp[:4].isdecimal() and timestamp[:4] > "1970"
