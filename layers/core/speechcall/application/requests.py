"""What a client may send, as models; and from a checked model to a message's menus."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator

from speechcall.application.json_text import dump_json
from speechcall.application.request_problems import problem_of
from speechcall.domain.address import is_url, url_problem
from speechcall.domain.errors import Problem
from speechcall.domain.message import KEYS, WRONG, Action, GotoMenu, Hangup, Menu, Webhook
from speechcall.domain.phone import to_e164
from speechcall.domain.timing import DEFAULT_IDLE_TIMEOUT_MSEC, MAX_IDLE_TIMEOUT_MSEC
from speechcall.domain.webhook_header import header_problem

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)

MAX_ACTIONS = 200
MAX_WEBHOOK_BODY_BYTES = 8 * 1024
MAX_PROBLEMS = 20
"""Of one message: an answer must fit into 6 MB (AWS Lambda), whatever was sent."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WrittenObject(dict[str, Any]):
    """An object with its JSON text, written once."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text = dump_json(members)


_NOTHING = WrittenObject({})


class WebhookModel(_Strict):
    action: Literal["webhook"]
    url: Annotated[str, Field(max_length=2048)]
    body: dict[str, Any] | None = None
    headers: Annotated[dict[str, str], Field(max_length=20)] | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        if problem := url_problem(url):
            raise ValueError(problem)
        return url

    @field_validator("body")
    @classmethod
    def _body(cls, body: dict[str, Any] | None) -> dict[str, Any] | None:
        written = WrittenObject(body or {})
        if (size := len(written.text.encode())) > MAX_WEBHOOK_BODY_BYTES:
            raise ValueError(f"has {size} bytes as JSON; at most {MAX_WEBHOOK_BODY_BYTES} can be sent")
        return written

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, str] | None) -> dict[str, str] | None:
        for name, value in (headers or {}).items():
            if problem := header_problem(name, value):
                raise ValueError(f'the header "{name[:64]}" {problem}')
        return headers


class HangupModel(_Strict):
    action: Literal["hangup"]


def _index(given: Any) -> int:
    if isinstance(given, str) and _INDEX.fullmatch(given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    raise ValueError('must be the 0-based index of a menu, such as 1 or "1"')


class GotoMenuModel(_Strict):
    action: Literal["gotoMenu"]
    menu: Annotated[int, BeforeValidator(_index)]


def _action_name(action: Any) -> str | None:
    name = action.get("action") if isinstance(action, dict) else getattr(action, "action", None)
    return name if isinstance(name, str) else None


ActionModel = Annotated[
    Annotated[WebhookModel, Tag("webhook")]
    | Annotated[HangupModel, Tag("hangup")]
    | Annotated[GotoMenuModel, Tag("gotoMenu")],
    Discriminator(
        _action_name,
        custom_error_type="action",
        custom_error_message='must be an object whose "action" is "webhook", "hangup" or "gotoMenu"',
    ),
]
Key = Literal["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d*", "d#", "wrong"]


class MenuModel(_Strict):
    introUrl: Annotated[str, Field(min_length=1, max_length=2048)]  # noqa: N815 (the specification's name)
    idleTimeoutMsec: Annotated[int, Field(ge=1, le=MAX_IDLE_TIMEOUT_MSEC)] = DEFAULT_IDLE_TIMEOUT_MSEC  # noqa: N815
    dtmfActions: dict[Key, Annotated[list[ActionModel], Field(max_length=10)]]  # noqa: N815

    @field_validator("introUrl")
    @classmethod
    def _intro(cls, intro: str) -> str:
        if is_url(intro):
            if problem := url_problem(intro):
                raise ValueError(problem)
        elif not _IDENTIFIER.fullmatch(intro):
            raise ValueError("must be a URL, or an identifier of 1 to 64 letters, digits, _ and -")
        return intro


class MessageModel(_Strict):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    from_: Annotated[str, Field(alias="from", min_length=1, max_length=64)]
    to: str
    text: Annotated[str, Field(min_length=1, max_length=1600)]
    type: Literal["speechcall"]
    menu: Annotated[list[MenuModel], Field(min_length=1, max_length=20)]

    @field_validator("to")
    @classmethod
    def _to(cls, to: str) -> str:
        if to_e164(to) is None:
            raise ValueError("must be a phone number in international format, such as +380671234567")
        return to


def check_message(entry: Any, path: str) -> tuple[MessageModel | None, list[Problem]]:
    """The checked message, or None and all its problems; `path` is where it stands (`messages[0]`)."""
    try:
        model = MessageModel.model_validate(entry)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_PROBLEMS]
        return None, [problem_of(one["loc"], one["type"], one["msg"], path) for one in found]
    last = len(model.menu) - 1
    problems = [
        Problem("INVALID_MENU", f"{path}.{where}.menu", f"there is no menu {menu}; menus 0 to {last} exist")
        for where, menu in _targets(model)
        if menu > last
    ]
    count = sum(len(actions) for menu in model.menu for actions in menu.dtmfActions.values())
    if count > MAX_ACTIONS:
        problems.append(Problem("INVALID_MENU", f"{path}.menu", f"holds {count} actions; at most {MAX_ACTIONS} can be"))
    return (None, problems[:MAX_PROBLEMS]) if problems else (model, [])


def to_menus(model: MessageModel) -> tuple[Menu, ...]:
    """The menus of a checked message."""
    return tuple(
        Menu(
            intro=menu.introUrl,
            idle_timeout_msec=menu.idleTimeoutMsec,
            actions={
                key: tuple(map(_to_action, menu.dtmfActions[key])) for key in (*KEYS, WRONG) if key in menu.dtmfActions
            },
        )
        for menu in model.menu
    )


def _to_action(action: WebhookModel | HangupModel | GotoMenuModel) -> Action:
    match action:
        case WebhookModel():
            body = action.body if isinstance(action.body, WrittenObject) else _NOTHING
            return Webhook(action.url, body.text, action.headers or {})
        case GotoMenuModel():
            return GotoMenu(action.menu)
        case HangupModel():
            return Hangup()


def _targets(model: MessageModel) -> list[tuple[str, int]]:
    return [
        (f"menu[{index}].dtmfActions.{key}[{position}]", action.menu)
        for index, menu in enumerate(model.menu)
        for key, actions in menu.dtmfActions.items()
        for position, action in enumerate(actions)
        if isinstance(action, GotoMenuModel)
    ]


def unknown_fields(entry: Mapping[str, Any]) -> list[str]:
    """Names at message level that mean nothing to us; they are accepted, and the first of them told back."""
    known = {"from", "to", "text", "type", "menu"}
    return [name[:64] for name in entry if name not in known][:MAX_PROBLEMS]
