"""The actions of a menu's keys, as models."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, WithJsonSchema, field_validator

from speechcall.api.use_cases.request_fields import Strict, problem_of_url
from speechcall.api.use_cases.request_problems import RIGHT, shown
from speechcall.menus.rules.menu import OWN_LIST
from speechcall.optouts.rules.opt_out import LIST_NAME
from speechcall.shared.rules.json_text import dump_json, whole
from speechcall.webhooks.rules.webhook_header import header_problem, repeated

_INDEX = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)

MAX_WEBHOOK_BODY_BYTES = 8 * 1024


class WrittenObject(dict[str, Any]):
    """An object with its JSON text, written once."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text = dump_json(members)


class WebhookModel(Strict):
    """POST to `url`; the next action does not wait for its answer."""

    action: Literal["webhook"]
    url: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"})]
    body: Annotated[
        dict[str, Any] | None, Field(description="Sent as `action`, its numbers as written. At most 8 KiB.")
    ] = None
    headers: Annotated[dict[str, str], Field(max_length=20)] | None = None

    @field_validator("url")
    @classmethod
    def _url(cls, url: str, info: ValidationInfo) -> str:
        if problem := problem_of_url(url, info):
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
                raise ValueError(f'the header "{shown(name)}" {problem}')
        if twice := repeated(headers or {}):
            raise ValueError(f'the header "{shown(twice)}" appears twice; its case makes no difference')
        return headers


class HangupModel(Strict):
    """End the call."""

    action: Literal["hangup"]


def _index(as_given: Any) -> int:
    given = whole(as_given)
    if isinstance(given, str) and _INDEX.fullmatch(given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10_000:
        return given
    raise ValueError(f"must be {RIGHT['action.menu']}")


_INDEX_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(0|[1-9][0-9]{0,3})$"}]}


class GotoMenuModel(Strict):
    """Continue with another menu of the message, by its 0-based index."""

    action: Literal["gotoMenu"]
    menu: Annotated[int, BeforeValidator(_index), WithJsonSchema(_INDEX_SCHEMA)]


class OptOutModel(Strict):
    """The number that is called opts out. It is kept before the next action, and may be the last one of its list."""

    action: Literal["optOut"]
    list: Annotated[
        str,
        Field(
            pattern=f"^({LIST_NAME.pattern})?$",
            description="Of which list (`optOutLists`); without it of all calls of the account.",
        ),
    ] = OWN_LIST


def _action_name(action: Any) -> str | None:
    name = action.get("action") if isinstance(action, dict) else getattr(action, "action", None)
    return name if isinstance(name, str) else None


ActionModel = Annotated[
    Annotated[WebhookModel, Tag("webhook")]
    | Annotated[HangupModel, Tag("hangup")]
    | Annotated[GotoMenuModel, Tag("gotoMenu")]
    | Annotated[OptOutModel, Tag("optOut")],
    Discriminator(
        _action_name,
        custom_error_type="action",
        custom_error_message="an unknown action",
    ),
]
