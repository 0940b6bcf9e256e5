"""Telephone numbers."""

import re

_INTERNATIONAL = re.compile(r"\+?([1-9][0-9]{6,14})")


def to_e164(given: str) -> str | None:
    """The number in E.164 form (`+380671234567`), or None if it has not that form. Whether it exists is not looked at.

    1 to 9, then 6 to 14 digits (E.164 allows 15 in all; fewer than 7 is our choice). The plus may be missing, as in the
    vendor's other APIs.
    """
    match = _INTERNATIONAL.fullmatch(given)
    return f"+{match[1]}" if match else None


def masked(number: str) -> str:
    """The number as it may stand in a log: country and last two digits."""
    return f"{number[:4]}…{number[-2:]}"
