"""Telephone numbers."""

import re

_INTERNATIONAL = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)


def to_e164(given: str) -> str | None:
    """The number in E.164 form (`+380671234567`), or None if it is not one.

    The plus may be missing, as in the vendor's sister interfaces; spaces and dashes are refused.
    ITU-T E.164: at most 15 digits, none of the country codes begins with 0.
    """
    match = _INTERNATIONAL.fullmatch(given)
    return f"+{match[1]}" if match else None


def masked(number: str) -> str:
    """The number as it may stand in a log: country and last two digits."""
    return f"{number[:4]}…{number[-2:]}"
