"""Menus as a request writes them, out of those that are stored; of headers, which may hold secrets, only the names."""

from collections.abc import Sequence
from typing import Any, assert_never

from speechcall.menus.rules.introduction import MOST_DIGITS, Audio, Part, Pause
from speechcall.menus.rules.menu import Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Repeat, Webhook
from speechcall.menus.rules.speech import Say
from speechcall.outbound.rules.address import is_url
from speechcall.shared.rules.json_text import parse_json

HIDDEN = "(hidden)"
"""In the place of a header's value."""


def written_menus(menus: Sequence[Menu]) -> list[dict[str, Any]]:
    """The `menu` of a message, for `dump_json`: each number of a body has the digits that the sender wrote."""
    return [_written(menu) for menu in menus]


def _written(menu: Menu) -> dict[str, Any]:
    """A menu as a request writes it; a member that is as by default is left out."""
    lists = {key: [_action(action) for action in steps] for key, steps in menu.actions.items()}
    repeat = {"repeat": {"times": menu.repeat.times} | _plays(menu.repeat)} if menu.repeat else {}
    waits = {"idleTimeoutMsec": menu.idle_timeout_msec, **_input(menu)}
    barge = {} if menu.barge_in else {"bargeIn": False}
    return _plays(menu) | waits | barge | {"dtmfActions": lists} | repeat


def _input(menu: Menu) -> dict[str, Any]:
    """The member `input`, or nothing of a menu that asks for one key."""
    if menu.input is None:
        return {}
    least, most, end_key, msec, sensitive = menu.input
    told = {"minDigits": least, "maxDigits": most, "endKey": end_key, "interDigitMsec": msec}
    return {"input": {**told, **({"sensitive": True} if sensitive else {})}}


def _plays(plays: Menu | Repeat) -> dict[str, Any]:
    """The member of the introduction, or nothing of a repeat that plays its menu's own."""
    if plays.say:
        return _say(plays.say)
    if plays.play:
        return {"play": _parts(plays.play)}
    return {"introUrl": plays.intro} if plays.intro else {}


def _say(say: Say) -> dict[str, Any]:
    return {"say": {"text": say.text, "language": say.language, "voice": say.voice}}


def _parts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The parts as a request writes them. Recordings of digits in a row are one `spell` again, up to MOST_DIGITS."""
    found: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case Audio(name):
                last, beginning, digit = (found[-1] if found else {}), name[:-1], name[-1:]
                is_digit = digit.isascii() and digit.isdigit() and bool(beginning) and not is_url(name)
                if is_digit and last.get("recordings") == beginning and len(last["spell"]) < MOST_DIGITS:
                    last["spell"] += digit
                elif is_digit:
                    found.append({"spell": digit, "recordings": beginning})
                else:
                    found.append({"audio": name})
            case Say():
                found.append(_say(part))
            case Pause(msec):
                found.append({"pauseMsec": msec})
            case _:
                assert_never(part)
    return found


def _action(action: Action) -> dict[str, Any]:
    """An action as a request writes it, with HIDDEN in the place of its headers' values."""
    match action:
        case Webhook(url, body, headers):
            told = {"action": "webhook", "url": url, "body": parse_json(body.encode())}
            return told | {"headers": dict.fromkeys(headers, HIDDEN)} if headers else told
        case Hangup():
            return {"action": "hangup"}
        case GotoMenu(menu):
            return {"action": "gotoMenu", "menu": menu}
        case OptOutStep(list_name):
            return {"action": "optOut"} | ({"list": list_name} if list_name else {})
        case Lookup(url, cases, otherwise, timeout_msec, body, headers):
            told = {"action": "lookup", "url": url, "body": parse_json(body.encode())}
            told |= {"headers": dict.fromkeys(headers, HIDDEN)} if headers else {}
            return told | {"timeoutMsec": timeout_msec, "cases": dict(cases), "else": otherwise}
        case _:
            assert_never(action)
