"""Amazon Connect's contact events, as EventBridge brings them: best effort, in any order, of every contact.

Source: Amazon Connect administrator guide, "Amazon Connect contact events". Its samples write the
same member with a large and with a small letter, and show 1970-01-01T00:00:00.001Z for a time that
was never set. Attributes and, outside campaigns, the reason of the end are not in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CONTACT_ID = re.compile(r"[A-Za-z0-9-]{1,256}")
_ENDS = {"DISCONNECTED", "COMPLETED"}


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """What an event says of its contact."""

    contact_id: str
    ended: bool
    answered: bool


def parse_contact_event(event: Any) -> ContactEvent | None:
    """The contact that an event is about; None if it is about none, or cannot be read."""
    detail = event.get("detail") if isinstance(event, Mapping) else None
    if not isinstance(detail, Mapping):
        return None
    members = {str(name).lower(): value for name, value in detail.items()}
    contact_id = members.get("contactid")
    if not isinstance(contact_id, str) or not _CONTACT_ID.fullmatch(contact_id):
        return None
    ended = str(members.get("eventtype")).upper() in _ENDS
    return ContactEvent(contact_id, ended, _is_set(members.get("connectedtosystemtimestamp")))


def _is_set(timestamp: Any) -> bool:
    return isinstance(timestamp, str) and timestamp[:4].isdecimal() and timestamp[:4] > "1970"
