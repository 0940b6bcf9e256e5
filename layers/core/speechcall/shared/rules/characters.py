"""Which character of a text its reader cannot see, or takes for another: to be named where the text is refused.

`+38067…` with a U+202A in it looks like a number that is right, and so does one of full-width digits. What is looked at
here was refused already, but for `is_blank`, which judges a text to be spoken.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_NOT_ASCII = re.compile(r"[^ -~]")
_NOT_SEEN = re.compile(r"[^!-~]")
_BLANK_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}
# Letters, marks and a symbol without ink: fillers of Hangul, the empty Braille cell, variation selectors, and others
# that are Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt).
_BLANK_OTHERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001bca0-\U0001bca3\U000e0100-\U000e01ef]"
)
# Control characters have no name in Unicode; these are their aliases (NameAliases.txt).
_CONTROLS = {
    "\0": "NULL",
    "\t": "CHARACTER TABULATION",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
}
_MOST_LOOKED_AT = 10_000
"""Characters or names: what comes after them is not looked at, so that an answer costs the same whatever was sent."""


def named(character: str) -> str:
    """`U+202A LEFT-TO-RIGHT EMBEDDING`."""
    name = unicodedata.name(character, "") or _CONTROLS.get(character) or _kind(character)
    return f"U+{ord(character):04X} {name}"


def foreign(text: str) -> str:
    """`; character 5 is U+FF11 FULLWIDTH DIGIT ONE`: the first that is no visible ASCII. Empty: there is none.

    For what has only visible ASCII when it is right. Characters are counted from 1; a space is seen between others.
    """
    return _first(text, _NOT_ASCII.finditer(text))


def unseen(text: str) -> str:
    """`; character 5 is U+200B ZERO WIDTH SPACE`: the first that shows nothing. Empty: there is none.

    For free text, which may have any letters.
    """
    return _first(text, (found for found in _NOT_ASCII.finditer(text, 0, _MOST_LOOKED_AT) if _is_blank(found[0])))


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return all(_is_blank(character) for character in text)


def lookalike(names: Iterable[str], wanted: str) -> str:
    """`; the name that looks like it has …`: of one among `names` that is `wanted` but for what cannot be seen.

    Empty: there is none.
    """
    for name, _ in zip(names, range(_MOST_LOOKED_AT), strict=False):
        found = _NOT_SEEN.search(name)
        # A name that is much longer is not compared: an answer costs the same whatever was sent.
        if found and len(name) < 2 * len(wanted) + 8 and _NOT_SEEN.sub("", name) == wanted:
            return f"; the name that looks like it has {named(found[0])} as character {found.start() + 1}"
    return ""


def _first(text: str, found: Iterator[re.Match[str]]) -> str:
    if text.startswith(" "):
        return _told(text, 0)
    if first := next(found, None):
        return _told(text, first.start())
    return _told(text, len(text) - 1) if text.endswith(" ") else ""


def _told(text: str, at: int) -> str:
    return f"; character {at + 1} is {named(text[at])}"


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) in _BLANK_CATEGORIES or bool(_BLANK_OTHERS.match(character))


def _kind(character: str) -> str:
    """What is said of a character that has no name."""
    match unicodedata.category(character):
        case "Cc":
            return "(a control character)"
        case "Cs":
            return "(half a surrogate pair)"
        case "Co":
            return "(for private use)"
        case _:
            return "(not assigned)"
