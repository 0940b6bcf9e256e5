"""What Schemathesis cannot know: which audio and which ids there are. And the count of what was answered.

Loaded by Schemathesis itself, in its own process (SCHEMATHESIS_HOOKS).
"""

import atexit
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import schemathesis

from speechcall.requests.use_cases.request_schema import MESSAGE_FIELDS

PROMPT = "ivr_651854"
MOST_MESSAGES = 3
"""Each accepted message is a call."""

_counts: Counter[tuple[str, int]] = Counter()
_ids: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_IDS", '{"messageId": [], "messagelistId": []}'))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Of what fits the schema, make most acceptable and ask mostly for ids that exist; mostly with a new key."""
    # No route is behind a wrong name: the laptop's server refuses it first, as Amazon's front does.
    for name in [name for name in case.headers or {} if name.lower() == "host"]:
        del case.headers[name]
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{1,200}", key) and _chance(case.body) < 9:
        # Otherwise most bodies would come with the same few keys, and be answered 422.
        case.headers["Idempotency-Key"] = f"{key}{_chance(case.body, 1 << 32)}"
    if not _is_positive(case):
        return
    if case.operation.method == "post":
        case.body = _acceptable(case.body)
        if (case.query or {}).get("strict") in (True, "true") and _chance(case.body) < 8:
            case.body = _known_alone(case.body)
    if (case.path_parameters or {}).get("introId") == PROMPT and case.operation.method not in ("get", "head"):
        case.path_parameters["introId"] = f"{PROMPT}_too"  # the messages need theirs as it is
    for name, known in _ids.items():
        given = (case.path_parameters or {}).get(name)
        if given is not None and known and given not in known and _chance(given) < 8:
            case.path_parameters[name] = known[_chance(given, len(known))]


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Counts an answer, and keeps the ids that it gives."""
    _counts[case.operation.label, response.status_code] += 1
    if case.operation.label == "POST /bat/messagelist" and response.status_code == 200:
        answer = response.json()
        _ids["messagelistId"].append(answer["messagelistId"])
        _ids["messageId"] += [one["messageId"] for one in answer["messages"] if "messageId" in one]


@atexit.register
def _tell() -> None:
    if path := os.environ.get("FUZZ_COUNTS"):
        rows = [[label, status, count] for (label, status), count in sorted(_counts.items())]
        Path(path).write_text(json.dumps(rows), encoding="utf-8")


def _is_positive(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def _chance(value: Any, most: int = 10) -> int:
    """0 to most - 1, the same for the same value: a case that is run again must be the same."""
    return zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % most


def _acceptable(body: Any) -> Any:
    """The body with its audio known and its targets there, nine times of ten; and few messages."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or _chance(body) == 0:
        return body
    shared = _shared(body)
    return _with_hours(
        {**body, **shared, "messages": [_mended(message, shared) for message in body["messages"][:MOST_MESSAGES]]}
    )


def _shared(body: dict[str, Any]) -> dict[str, Any]:
    """The menus of all messages, if there are any: with a name that each message has a text for."""
    if not isinstance(body.get("menus"), list):
        return {}
    said = {"introUrl": None, "play": None, "say": {"text": "Order {{order}}.", "language": "en-GB"}}
    menus = [_repaired_menu(menu, len(body["menus"])) for menu in body["menus"]]
    return {"menus": [{**menu, **said} if isinstance(menu, dict) else menu for menu in menus]}


def _with_hours(given: dict[str, Any]) -> dict[str, Any]:
    """The schema does not say which zones there are, nor that they belong to something, nor when it is now."""
    hours = {"sendAt": None, "notOn": ["2026-12-25"] if given.get("notOn") else None}
    zone = "Europe/Kyiv" if given.get("windows") or hours["notOn"] else None
    return {**given, **{name: value for name, value in {**hours, "timeZone": zone}.items() if name in given or value}}


def _known_alone(body: Any) -> Any:
    """The body without what a strict request is refused for: the schema lets a message have any other member."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return body
    shared = {"menus": body["menus"]} if "menus" in body else {}
    return {**shared, "messages": [_of(message, MESSAGE_FIELDS) for message in body["messages"]]}


def _of(message: Any, names: Collection[str]) -> Any:
    return {name: value for name, value in message.items() if name in names} if isinstance(message, dict) else message


def _mended(message: Any, shared: dict[str, Any]) -> Any:
    if not isinstance(message, dict):
        return message
    if shared and not isinstance(message.get("menu"), list):
        texts = [text for text in (message.get("vars") or {}).values() if text.strip()]
        message = {**{name: value for name, value in message.items() if name != "menu"}, "vars": {"order": "4711"}}
        if texts:
            message["vars"]["order"] = texts[0]
    elif not isinstance(message.get("menu"), list):
        return message
    # The schema does not say which numbers there are.
    number = {"to": f"+38067{_chance(message['to'], 10**7):07}"} if isinstance(message.get("to"), str) else {}
    repaired = {**_with_hours(message), **number}
    if "menu" in message:
        repaired["menu"] = [_repaired_menu(menu, len(message["menu"])) for menu in message["menu"]]
    return repaired


def _repaired_menu(menu: Any, count: int) -> Any:
    if not isinstance(menu, dict) or not isinstance(menu.get("dtmfActions"), dict):
        return menu
    lists = {
        key: [_mended_action(action, count) for action in actions] if isinstance(actions, list) else actions
        for key, actions in menu["dtmfActions"].items()
    }
    say = menu.get("say")
    # The schema does not say which voice speaks which language.
    intro = {"say": {**say, "voice": None}} if isinstance(say, dict) else {"introUrl": PROMPT}
    repeat = menu.get("repeat")
    again = {"repeat": {"times": repeat["times"], "introUrl": PROMPT}} if isinstance(repeat, dict) else {}
    return {**menu, **intro, **again, "dtmfActions": lists}


def _mended_action(action: Any, count: int) -> Any:
    if not isinstance(action, dict):
        return action
    if action.get("action") == "gotoMenu" and str(action.get("menu")).isdigit():
        index = int(str(action["menu"])[:9]) % count
        return {**action, "menu": str(index) if isinstance(action["menu"], str) else index}
    if action.get("action") == "lookup" and isinstance(action.get("cases"), dict):
        cases = {name: _chance(name, count) for name in action["cases"] if name.strip()}
        action = {**action, "cases": cases or {"paid": 0}, "else": 0}
    if action.get("action") in ("webhook", "lookup"):
        headers = action.get("headers") or {}
        names = {f"x-{re.sub(r'[^a-z0-9]', '', name.lower())}": "v" for name in headers if isinstance(name, str)}
        url = f"https://api.example.com/{_chance(action.get('url'), 1000)}"
        return {**action, "url": url, **({"headers": names} if headers else {})}
    return action
