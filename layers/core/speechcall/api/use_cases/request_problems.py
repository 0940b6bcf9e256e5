"""From what pydantic finds to what a client is told: the place as it would write it, and what would be right there."""

from collections.abc import Mapping
from typing import Any

from speechcall.outbound.rules.address import is_url
from speechcall.shared.rules.characters import foreign, lookalike, unseen
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.spelling import Names

MAX_PROBLEMS = 20
"""Of one message: an answer must fit into 6 MB (AWS Lambda), whatever was sent."""
MAX_SHOWN_BYTES = 64
"""Of a client's own text in an answer. The answer is stored, and an item has at most 400 KB (DynamoDB)."""

_CAUSES = '"noAnswer", "busy", "failed", "expired", "promptUnavailable" and "noKey"'
_LISTS = "d0 to d9, d*, d#, complete, silence, invalid, wrong"
_ACTION = 'an object whose "action" is "webhook", "hangup", "gotoMenu", "optOut" or "lookup"'
RIGHT = {
    "message": "an object with from, to, text, type and menu",
    "from": "a string of 1 to 64 characters",
    "to": "a phone number in international format, such as +380671234567",
    "text": "a string of 1 to 1600 characters",
    "type": '"speechcall"',
    "menu": "an array of 1 to 20 menus",
    "menus": "an array of 1 to 20 menus",
    "vars": "an object of at most 100 names, each with a string",
    "vars[]": "a string of 1 to 256 characters",
    "campaign": "a string of 1 to 64 letters (A to Z, a to z), digits, _ and -",
    "customerMessageId": "a string of 1 to 64 characters",
    "ttl": "a whole number of seconds from 30 to 172800",
    "ringTimeoutSec": "a whole number of seconds from 15 to 60",
    "silentRepeats": "a whole number from 0 to 49",
    "sendAt": "a moment with its offset (RFC 3339), such as 2026-12-01T09:00:00+02:00",
    "windows": "an array of 1 to 7 windows",
    "windows[]": 'an object such as {"from": "09:00", "to": "20:00", "days": ["mon", "tue"]}',
    "windows[].from": "a time from 00:00 to 23:59",
    "windows[].to": "a time from 00:00 to 24:00",
    "windows[].days": 'an array of "mon", "tue", "wed", "thu", "fri", "sat" and "sun", each at most once',
    "windows[].days[]": '"mon", "tue", "wed", "thu", "fri", "sat" or "sun"',
    "timeZone": 'the IANA name of a time zone, such as Europe/Kyiv, or "recipient"',
    "notOn": "an array of 1 to 100 dates, such as 2026-12-25",
    "notOn[]": "a date, such as 2026-12-25",
    "statusUrl": "a URL of at most 2048 characters that begins with http:// or https://",
    "statusEvents": 'an array of "final", "attempt", "list" and "fallback", each at most once',
    "statusEvents[]": '"final", "attempt", "list" or "fallback"',
    "consent": 'an object such as {"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 4711"}',
    "consent.basis": "a string of 1 to 256 characters",
    "consent.at": "a moment with its offset (RFC 3339), such as 2026-11-30T09:00:00Z",
    "consent.ref": "a string of 1 to 256 characters",
    "redial": 'an object such as {"attempts": 2, "afterSec": [300, 900], "on": ["busy", "noAnswer", "failed"]}',
    "redial.attempts": "a whole number from 0 to 4",
    "redial.afterSec": "an array of 1 to 4 whole numbers of seconds from 60 to 86400",
    "redial.afterSec[]": "a whole number of seconds from 60 to 86400",
    "redial.on[]": '"busy", "noAnswer", "failed" or "noKey"',
    "redial.on": 'an array of "busy", "noAnswer", "failed" and "noKey", each at most once',
    "fallback": 'an object such as {"type": "sms", "text": "Call us: 0800 123456.", "on": ["busy", "noAnswer"]}',
    "fallback.type": '"sms"',
    "fallback.text": "a string of 1 to 1530 characters",
    "fallback.on": f"an array of {_CAUSES}, each at most once",
    "fallback.on[]": _CAUSES.replace(" and ", " or "),
    "priority": '"normal" or "urgent"',
    "optOutLists": "an array of at most 5 names of lists",
    "optOutLists[]": "a name of 1 to 64 letters, digits, _ and -",
    "ignoreOptOut": "true or false",
    "menu[]": "an object with introUrl (or say, or play) and dtmfActions",
    "say": 'an object such as {"text": "Good morning.", "language": "en-GB", "voice": "Amy"}',
    "say.text": "a string of 1 to 1500 characters",
    "say.language": "the code of a language, such as en-GB",
    "say.voice": "the name of a voice, such as Amy",
    "play": "an array of 1 to 20 parts",
    "play[]": 'an object such as {"audio": "welcome"}, {"spell": "4071", "recordings": "uk_"} or {"pauseMsec": 500}',
    "play[].audio": "the URL of an audio file, or an identifier of 1 to 64 letters, digits, _ and -",
    "play[].spell": "a string of 1 to 20 digits",
    "play[].recordings": "how ten identifiers begin, such as uk_ of uk_0 to uk_9: 1 to 63 letters, digits, _ and -",
    "play[].pauseMsec": "a whole number of milliseconds from 1 to 10000",
    "introUrl": "the URL of an audio file, or an identifier of 1 to 64 letters, digits, _ and -",
    "repeat": 'an object such as {"times": 2, "introUrl": "once_more"}',
    "times": "a whole number from 1 to 5",
    "idleTimeoutMsec": "a whole number of milliseconds from 1 to 180000",
    "input": 'an object such as {"minDigits": 4, "maxDigits": 8, "endKey": "#", "interDigitMsec": 3000}',
    "input.minDigits": "a whole number from 1 to 20",
    "input.maxDigits": "a whole number from 1 to 20",
    "input.endKey": '"#" or "*"',
    "input.sensitive": "true or false",
    "bargeIn": "true or false",
    "input.interDigitMsec": "a whole number of milliseconds from 1000 to 20000",
    "dtmfActions": f"an object that gives keys ({_LISTS}) an array of actions each",
    "dtmfActions.key": f"an array of at most 10 actions, each {_ACTION}",
    "action": _ACTION,
    "action.url": "a URL of at most 2048 characters that begins with http:// or https://",
    "action.body": "an object",
    "action.headers": "an object of at most 20 names, each with a string",
    "action.header": "a string",
    "action.list": "the name of a list of opt-outs, 1 to 64 letters, digits, _ and -",
    "action.timeoutMsec": "a whole number of milliseconds from 1000 to 5000",
    "action.cases": 'an object of 1 to 20 names of 1 to 64 characters, each with a menu, such as {"paid": 2}',
    "action.else": 'the 0-based index of a menu, such as 1 or "1"',
    "action.menu": 'the 0-based index of a menu, such as 1 or "1"',
}
"""What would be right, by place; each completes "must be …"."""

_UNKNOWN = {
    "fallback": "is not known here; a fallback has type, text and on",
    "redial": "is not known here; a redial has attempts, afterSec and on",
    "consent": "is not known here; a consent has basis, at and ref",
    "windows[]": "is not known here; a window has from, to and days",
    "menu[]": "is not known here; a menu has introUrl, say or play, idleTimeoutMsec, bargeIn, input, dtmfActions and"
    " repeat",
    "repeat": "is not known here; a repeat has times, and introUrl, say or play",
    "play[]": "is not known here; a part has audio, say, spell with recordings, or pauseMsec",
    "input": "is not known here; an input has minDigits, maxDigits, endKey, interDigitMsec and sensitive",
    "say": "is not known here; a say has text, language and voice",
    "dtmfActions.key": "is no key; d0 to d9, d*, d#, complete, silence, invalid and wrong are",
    "webhook": "is not known here; a webhook has action, url, body and headers",
    "hangup": "is not known here; a hangup has only action",
    "gotoMenu": "is not known here; a gotoMenu has action and menu",
    "optOut": "is not known here; an optOut has action and list",
    "lookup": "is not known here; a lookup has action, url, body, headers, timeoutMsec, cases and else",
}
KNOWN_NAMES = {
    "fallback": ("type", "text", "on"),
    "redial": ("attempts", "afterSec", "on"),
    "consent": ("basis", "at", "ref"),
    "windows[]": ("from", "to", "days"),
    "menu[]": ("say", "play", "introUrl", "idleTimeoutMsec", "input", "bargeIn", "dtmfActions", "repeat"),
    "repeat": ("times", "introUrl", "say", "play"),
    "input": ("minDigits", "maxDigits", "endKey", "interDigitMsec", "sensitive"),
    "play[]": ("audio", "say", "spell", "recordings", "pauseMsec"),
    "say": ("text", "language", "voice"),
    "dtmfActions.key": (
        "d0",
        "d1",
        "d2",
        "d3",
        "d4",
        "d5",
        "d6",
        "d7",
        "d8",
        "d9",
        "complete",
        "silence",
        "invalid",
        "wrong",
    ),
    "webhook": ("action", "url", "body", "headers"),
    "hangup": ("action",),
    "gotoMenu": ("action", "menu"),
    "optOut": ("action", "list"),
    "lookup": ("action", "url", "body", "headers", "timeoutMsec", "cases", "else"),
}
"""The names that are known in each place that has no others; of keys those that are more than a letter and a sign."""
_KNOWN = {place: Names(known) for place, known in KNOWN_NAMES.items()}
_CODES = {
    "to": "INVALID_RECIPIENT",
    "from": "INVALID_SENDER",
    "text": "INVALID_TEXT",
    "type": "INVALID_TYPE",
    "vars": "INVALID_VARS",
    "customerMessageId": "INVALID_CUSTOMER_MESSAGE_ID",
    "ttl": "INVALID_TTL",
    "ringTimeoutSec": "INVALID_RING_TIMEOUT",
    "silentRepeats": "INVALID_SILENT_REPEATS",
    "redial": "INVALID_REDIAL",
    "fallback": "INVALID_FALLBACK",
    "priority": "INVALID_PRIORITY",
    "sendAt": "INVALID_SEND_AT",
    "windows": "INVALID_WINDOW",
    "timeZone": "INVALID_TIME_ZONE",
    "notOn": "INVALID_NOT_ON",
    "optOutLists": "INVALID_OPT_OUT",
    "ignoreOptOut": "INVALID_OPT_OUT",
    "statusUrl": "INVALID_STATUS_URL",
    "statusEvents": "INVALID_STATUS_EVENTS",
    "consent": "INVALID_CONSENT",
}

_FREE_TEXT = {
    "from",
    "text",
    "customerMessageId",
    "say.text",
    "fallback.text",
    "consent.basis",
    "consent.ref",
    "vars[]",
}
"""What may have any letters."""
_SCHEME = len("https://")

# Where the parts of a place are: menu, 0, dtmfActions, d1, 0, webhook (pydantic's own mark), headers, X-Name
_KEY, _ACTION_KIND = 3, 5
_NAMES = {2: "menu[]", 4: "dtmfActions.key", 5: "action"}
_KEY_MARK = "[key]"
_VAR = 2
"""So many parts has the place of a value of `vars`."""


def problem_of(loc: tuple[int | str, ...], kind: str, message: str, given: object, path: str) -> Problem:
    """The problem that pydantic calls `kind` at `loc`, where `given` is. `message` is pydantic's text.

    `path`: of the message (`messages[0]`), or empty. The problem's path is that and `loc`, without two marks that are
    pydantic's own: `[key]` at the end, where the name itself is wrong, and the kind of an action. So `menu`, 0,
    `dtmfActions`, `d1`, 0, `webhook`, `url` becomes `messages[0].menu[0].dtmfActions.d1[0].url`.
    """
    code = _CODES.get(str(loc[0]), "INVALID_MENU") if loc else "INVALID_MESSAGE"
    is_key = len(loc) in (_KEY + 2, _VAR + 1) and loc[-1] == _KEY_MARK
    is_action = len(loc) > _KEY and loc[_KEY - 1] == "dtmfActions"
    parts = loc[:-1] if is_key else (*loc[:_ACTION_KIND], *loc[_ACTION_KIND + 1 :]) if is_action else loc
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    if len(loc) > _KEY and loc[_KEY - 1] == "repeat":  # what it plays is what a menu may play
        loc = (*loc[: _KEY - 1], *loc[_KEY:])
        if kind == "extra_forbidden" and len(loc) == _KEY:
            text = _unknown("repeat", str(loc[-1])) + foreign(str(loc[-1]))
            return Problem(code, path.removeprefix("."), text)
    return Problem(code, path.removeprefix("."), _text(loc, kind, message, is_key) + _hidden(loc, kind, given, is_key))


def shown(text: str) -> str:
    """The beginning of a client's text, short enough to be shown in an answer."""
    return text.encode()[:MAX_SHOWN_BYTES].decode(errors="ignore")


def _text(loc: tuple[int | str, ...], kind: str, message: str, is_key: bool) -> str:
    """What is wrong; it completes the sentence that begins with the place. In: as `problem_of`; a `repeat` is left
    out of `loc`.

    `is_key`: it is the name itself, of a key or of a member of `vars`, that is wrong.
    """
    if is_key and loc[0] == "vars":
        return "is no name; a name is a letter (A to Z, a to z) and at most 31 more letters, digits and _"
    if is_key:
        return _unknown("dtmfActions.key", str(loc[-2]))
    if kind == "extra_forbidden" and loc[0] in ("redial", "fallback", "consent"):
        return _unknown(str(loc[0]), str(loc[-1]))
    if kind == "extra_forbidden" and loc[0] == "windows":
        return _unknown("windows[]", str(loc[-1]))
    if kind == "extra_forbidden" and _is_inside_say(loc):
        return _unknown("say", str(loc[-1]))
    if kind == "extra_forbidden" and _is_inside("play", loc):
        return _unknown("play[]", str(loc[-1]))
    if kind == "extra_forbidden" and _is_inside("input", loc):
        return _unknown("input", str(loc[-1]))
    if kind == "extra_forbidden":
        return _unknown(str(loc[_ACTION_KIND]) if len(loc) > _ACTION_KIND else "menu[]", str(loc[-1]))
    if kind == "value_error":  # one of ours, in our own words
        return message.removeprefix("Value error, ")
    right = RIGHT[_name(loc)]
    return f"is required: {right}" if kind == "missing" else f"must be {right}"


def _unknown(place: str, name: str) -> str:
    """The sentence about a name that a place does not know."""
    if meant := _KNOWN[place].meant_by(name):
        return f"{_UNKNOWN[place].partition(';')[0]}; did you mean {meant}?"
    return _UNKNOWN[place]


def _hidden(loc: tuple[int | str, ...], kind: str, given: Any, is_key: bool) -> str:
    """The end of the sentence: which character of what was given cannot be seen, or only looks right; empty: none.

    Without that the sentence would puzzle. In: as `_text`.
    """
    if is_key or kind == "extra_forbidden":
        return foreign(str(loc[-2] if is_key else loc[-1]))
    if kind == "missing" and isinstance(given, Mapping):
        return lookalike(given, str(loc[-1]))
    name = _name(loc)
    if name == "action" and isinstance(given, Mapping):
        given = given.get("action")
    if not isinstance(given, str):
        return ""
    if name in _FREE_TEXT:
        return unseen(given) if given.strip() else ""
    if name in ("action.url", "statusUrl") or is_url(given):  # a host and a path may have any letters
        return unseen(given) or foreign(given[:_SCHEME])
    return foreign(given)


def _is_inside_say(loc: tuple[int | str, ...]) -> bool:
    return loc[0] == "menu" and len(loc) > _KEY and (loc[_KEY - 1] == "say" or "say" in loc[_KEY + 1 : -1])


def _is_inside(member: str, loc: tuple[int | str, ...]) -> bool:
    return loc[0] == "menu" and len(loc) > _KEY and loc[_KEY - 1] == member


def _name(loc: tuple[int | str, ...]) -> str:
    """The name in RIGHT of the place at `loc`, such as `menu[]`, `say.text` or `action.url`. In: as `_text`."""
    if not loc:
        return "message"
    if loc[0] in ("redial", "fallback", "consent"):
        return ".".join(str(part) for part in loc[:2]) + ("[]" if len(loc) > 2 else "")
    if loc[0] == "vars":
        return "vars[]" if len(loc) == _VAR else "vars"
    if loc[0] in ("windows", "notOn", "statusEvents", "optOutLists"):
        return str(loc[0]) + "".join("[]" if isinstance(part, int) else f".{part}" for part in loc[1:])
    if _is_inside_say(loc):
        return f"say.{loc[-1]}"
    if _is_inside("input", loc):
        return f"input.{loc[-1]}"
    if _is_inside("play", loc):
        return "play[]" if len(loc) == _KEY + 1 else "say" if loc[-1] == "say" else f"play[].{loc[-1]}"
    if len(loc) > _ACTION_KIND + 2:
        return "action.header"
    if len(loc) == _ACTION_KIND + 2:
        return f"action.{loc[-1]}"
    return _NAMES.get(len(loc), str(loc[-1]))
