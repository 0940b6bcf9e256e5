"""What happens next in a simulated call, as it waits in the queue of such calls until it is due. Pure.

A call is a chain of moments: each one, when it comes, decides which is the next. No moment holds a phone number, a key
of a telephone is the only thing in it that a callee says.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.call_log import ANSWERED
from speechcall.shared.rules.ids import parse_attempt

_MOST, _LONGEST = 2**31, 20


class NoMoment(ValueError):
    """There is no moment in a queue message."""


class What(StrEnum):
    """What happens in a moment."""

    RINGS = "rings"
    HEARS = "hears"
    """Something is heard that is reported: `event`, `seq` and `key` are those of a report."""
    ENDS = "ends"
    STOPPED = "stopped"
    """We have asked that it be ended."""


class Moment(NamedTuple):
    """One moment of the call of an attempt. A call is told by message and attempt; so is its contact."""

    mid: str
    attempt: int
    what: What
    script: str = ""
    """Who is called, as `script_of` tells it."""
    ring_seconds: int = 0
    turn: int = 0
    """Its number in the chain, from 1; a stop has none."""
    asked: int = 0
    """How many menus were asked so far."""
    event: str = ANSWERED
    seq: int = 1
    key: str = ""
    leaves: bool = False
    """The callee hangs up just behind it."""
    cause: Cause | None = None
    tries: int = 0
    """How often it was put off because we could not deal with it."""
    repeat: int = 0
    """Which repeat of its question it answers."""
    times: int = 1
    """How often the key is pressed: digits that are entered are never in a queue."""

    @property
    def contact_id(self) -> str:
        """The same for a call that is placed again: so it is placed once."""
        return contact_of(self.mid, self.attempt)


def contact_of(mid: str, attempt: int) -> str:
    """The contact of a call attempt."""
    return f"simulated-{mid}-{attempt}"


def attempt_of(contact_id: str) -> tuple[str, int] | None:
    """The call attempt of a contact; None: it is no simulated one."""
    kind, _, name = contact_id.partition("-")
    mid, _, attempt = name.partition("-")
    return parse_attempt(mid, attempt) if kind == "simulated" else None


def dump(moment: Moment) -> str:
    """A moment as a queue message's body; what is not set is left out."""
    given = moment._asdict()
    return json.dumps({name: value for name, value in given.items() if value != Moment._field_defaults.get(name)})


def parse(body: str) -> Moment:
    """The moment in a body; members of another release that are not known here are passed over. Raises NoMoment."""
    try:
        given = json.loads(body)
        named = parse_attempt(given["mid"], str(given["attempt"]))
        known = {name: given[name] for name in Moment._fields if name in given}
        cause = Cause(known["cause"]) if known.get("cause") else None
        moment = Moment(**{**known, "what": What(known["what"]), "cause": cause})
    except (KeyError, TypeError, ValueError) as error:
        raise NoMoment(f"not a moment: {type(error).__name__}") from error
    numbers = (moment.ring_seconds, moment.turn, moment.asked, moment.seq, moment.repeat, moment.tries, moment.times)
    # Not isinstance: true and false are ints in Python.
    if named is None or not all(type(one) is int and 0 <= one < _MOST for one in numbers):
        raise NoMoment("it names no call, or one of its numbers is invalid")
    texts = (moment.script, moment.event, moment.key)
    if not all(type(one) is str and len(one) <= _LONGEST for one in texts) or type(moment.leaves) is not bool:
        raise NoMoment("one of its texts is invalid")
    return moment


def fields_of(record: Mapping[str, Any]) -> dict[str, object]:
    """What a queue message is about, for the log: by the names in its moment, if it is one."""
    try:
        moment = parse(record["body"])
    except (NoMoment, LookupError):
        return {}
    return {"mid": moment.mid, "attempt": moment.attempt}
