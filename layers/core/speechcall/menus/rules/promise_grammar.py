"""Promises as JSON: read and checked. docs/promises.md has the grammar, docs/promises.schema.json the schema."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from speechcall.menus.rules.menu import ENTRIES, LISTS, NO_KEY
from speechcall.menus.rules.promise import (
    EXCUSED,
    MOST_PROMISES,
    AlwaysLeads,
    AlwaysMenus,
    AlwaysSeconds,
    AlwaysSent,
    Ending,
    LeadsTo,
    NeverBoth,
    NeverBy,
    NeverEnds,
    NeverSent,
    NeverTwice,
    NeverWithout,
    Pattern,
    Promise,
    Rule,
)
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.json_text import dump_json, whole
from speechcall.shared.rules.spelling import Names

CODE = "INVALID_PROMISE"
MAX_PATTERN_LENGTH, MAX_NAME_LENGTH = 256, 64
MOST_MENUS, MOST_SECONDS = 500, 86_400
MOST_IN_A_MESSAGE = 20
MOST_PROBLEMS = 20
EVERY_MENU = "every menu"
SOME_KEY = "some key"
HANGUP, OPT_OUT = "hangup", "optOut"
_SHOWN = 120
_AT_MOST = re.compile(r"<= ?([1-9][0-9]{0,4})", re.ASCII)
BREAKABLE = (Ending.SILENCE, Ending.LIMIT)
"""How a promise may say that no call ends; whether callees hang up nobody can promise."""
EXCUSES = (Ending.CALLER_HUNG_UP, Ending.PROMPT_UNAVAILABLE, Ending.SILENCE, Ending.LIMIT)

_PATTERN = f"a pattern of URLs of 1 to {MAX_PATTERN_LENGTH} characters, such as */confirmed"
_KEY = "a key: d0 to d9, d*, d# or complete"
_KEYS = "a key, or an array of 1 to 13 keys: d0 to d9, d*, d# and complete"
_LIST = "a list, or an array of 1 to 16 lists: d0 to d9, d*, d#, complete, silence, invalid and wrong"
_WITHIN = f'an object such as {{"menus": 3}}, with 1 to {MOST_MENUS} menus'
_IN = f'"{EVERY_MENU}", the 0-based index of a menu, or an array of 1 to 20 of them'
_KEY_THAT_LEADS = f'{_KEY}, or "{SOME_KEY}"'
_LEADS = f'"{HANGUP}", "{OPT_OUT}", or an object with menu or webhook, such as {{"menu": 1}} or {{"webhook": "*/stop"}}'
_ENDS = " or ".join(f'"{one}"' for one in BREAKABLE)
_UNLESS = "an array of " + " and ".join(f'"{one}"' for one in EXCUSES).replace(" and ", ", ", len(EXCUSES) - 2)

NEVER = ("webhook", "without", "by", "twice", "both", "ends")
ALWAYS = ("webhook", "within", "after", "unless", "key", "in", "leadsTo", "menus", "callSeconds")
_FORMS_OF_NEVER = "webhook (alone, or with one of without, by, twice), or both, or ends"
_FORMS_OF_ALWAYS = (
    "webhook (alone, or with within, after, unless), or key with in and leadsTo, or menus, or callSeconds"
)


class Pack(NamedTuple):
    """Promises under a name. `make` is given the pack's members that were checked."""

    about: str
    members: Mapping[str, str]
    """Which it takes after its name, with what each is where it is absent."""
    make: Callable[[Mapping[str, str]], Rule]


def _key_or_some(given: str) -> str | None:
    return None if given == SOME_KEY else given


PACKS: Mapping[str, Pack] = {
    "no-confirmation-without-a-key": Pack(
        "nothing is confirmed by silence or by a key that has no list",
        {"webhook": "*confirm*"},
        lambda given: NeverBy(Pattern(given["webhook"]), NO_KEY),
    ),
    "opt-out-in-every-menu": Pack(
        "in every menu that a call asks some key opts out (or the one in key does)",
        {"key": SOME_KEY},
        lambda given: AlwaysLeads(_key_or_some(given["key"]), None, LeadsTo(opts_out=True)),
    ),
    "ends-within-three-menus": Pack("no call asks more than three menus", {}, lambda _given: AlwaysMenus(3)),
}


class _Wrong(Exception):
    """A promise cannot be read: where, and what would be right."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path, self.text = path, text


def read_promises(given: Any, path: str = "promises") -> tuple[tuple[Promise, ...], list[Problem]]:
    """The promises of a JSON array, and no problems; or no promises, and the first problem of each that is wrong."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_PROMISES:
        return (), [Problem(CODE, path, f"must be an array of 1 to {MOST_PROMISES} promises")]
    promises, problems = list[Promise](), list[Problem]()
    for index, one in enumerate(given):
        try:
            promises.append(_promise(one, f"{path}[{index}]"))
        except _Wrong as wrong:
            problems.append(Problem(CODE, wrong.path, wrong.text))
    return ((), problems[:MOST_PROBLEMS]) if problems else (tuple(promises), [])


def _promise(given: Any, path: str) -> Promise:
    """One promise of the array. Raises _Wrong for the first thing that is wrong in it."""
    if not isinstance(given, dict):
        raise _Wrong(path, "must be an object with never, always or pack")
    kinds = [kind for kind in ("never", "always", "pack") if kind in given]
    members = PACKS[given["pack"]].members if _is_pack(given.get("pack")) else {}
    _refuse_unknown(given, ("name", "never", "always", "pack", *members), path)
    if len(kinds) != 1:
        raise _Wrong(path, f"has {' and '.join(kinds) or 'none of never, always and pack'}; exactly one would be right")
    name = given.get("name")
    if name is not None and not (isinstance(name, str) and 1 <= len(name) <= MAX_NAME_LENGTH and name.isprintable()):
        raise _Wrong(f"{path}.name", f"must be a string of 1 to {MAX_NAME_LENGTH} characters that can be seen")
    if kinds == ["pack"]:
        rule = _pack(given, members, path)
    else:
        read, kind = (_never, "never") if kinds == ["never"] else (_always, "always")
        if not isinstance(given[kind], dict):
            raise _Wrong(f"{path}.{kind}", f"must be an object with {_FORMS[kind]}")
        rule = read(given[kind], f"{path}.{kind}")
    return Promise(name or _short(given), rule)


_FORMS = {"never": _FORMS_OF_NEVER, "always": _FORMS_OF_ALWAYS}


def _short(given: Mapping[str, Any]) -> str:
    text = dump_json(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _is_pack(name: Any) -> bool:
    return isinstance(name, str) and name in PACKS


def not_a_pack(given: Any) -> str:
    """What is wrong with the name of a pack that does not exist, and what would be right."""
    text = f"must be the name of a pack: {', '.join(PACKS)}"
    meant = Names(PACKS).meant_by(given) if isinstance(given, str) else None
    return f"{text}; did you mean {meant}?" if meant else text + _seen(given)


def _pack(given: Mapping[str, Any], members: Mapping[str, str], path: str) -> Rule:
    """The rule of a `pack`; `members`: those that it takes, with their defaults. Raises _Wrong."""
    if not _is_pack(given["pack"]):
        raise _Wrong(f"{path}.pack", not_a_pack(given["pack"]))
    read = {"webhook": lambda one, at: _pattern(one, at).text, "key": _key_that_leads}
    found = {name: read[name](given.get(name, default), f"{path}.{name}") for name, default in members.items()}
    return PACKS[given["pack"]].make(found)


def _never(given: Mapping[str, Any], path: str) -> Rule:
    """The rule of a `never` that is an object: which rule, its members say. Raises _Wrong."""
    _refuse_unknown(given, NEVER, path)
    match sorted(given):
        case ["both"]:
            both = given["both"]
            if not isinstance(both, list) or len(both) != 2:
                raise _Wrong(f"{path}.both", f"must be an array of two, each {_PATTERN}")
            first, second = (_pattern(one, f"{path}.both[{index}]") for index, one in enumerate(both))
            return NeverBoth((first, second))
        case ["ends"]:
            if given["ends"] not in BREAKABLE:
                raise _Wrong(f"{path}.ends", f"must be {_ENDS}{_seen(given['ends'])}")
            return NeverEnds(Ending(given["ends"]))
        case ["webhook"]:
            return NeverSent(_pattern(given["webhook"], f"{path}.webhook"))
        case ["webhook", "without"]:
            webhook = _pattern(given["webhook"], f"{path}.webhook")
            return NeverWithout(webhook, _names(given["without"], ENTRIES, f"{path}.without", _KEYS))
        case ["by", "webhook"]:
            webhook = _pattern(given["webhook"], f"{path}.webhook")
            return NeverBy(webhook, _names(given["by"], LISTS, f"{path}.by", _LIST))
        case ["twice", "webhook"]:
            if given["twice"] is not True:
                raise _Wrong(f"{path}.twice", "must be true; leave it out for a webhook that is never sent at all")
            return NeverTwice(_pattern(given["webhook"], f"{path}.webhook"))
        case _:
            raise _Wrong(path, f"must be an object with {_FORMS_OF_NEVER}")


def _always(given: Mapping[str, Any], path: str) -> Rule:
    """The rule of an `always` that is an object: which rule, its members say. Raises _Wrong."""
    _refuse_unknown(given, ALWAYS, path)
    members = set(given)
    if "webhook" in members and members <= {"webhook", "within", "after", "unless"}:
        webhook = _pattern(given["webhook"], f"{path}.webhook")
        within = _within(given["within"], f"{path}.within") if "within" in given else None
        after = _pattern(given["after"], f"{path}.after") if "after" in given else None
        unless = _excuses(given["unless"], f"{path}.unless") if "unless" in given else EXCUSED
        return AlwaysSent(webhook, within, after, unless)
    if members == {"key", "in", "leadsTo"}:
        key, to = _key_that_leads(given["key"], f"{path}.key"), _leads(given["leadsTo"], f"{path}.leadsTo")
        return AlwaysLeads(_key_or_some(key), _menus(given["in"], f"{path}.in"), to)
    if members == {"menus"}:
        return AlwaysMenus(_at_most(given["menus"], MOST_MENUS, f"{path}.menus"))
    if members == {"callSeconds"}:
        return AlwaysSeconds(_at_most(given["callSeconds"], MOST_SECONDS, f"{path}.callSeconds"))
    raise _Wrong(path, f"must be an object with {_FORMS_OF_ALWAYS}")


def _refuse_unknown(given: Mapping[str, Any], known: Sequence[str], path: str) -> None:
    for name in given:
        if name not in known:
            meant = Names(known).meant_by(name)
            text = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
            raise _Wrong(f"{path}.{name[:MAX_NAME_LENGTH]}", f"is not known here; {text}{foreign(name)}")


def _seen(given: Any) -> str:
    return foreign(given) if isinstance(given, str) else ""


def _pattern(given: Any, path: str) -> Pattern:
    is_text = isinstance(given, str) and 1 <= len(given) <= MAX_PATTERN_LENGTH
    if not is_text or not given.isprintable() or " " in given:
        raise _Wrong(path, f"must be {_PATTERN}; spaces are in no URL")
    return Pattern(given)


def _key_that_leads(given: Any, path: str) -> str:
    if not isinstance(given, str) or given not in (*ENTRIES, SOME_KEY):
        raise _Wrong(path, f"must be {_KEY_THAT_LEADS}{_seen(given)}")
    return given


def _names(given: Any, known: Sequence[str], path: str, right: str) -> tuple[str, ...]:
    """The names that are given, one or an array of them, each once. Raises _Wrong with what would be `right`."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not names or not all(isinstance(one, str) and one in known for one in names):
        raise _Wrong(path, f"must be {right}{_seen(given)}")
    return tuple(dict.fromkeys(names))


def _number(given: Any, least: int, most: int) -> int | None:
    """A whole number within bounds; None: it is none."""
    number = whole(given)
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if least <= number <= most else None


def _within(given: Any, path: str) -> int:
    menus = _number(given["menus"], 1, MOST_MENUS) if isinstance(given, dict) and set(given) == {"menus"} else None
    if menus is None:
        raise _Wrong(path, f"must be {_WITHIN}")
    return menus


def _excuses(given: Any, path: str) -> tuple[Ending, ...]:
    if not isinstance(given, list) or not all(one in EXCUSES for one in given):
        raise _Wrong(path, f"must be {_UNLESS}")
    return tuple(Ending(one) for one in dict.fromkeys(given))


def _menus(given: Any, path: str) -> tuple[int, ...] | None:
    """The menus of `in`; None: every menu. Raises _Wrong."""
    if given == EVERY_MENU:
        return None
    found = [_number(one, 0, MOST_IN_A_MESSAGE - 1) for one in (given if isinstance(given, list) else [given])]
    menus = [one for one in found if one is not None]
    if not 1 <= len(menus) <= MOST_IN_A_MESSAGE or len(menus) != len(found):
        raise _Wrong(path, f"must be {_IN}{_seen(given)}")
    return tuple(dict.fromkeys(menus))


def _leads(given: Any, path: str) -> LeadsTo:
    """What `leadsTo` says a key's list does. Raises _Wrong."""
    if given in (HANGUP, OPT_OUT):
        return LeadsTo(hangs_up=given == HANGUP, opts_out=given == OPT_OUT)
    menu = (
        _number(given["menu"], 0, MOST_IN_A_MESSAGE - 1) if isinstance(given, dict) and set(given) == {"menu"} else None
    )
    if menu is not None:
        return LeadsTo(menu=menu)
    if isinstance(given, dict) and set(given) == {"webhook"}:
        return LeadsTo(webhook=_pattern(given["webhook"], f"{path}.webhook"))
    raise _Wrong(path, f"must be {_LEADS}{_seen(given)}")


def _at_most(given: Any, most: int, path: str) -> int:
    found = _AT_MOST.fullmatch(given) if isinstance(given, str) else None
    if found is None or int(found[1]) > most:
        raise _Wrong(path, f'must be text such as "<= 3", with a whole number from 1 to {most}{_seen(given)}')
    return int(found[1])
