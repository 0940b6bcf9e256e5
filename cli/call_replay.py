"""A call's file, run once more: what follows each thing that was heard, by the rules that the service goes by."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cli.failures import Refusal
from cli.files import read_file
from cli.menu_files import PLACEHOLDERS
from speechcall.menus.rules.call_log import (
    ANSWERED,
    PROMPT_ERROR,
    Decided,
    Entry,
    Plan,
    Then,
    ThenKind,
    after_wait,
    follows,
)
from speechcall.menus.rules.menu import Menu, Webhook
from speechcall.menus.rules.walk import ELSE, react, table_of, waits_of
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge
from speechcall.shared.rules.ids import event_id
from speechcall.shared.rules.json_text import parse_json

MAX_BYTES = 4 * 1024 * 1024
UNREADABLE = "UNREADABLE_CALL"
FORM = 1
_EVENTS = (ANSWERED, PROMPT_ERROR, "key", "idle")


class Step(NamedTuple):
    """One thing that was heard, when, and what follows from it by the menus."""

    attempt: int
    seq: int
    menu: int | None
    """In which it was heard, from 0; None: the callee answered."""
    heard: str
    """The key or the event; with what a lookup came to, if there was one."""
    seconds: float
    """Since the call was dialled."""
    then: str
    """What follows, in words."""
    webhooks: tuple[str, ...]
    """The ids of those that follow."""


class Replayed(NamedTuple):
    """All calls of a file: the steps, and the ids of all webhooks that follow from them.

    `differences`: what the file says otherwise, a sentence each; empty: it says the same.
    """

    steps: tuple[Step, ...]
    webhooks: tuple[str, ...]
    differences: tuple[str, ...]


def read_call_file(file: Path) -> dict[str, Any]:
    """What a signed file of a message's calls holds. Whether the signature is right is not looked at.

    Raises Refusal for another file, Failure for one that cannot be opened.
    """
    parts = read_file(file, MAX_BYTES).strip().split(b".")
    try:
        protected, payload, _ = parts
        header = parse_json(_decoded(protected))
        content = parse_json(_decoded(payload))
    except (ValueError, binascii.Error, MalformedJson, PayloadTooLarge):
        raise Refusal(f"{UNREADABLE}: {file.name} is not the file of a call: three parts in base64url.") from None
    if not isinstance(header, dict) or not isinstance(content, dict) or content.get("v") != FORM:
        raise Refusal(f"{UNREADABLE}: {file.name} is not of a form that this release reads (v {FORM}).")
    return content


def replay_calls(content: dict[str, Any]) -> Replayed:
    """Runs every call of a file's content. Raises Refusal where its menus cannot be run or its calls cannot be read."""
    model, problems = check_message(PLACEHOLDERS | {"menu": content.get("menu")}, "call")
    if model is None:
        places = [f"  {one.path} {one.message}" for one in problems]
        raise Refusal("\n".join([f"{UNREADABLE}: its menus cannot be used:", *places]))
    menus = to_menus(model)
    try:
        mid, sent = str(content["messageId"]), list(content["webhooks"])
        found = [_replay_call(mid, menus, call) for call in content["calls"]]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Refusal(f"{UNREADABLE}: what it says of its calls cannot be read ({type(error).__name__}).") from None
    steps = tuple(step for some, _ in found for step in some)
    webhooks = tuple(name for step in steps for name in step.webhooks)
    differences = [one for _, some in found for one in some]
    differences += [f"{name} was sent, and does not follow" for name in sent if name not in webhooks]
    differences += [f"{name} follows, and was not sent" for name in webhooks if name not in sent]
    return Replayed(steps, webhooks, tuple(differences))


def _replay_call(mid: str, menus: Sequence[Menu], call: dict[str, Any]) -> tuple[list[Step], list[str]]:
    """The steps of one call, by the menus and what was heard alone; and what the file says otherwise.

    Ends at the first entry that was heard where nothing, or another menu, was asked. Raises what reading a `call` of
    another form does: KeyError, TypeError, ValueError, AttributeError.
    """
    limits, attempt, began = call["limits"], int(call["attempt"]), int(call["dialledMsec"])
    if limits is None:  # a call without a log: nothing of it can be run
        return [], [] if not call["log"] else [f"call {attempt} has a log and no limits"]
    plan = Plan(
        table_of(menus), int(limits["menus"]), int(limits["until"]), int(limits["silentRepeats"]), waits_of(menus)
    )
    log, steps, differences = list[Entry](), list[Step](), list[str]()
    for given in call["log"]:
        entry = _entry(given, len(menus))
        # The first entry is the answer, which is heard in no menu; each later one, in the menu that followed before it.
        before = log[-1].then if log else Then(ThenKind.ASK, None)
        if entry.seq != len(log) + 1 or before != Then(ThenKind.ASK, entry.menu):
            differences.append(f"call {attempt}: what was heard at {entry.seq} was not asked")
            break
        then = follows(plan, log, entry.menu, entry.event, entry.key, entry.at_msec)
        case = ""
        # A receiver's answer is taken from the file; what follows from it is not.
        if entry.decided and then.kind is ThenKind.WAIT:
            case = f", and {f'the answer {entry.decided.case!r}' if entry.decided.case else 'no case'}"
            target = react(menus[entry.menu or 0], entry.key or entry.event).leads(entry.decided.case)
            # A lookup, behind which alone there is a WAIT, leads to a menu in every case: `or 0` is for the type.
            then = after_wait(plan, log, entry, target or 0, entry.decided.at_msec)
        if then != entry.then:
            said, right = _words(entry.then), _words(then)
            differences.append(f"call {attempt}: at {entry.seq} {said} followed; {right} would be right")
        heard = (entry.key or entry.event) + case
        names = _webhooks(mid, attempt, entry, menus)
        seconds = (entry.at_msec - began) / 1000
        steps.append(Step(attempt, entry.seq, entry.menu, heard, seconds, _words(then), names))
        log.append(entry._replace(then=then))  # it goes on by what is right, not by what the file says
    return steps, differences


def _entry(given: dict[str, Any], menus: int) -> Entry:
    """An entry of the log, as the file has it. `menus`: how many menus there are.

    Raises ValueError, KeyError, TypeError or AttributeError for anything else.
    """
    event, menu = given["event"], given["menu"]
    # The answer, and it alone, was heard in no menu.
    if event not in _EVENTS or (menu is None) is not (event == ANSWERED) or not 0 <= int(menu or 0) < menus:
        raise ValueError(event)
    then = given["then"]
    told = Then(ThenKind(then["kind"]), then.get("menu"), then.get("reason", ""))
    entry = Entry(int(given["seq"]), menu, event, given["key"] or "", int(given["atMsec"]), told)
    if (lookup := given.get("lookup")) is None:
        return entry
    case = str(lookup["case"] or ELSE)
    # The menu that the answer led to is given because a Decided has one. It is not read: `_replay_call` finds it again.
    return entry.with_decision(Decided(entry.seq, case, told.menu or 0, int(lookup["atMsec"]), told))


def _webhooks(mid: str, attempt: int, entry: Entry, menus: Sequence[Menu]) -> tuple[str, ...]:
    """The ids of the webhooks that follow from an entry: those of the list of actions that runs.

    None follow where no list runs: from the answer, from a prompt that could not be played, from what has no list.
    """
    if entry.menu is None or entry.event == PROMPT_ERROR:
        return ()
    reaction = react(menus[entry.menu], entry.key or entry.event)
    steps = menus[entry.menu].actions[reaction.key] if reaction.key else ()
    return tuple(
        event_id(mid, attempt, entry.seq, entry.menu, reaction.key or "", place)
        for place in reaction.webhooks
        if isinstance(steps[place], Webhook)
    )


def _words(then: Then) -> str:
    """What follows, in words."""
    match then.kind:
        case ThenKind.ASK:
            return f"menu {then.menu}"
        case ThenKind.END:
            return f"the end ({then.reason})" if then.reason else "the end"
        case ThenKind.WAIT:
            return "what the state machine says"


def _decoded(part: bytes) -> bytes:
    """The bytes of a part; ValueError for what is no base64url."""
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
