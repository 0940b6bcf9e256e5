"""A message as a client sent it: checked, and from the checked model to its menus."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, assert_never

from pydantic_core import SchemaValidator, ValidationError

from speechcall.api.use_cases.request_problems import MAX_PROBLEMS, problem_of, shown
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE
from speechcall.menus.rules.introduction import Audio, Part, Pause, name_of_parts
from speechcall.menus.rules.menu import (
    KEYS,
    LISTS,
    OWN_LIST,
    Action,
    GotoMenu,
    Hangup,
    Lookup,
    Menu,
    OptOutStep,
    Repeat,
    Webhook,
)
from speechcall.menus.rules.speech import VOICES, Say
from speechcall.messages.rules.attempts import has_key
from speechcall.messages.rules.dial_times import NO_KEY, Redial
from speechcall.requests.use_cases.field_checks import WrittenObject, loopback_rule
from speechcall.requests.use_cases.request_schema import DEFAULT, MESSAGE, MESSAGE_FIELDS
from speechcall.shared.rules.errors import Problem
from speechcall.shared.rules.timing import MAX_IDLE_TIMEOUT_MSEC

if TYPE_CHECKING:
    # A checked message has the members of its model, and is none: see `checked`.
    from speechcall.messages.rules.fallback import Fallback
    from speechcall.requests.use_cases.action_models import (
        GotoMenuModel,
        HangupModel,
        LookupModel,
        OptOutModel,
        WebhookModel,
    )
    from speechcall.requests.use_cases.input_model import InputModel
    from speechcall.requests.use_cases.play_model import PlayPartModel
    from speechcall.requests.use_cases.repeat_model import RepeatModel
    from speechcall.requests.use_cases.request_models import MenuModel, MessageModel
    from speechcall.requests.use_cases.say_model import SayModel

MAX_ACTIONS = 200
_NOTHING = WrittenObject({})
_MESSAGE = SchemaValidator(MESSAGE)


def check_message(
    entry: object, path: str, *, allow_loopback: bool = False
) -> "tuple[MessageModel | None, list[Problem]]":
    """The checked message, or None and its problems, at most MAX_PROBLEMS; `path` is where it is (`messages[0]`).

    Problems of the later checks are only found where the earlier ones find none. `allow_loopback`: whether its URLs may
    lead to this machine.
    """
    try:
        model: MessageModel = _MESSAGE.validate_python(entry, context=loopback_rule(allow_loopback))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[:MAX_PROBLEMS]
        return None, [problem_of(one["loc"], one["type"], one["msg"], one["input"], path) for one in found]
    if problem := _needless_redial(model, path) or _needless_fallback(model, path):
        return None, [problem]
    last = len(model.menu) - 1
    existing = f"menus 0 to {last} exist" if last else "only menu 0 exists"
    problems = [
        *(one for index, menu in enumerate(model.menu) for one in _digit_problems(menu, f"{path}.menu[{index}]")),
    ]
    problems += [
        Problem("INVALID_MENU", f"{path}.{where}", f"there is no menu {menu}; {existing}")
        for where, menu in _targets(model)
        if menu > last
    ]
    count = sum(len(actions) for menu in model.menu for actions in menu.dtmfActions.values())
    if count > MAX_ACTIONS:
        problems.append(Problem("INVALID_MENU", f"{path}.menu", f"holds {count} actions; at most {MAX_ACTIONS} can be"))
    return (None, problems[:MAX_PROBLEMS]) if problems else (model, [])


def _digit_problems(menu: "MenuModel", path: str) -> list[Problem]:
    """What is wrong with a menu that asks for several digits, or that has their list without asking for any."""
    lists, code = menu.dtmfActions, "INVALID_MENU"
    if menu.input is None:
        text = "is the list of a menu with input, which says how many digits are entered; this menu has none"
        return [Problem(code, f"{path}.dtmfActions.{COMPLETE}", text)] if COMPLETE in lists else []
    asked = _to_input(menu.input)
    text = "cannot be together with input: a menu asks for one key or for several digits, whose list is complete"
    found = [Problem(code, f"{path}.dtmfActions.{key}", text) for key in KEYS if key in lists]
    if COMPLETE not in lists:
        text = "must have the list complete, which runs when the digits of input are entered"
        found.append(Problem(code, f"{path}.dtmfActions", text))
    if asked.min_digits > asked.max_digits:
        text = f"is {asked.min_digits}, which is more than maxDigits, {asked.max_digits}"
        found.append(Problem(code, f"{path}.input.minDigits", text))
    if (waits := _to_menu(menu).waits_seconds) * 1000 > MAX_IDLE_TIMEOUT_MSEC:
        text = (
            f"may take {waits} s with all of idleTimeoutMsec and {asked.max_digits - 1} times interDigitMsec; at most "
            f"{MAX_IDLE_TIMEOUT_MSEC // 1000} s are waited in a menu"
        )
        found.append(Problem(code, f"{path}.input", text))
    return found


def _needless_redial(model: "MessageModel", path: str) -> Problem | None:
    """The problem of a `redial` after `noKey` where no menu has a key; None: there is none."""
    if model.redial is None or NO_KEY not in model.redial.on or has_key(to_menus(model)):
        return None
    place = f"{path}.redial.on[{model.redial.on.index(NO_KEY)}]"
    return Problem("INVALID_REDIAL", place, '"noKey" changes nothing: no menu of this message has a key')


def _needless_fallback(model: "MessageModel", path: str) -> Problem | None:
    """The problem of a `fallback` after `noKey` where no menu has a key; None: there is none."""
    if model.fallback is None or NO_KEY not in model.fallback.on or has_key(to_menus(model)):
        return None
    place = f"{path}.fallback.on[{model.fallback.on.index(NO_KEY)}]"
    return Problem("INVALID_FALLBACK", place, '"noKey" changes nothing: no menu of this message has a key')


def check_defaults(given: Mapping[str, object], *, allow_loopback: bool = False) -> list[Problem]:
    """What is wrong with what an envelope says for all its messages; none: nothing. The paths are in the envelope."""
    if not given:
        return []
    try:
        _defaults().validate_python(given, context=loopback_rule(allow_loopback))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[:MAX_PROBLEMS]
        return [problem_of(one["loc"], one["type"], one["msg"], one["input"], "") for one in found]
    return []


@cache
def _defaults() -> SchemaValidator:
    return SchemaValidator(DEFAULT)


def to_menus(model: "MessageModel") -> tuple[Menu, ...]:
    """The menus of a checked message."""
    return tuple(map(_to_menu, model.menu))


def _to_menu(menu: "MenuModel") -> Menu:
    """The menu of a checked one, with its lists in the order of LISTS."""
    intro, say, play = _to_intro(menu)
    return Menu(
        intro=intro,
        idle_timeout_msec=menu.idleTimeoutMsec,
        actions={key: tuple(map(_to_action, menu.dtmfActions[key])) for key in LISTS if key in menu.dtmfActions},
        say=say,
        play=play,
        repeat=Repeat(menu.repeat.times, *_to_intro(menu.repeat)) if menu.repeat else None,
        input=_to_input(menu.input) if menu.input else None,
        barge_in=menu.bargeIn,
    )


def _to_input(given: "InputModel") -> Input:
    return Input(given.minDigits, given.maxDigits, given.endKey, given.interDigitMsec, given.sensitive)


def _to_intro(plays: "MenuModel | RepeatModel") -> tuple[str, Say | None, tuple[Part, ...]]:
    """What is played: its name, and the text or the parts that it is made of."""
    say = _to_say(plays.say) if plays.say else None
    play = tuple(part for one in plays.play or () for part in _to_parts(one))
    return say.name if say else name_of_parts(play) if play else plays.introUrl or "", say, play


def _to_parts(part: "PlayPartModel") -> list[Part]:
    if part.say:
        return [_to_say(part.say)]
    if part.spell:
        return [Audio(f"{part.recordings}{digit}") for digit in part.spell]
    return [Pause(part.pauseMsec)] if part.pauseMsec else [Audio(part.audio or "")]


def audio_names(menu: "MenuModel | RepeatModel") -> Iterator[tuple[str, str]]:
    """The URLs and identifiers that a menu or its repeat plays, each with its place there."""
    if menu.introUrl:
        yield "introUrl", menu.introUrl
    for index, part in enumerate(menu.play or ()):
        if part.audio:
            yield f"play[{index}].audio", part.audio
        for digit in sorted(set(part.spell or "")):
            yield f"play[{index}].recordings", f"{part.recordings}{digit}"


def _to_say(say: "SayModel") -> Say:
    return Say(say.text, say.language, say.voice or VOICES[say.language][0])


def to_redial(model: "MessageModel") -> Redial | None:
    """How a checked message wants to be dialled again; None: not at all."""
    asked = model.redial
    return Redial(asked.attempts, tuple(asked.afterSec), tuple(asked.on)) if asked and asked.attempts else None


def to_fallback(model: "MessageModel") -> "Fallback | None":
    """What a checked message wants to be sent in place of its call; None: nothing."""
    if model.fallback is None:
        return None
    from speechcall.messages.rules.fallback import Fallback  # noqa: PLC0415, few messages have one

    return Fallback(model.fallback.text, tuple(model.fallback.on))


def _to_action(action: "WebhookModel | HangupModel | GotoMenuModel | OptOutModel | LookupModel") -> Action:
    """The action of a checked one. Without a `body` it sends an empty object."""
    if action.action == "webhook":
        body = action.body if isinstance(action.body, WrittenObject) else _NOTHING
        return Webhook(action.url, body.text, action.headers or {})
    if action.action == "gotoMenu":
        return GotoMenu(action.menu)
    if action.action == "hangup":
        return Hangup()
    if action.action == "optOut":
        return OptOutStep(action.list)
    if action.action == "lookup":
        text = action.body.text if isinstance(action.body, WrittenObject) else _NOTHING.text
        return Lookup(action.url, action.cases, action.else_, action.timeoutMsec, text, action.headers or {})
    assert_never(action)


def _targets(model: "MessageModel") -> list[tuple[str, int]]:
    """Each menu that an action of a message leads to: the path at which the request says so, and the menu's index."""
    found = []
    for index, menu in enumerate(model.menu):
        for key, actions in menu.dtmfActions.items():
            for position, action in enumerate(actions):
                where = f"menu[{index}].dtmfActions.{key}[{position}]"
                if action.action == "gotoMenu":
                    found.append((f"{where}.menu", action.menu))
                if action.action == "lookup":
                    found += [(f"{where}.cases.{shown(case)}", target) for case, target in action.cases.items()]
                    found.append((f"{where}.else", action.else_))
    return found


def lists_not_obeyed(model: "MessageModel", path: str) -> list[Problem]:
    """Warnings of `optOut` actions whose list is not among the message's `optOutLists`: it would not bar such calls."""
    text = "is not among optOutLists of this message: who opts out of it is still called by messages like this one"
    return [
        Problem("OPT_OUT_LIST_NOT_NAMED", f"{path}.menu[{index}].dtmfActions.{key}[{position}].list", text)
        for index, menu in enumerate(model.menu)
        for key, actions in menu.dtmfActions.items()
        for position, action in enumerate(actions)
        if action.action == "optOut" and action.list not in (OWN_LIST, *model.optOutLists)
    ][:MAX_PROBLEMS]


def unknown_fields(entry: Mapping[str, object]) -> list[str]:
    """Names at message level that mean nothing to us."""
    return [name for name in entry if name not in MESSAGE_FIELDS]
