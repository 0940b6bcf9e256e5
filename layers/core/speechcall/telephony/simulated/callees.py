"""Who answers which number of a simulated telephony, and what they do: told by the number's last digits. Pure.

docs/telephony.md has the table for senders; `tests/unit/test_simulated_callees.py` holds the two together.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.ask import Input

KEYS = "1234567890*#"
MOST_KEYS = 5
"""So many digits before the last two may be keys: a whole number must not travel in a script's name."""
_STAR, _HASH = "0", "9"
"""How `*` and `#` are written where a number's digits are keys."""


class Act(StrEnum):
    """What a callee does in a menu that is asked."""

    KEY = "key"
    WRONG_KEY = "wrongKey"
    """A key that the menu has no list for."""
    SILENCE = "silence"
    """Nothing, until the idle timeout has passed."""
    KEY_AND_LEAVE = "keyAndLeave"
    """Presses a key, and hangs up at once."""
    LEAVE_PROMPT = "leavePrompt"
    """Hangs up while the introduction is played."""
    LEAVE_WAIT = "leaveWait"
    """Hangs up when the introduction is over."""
    HEAR_NOTHING = "hearNothing"
    """The introduction cannot be played."""


class Deed(NamedTuple):
    """What is done in one menu; `key` comes with KEY and KEY_AND_LEAVE."""

    act: Act
    key: str = ""


class Refusal(StrEnum):
    """Why a call is not placed."""

    THROTTLED = "throttled"
    MISCONFIGURED = "misconfigured"
    INVALID_NUMBER = "invalidNumber"


class Callee(NamedTuple):
    """Somebody behind a number, in one call."""

    deeds: tuple[Deed, ...] = ()
    """In the menus of the call, in the order in which they are asked."""
    afterwards: Deed = Deed(Act.SILENCE)
    """In every menu behind these."""
    unanswered: Cause | None = None
    """Why the call ends before it is answered; None: it is answered."""
    refusal: Refusal | None = None
    """Why it is not even placed."""
    leaves_at_once: bool = False
    """Hangs up as soon as the call is answered."""

    def deed(self, ordinal: int) -> Deed:
        """What is done in the menu that is asked as number `ordinal` of the call, from 1."""
        return self.deeds[ordinal - 1] if ordinal <= len(self.deeds) else self.afterwards


_SILENT = Deed(Act.SILENCE)


def _presses(*keys: str, afterwards: Deed = _SILENT) -> Callee:
    return Callee(tuple(Deed(Act.KEY, key) for key in keys), afterwards)


_ONE = _presses("1")
_SCRIPTS: dict[str, Callee] = {
    **{f"0{key}": _presses(str(key)) for key in range(10)},
    **{f"1{key}": _presses(afterwards=Deed(Act.KEY, str(key))) for key in range(10)},
    "20": Callee(),
    "21": _presses("*"),
    "22": _presses("#"),
    "23": Callee((Deed(Act.WRONG_KEY), Deed(Act.KEY, "1"))),
    "24": Callee((Deed(Act.SILENCE), Deed(Act.KEY, "1"))),
    "25": Callee(afterwards=Deed(Act.WRONG_KEY)),
    "30": Callee(unanswered=Cause.BUSY),
    "31": Callee(unanswered=Cause.NO_ANSWER),
    "32": Callee(unanswered=Cause.CALLER_HUNG_UP),
    "33": Callee(refusal=Refusal.INVALID_NUMBER),
    "34": Callee(unanswered=Cause.BLOCKED),
    "35": Callee(unanswered=Cause.FAILED),
    "36": Callee(refusal=Refusal.MISCONFIGURED),
    "37": Callee(refusal=Refusal.THROTTLED),
    "40": Callee(leaves_at_once=True),
    "41": Callee((Deed(Act.LEAVE_PROMPT),)),
    "42": Callee((Deed(Act.LEAVE_WAIT),)),
    "43": Callee((Deed(Act.KEY_AND_LEAVE, "1"),)),
    "44": Callee((Deed(Act.KEY, "1"), Deed(Act.LEAVE_PROMPT))),
    "45": Callee((Deed(Act.HEAR_NOTHING),)),
    "46": Callee((Deed(Act.KEY, "1"), Deed(Act.HEAR_NOTHING))),
}
_FIRST_CALLS: dict[str, Callee] = {
    "50": _SCRIPTS["30"],
    "51": _SCRIPTS["31"],
    "52": _SCRIPTS["35"],
    "53": _SCRIPTS["20"],
}
"""Who is otherwise in the first call to a message's number; in the next ones they answer and press 1."""
KNOWN = frozenset({*_SCRIPTS, *_FIRST_CALLS})


def script_of(number: str) -> str:
    """The part of a number (E.164) that says what its callee does: its last two digits, or some more that are keys."""
    code = number[-2:]
    keys = int(code[1]) if code[0] in "67" and int(code[1]) <= MOST_KEYS else 0
    return number[-2 - keys :]


def callee_of(script: str, attempt: int) -> Callee:
    """Who is behind a script, in this attempt (1: the first call) of its message.

    The last two digits of a script are its code. 6N and 7N: the N digits before are the keys that are pressed, where 7
    has digits for `*` and `#`. A script that means nothing is that of a callee who presses 1.
    """
    code, keys = script[-2:], script[:-2]
    if code in _FIRST_CALLS:
        return _FIRST_CALLS[code] if attempt == 1 else _ONE
    if code[:1] in ("6", "7") and len(keys) == int(code[1]):
        return _presses(*(_signs(keys) if code[0] == "7" else keys))
    return _SCRIPTS.get(code, _ONE)


def _signs(digits: str) -> str:
    return digits.replace(_STAR, "*").replace(_HASH, "#")


def key_of(deed: Deed, listed: Collection[str]) -> str:
    """The key that is pressed: that of the deed; as a wrong one the first of 9 to 1, `*`, 0, `#` without a list.

    If all have one it is `#`. `listed`: the keys that have a list in the menu, as it names them (`d1`).
    """
    if deed.act is not Act.WRONG_KEY:
        return deed.key
    return next((key for key in "987654321*0#" if f"d{key}" not in listed), "#")


def entry_of(deed: Deed, asked: Input) -> tuple[str, int]:
    """The key that is pressed in a menu that asks for digits, and how often: as often as it wants digits at least.

    Who presses a wrong key presses `*`, once.
    """
    return ("*", 1) if deed.act is Act.WRONG_KEY else (deed.key, asked.min_digits)
