"""An opt-out: a number that does not want to be called, by an account, for what one of its lists is about."""

import re
from dataclasses import dataclass
from enum import StrEnum

MOST_LISTS = 5
"""How many further lists a message can name."""
MAX_REASON_LENGTH = 256
MAX_CONSENT_LENGTH = 256
LIST_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
ENDING_DIGITS = 2


class By(StrEnum):
    """How an opt-out came about."""

    KEY = "key"
    """The callee pressed a key: only with a consent is it taken back."""
    API = "api"
    IMPORT = "import"
    OPERATOR = "operator"
    CALL_BACK = "callBack"
    """The person called the caller ID back, and pressed a key there: as much the callee's own as `KEY`."""

    @property
    def is_the_callees(self) -> bool:
        """Whether the person has asked for it: what a callee did counts most."""
        return self in (By.KEY, By.CALL_BACK)


@dataclass(frozen=True, slots=True)
class Consent:
    """Why a number may be called again: on which ground, since when (RFC 3339), and where the proof is."""

    basis: str
    at: str
    ref: str


@dataclass(frozen=True, slots=True)
class OptOut:
    """A number on a list. The number itself is nowhere: `digest` is its HMAC, `ending` its last two digits."""

    list_name: str
    digest: str
    ending: str
    since_msec: int
    """When the person asked for it; of an import, as the file says."""
    by: By
    mid: str | None = None
    """The message in whose call the key was pressed."""
    reason: str | None = None
    removed_msec: int | None = None
    """It was taken back, and holds no more."""
    consent: Consent | None = None
    """What it was taken back with."""

    @property
    def holds(self) -> bool:
        """Whether the number may not be called."""
        return self.removed_msec is None


def ending_of(number: str) -> str:
    """What is kept of a number in plain digits, so that people can tell entries apart."""
    return number[-ENDING_DIGITS:]


def outweighs(new: By, old: By) -> bool:
    """Whether an entry of one kind replaces one of the other kind: what a callee did counts most."""
    return new.is_the_callees and not old.is_the_callees
