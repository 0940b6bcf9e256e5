"""A message as a client sent it: checked, and from the checked model to its menus."""

from collections.abc import Mapping
from typing import assert_never

from pydantic import ValidationError

from speechcall.api.use_cases.request_fields import loopback_rule
from speechcall.api.use_cases.request_problems import MAX_PROBLEMS, problem_of
from speechcall.menus.rules.menu import KEYS, OWN_LIST, WRONG, Action, GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.messages.rules.attempts import has_key
from speechcall.messages.rules.dial_times import NO_KEY, Redial
from speechcall.requests.use_cases.action_models import (
    GotoMenuModel,
    HangupModel,
    OptOutModel,
    WebhookModel,
    WrittenObject,
)
from speechcall.requests.use_cases.request_models import DefaultsModel, MenuModel, MessageModel
from speechcall.shared.rules.errors import Problem

MAX_ACTIONS = 200
_NOTHING = WrittenObject({})
KNOWN_FIELDS = tuple(field.alias or name for name, field in MessageModel.model_fields.items())
"""Of a message."""


def check_message(
    entry: object, path: str, *, allow_loopback: bool = False
) -> tuple[MessageModel | None, list[Problem]]:
    """The checked message, or None and all its problems; `path` is where it is (`messages[0]`).

    `allow_loopback`: whether its URLs may lead to this machine.
    """
    try:
        model = MessageModel.model_validate(entry, context=loopback_rule(allow_loopback))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[:MAX_PROBLEMS]
        return None, [problem_of(one["loc"], one["type"], one["msg"], one["input"], path) for one in found]
    if problem := _needless_redial(model, path):
        return None, [problem]
    last = len(model.menu) - 1
    existing = f"menus 0 to {last} exist" if last else "only menu 0 exists"
    problems = [
        Problem("INVALID_MENU", f"{path}.{where}.menu", f"there is no menu {menu}; {existing}")
        for where, menu in _targets(model)
        if menu > last
    ]
    count = sum(len(actions) for menu in model.menu for actions in menu.dtmfActions.values())
    if count > MAX_ACTIONS:
        problems.append(Problem("INVALID_MENU", f"{path}.menu", f"holds {count} actions; at most {MAX_ACTIONS} can be"))
    return (None, problems[:MAX_PROBLEMS]) if problems else (model, [])


def _needless_redial(model: MessageModel, path: str) -> Problem | None:
    if model.redial is None or NO_KEY not in model.redial.on or has_key(to_menus(model)):
        return None
    place = f"{path}.redial.on[{model.redial.on.index(NO_KEY)}]"
    return Problem("INVALID_REDIAL", place, '"noKey" changes nothing: no menu of this message has a key')


def check_defaults(given: Mapping[str, object], *, allow_loopback: bool = False) -> list[Problem]:
    """What is wrong with what an envelope says for all its messages."""
    try:
        DefaultsModel.model_validate(given, context=loopback_rule(allow_loopback))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)[:MAX_PROBLEMS]
        return [problem_of(one["loc"], one["type"], one["msg"], one["input"], "") for one in found]
    return []


def to_menus(model: MessageModel) -> tuple[Menu, ...]:
    """The menus of a checked message."""
    return tuple(map(_to_menu, model.menu))


def _to_menu(menu: MenuModel) -> Menu:
    say = menu.say.say() if menu.say else None
    return Menu(
        intro=say.name if say else menu.introUrl or "",
        idle_timeout_msec=menu.idleTimeoutMsec,
        actions={
            key: tuple(map(_to_action, menu.dtmfActions[key])) for key in (*KEYS, WRONG) if key in menu.dtmfActions
        },
        say=say,
    )


def to_redial(model: MessageModel) -> Redial | None:
    """How a checked message wants to be dialled again."""
    asked = model.redial
    return Redial(asked.attempts, tuple(asked.afterSec), tuple(asked.on)) if asked and asked.attempts else None


def _to_action(action: WebhookModel | HangupModel | GotoMenuModel | OptOutModel) -> Action:
    match action:
        case WebhookModel():
            body = action.body if isinstance(action.body, WrittenObject) else _NOTHING
            return Webhook(action.url, body.text, action.headers or {})
        case GotoMenuModel():
            return GotoMenu(action.menu)
        case HangupModel():
            return Hangup()
        case OptOutModel():
            return OptOutStep(action.list)
        case _:
            assert_never(action)


def _targets(model: MessageModel) -> list[tuple[str, int]]:
    """Each `gotoMenu` of a message: its path in the request, and the menu that it leads to."""
    return [
        (f"menu[{index}].dtmfActions.{key}[{position}]", action.menu)
        for index, menu in enumerate(model.menu)
        for key, actions in menu.dtmfActions.items()
        for position, action in enumerate(actions)
        if isinstance(action, GotoMenuModel)
    ]


def lists_not_obeyed(model: MessageModel, path: str) -> list[Problem]:
    """The opt-outs of a message that it would not obey itself."""
    text = "is not among optOutLists of this message: who opts out of it is still called by messages like this one"
    return [
        Problem("OPT_OUT_LIST_NOT_NAMED", f"{path}.menu[{index}].dtmfActions.{key}[{position}].list", text)
        for index, menu in enumerate(model.menu)
        for key, actions in menu.dtmfActions.items()
        for position, action in enumerate(actions)
        if isinstance(action, OptOutModel) and action.list not in (OWN_LIST, *model.optOutLists)
    ][:MAX_PROBLEMS]


def unknown_fields(entry: Mapping[str, object]) -> list[str]:
    """Names at message level that mean nothing to us."""
    return [name for name in entry if name not in KNOWN_FIELDS]
