"""The actions of a menu's keys, as models."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator

from speechcall.api.use_cases.request_fields import WHOLE, Strict
from speechcall.menus.rules.menu import DEFAULT_LOOKUP_MSEC, MAX_LOOKUP_MSEC, MIN_LOOKUP_MSEC, OWN_LIST
from speechcall.optouts.rules.opt_out import LIST_NAME
from speechcall.requests.use_cases.field_checks import (
    action_name,
    check_cases,
    check_webhook_body,
    check_webhook_headers,
    check_webhook_url,
    menu_index,
)


class WebhookModel(Strict):
    """POST to `url`; the next action does not wait for its answer."""

    action: Literal["webhook"]
    url: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"})]
    body: Annotated[
        dict[str, Any] | None, Field(description="Sent as `action`, its numbers as written. At most 8 KiB.")
    ] = None
    headers: Annotated[dict[str, str], Field(max_length=20)] | None = None

    _url = field_validator("url")(check_webhook_url)
    _body = field_validator("body")(check_webhook_body)
    _headers = field_validator("headers")(check_webhook_headers)


class HangupModel(Strict):
    """End the call."""

    action: Literal["hangup"]


_INDEX_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(0|[1-9][0-9]{0,3})$"}]}


MenuIndex = Annotated[int, BeforeValidator(menu_index), WithJsonSchema(_INDEX_SCHEMA)]


class GotoMenuModel(Strict):
    """Continue with another menu of the message, by its 0-based index."""

    action: Literal["gotoMenu"]
    menu: MenuIndex


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


class LookupModel(Strict):
    """Ask `url` which menu follows, while the callee hears a sound; no action behind it runs.

    It is POSTed what a webhook is. An answer 200 `{"case":"paid"}` leads to the menu of that case, everything else
    (also no answer in time) to that of `else`.
    """

    action: Literal["lookup"]
    url: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"})]
    body: Annotated[
        dict[str, Any] | None, Field(description="Sent as `action`, its numbers as written. At most 8 KiB.")
    ] = None
    headers: Annotated[dict[str, str], Field(max_length=20)] | None = None
    timeoutMsec: Annotated[  # noqa: N815
        int,
        Field(ge=MIN_LOOKUP_MSEC, le=MAX_LOOKUP_MSEC, description="From the key on."),
        WHOLE,
    ] = DEFAULT_LOOKUP_MSEC
    cases: Annotated[
        dict[str, MenuIndex],
        Field(
            min_length=1,
            max_length=20,
            description="What may be answered (1 to 64 characters), and the menu of each, by its 0-based index.",
        ),
    ]
    else_: Annotated[MenuIndex, Field(alias="else", description="The menu that follows otherwise.")]

    _url = field_validator("url")(check_webhook_url)
    _body = field_validator("body")(check_webhook_body)
    _headers = field_validator("headers")(check_webhook_headers)
    _cases = field_validator("cases")(check_cases)


ActionModel = Annotated[
    Annotated[WebhookModel, Tag("webhook")]
    | Annotated[HangupModel, Tag("hangup")]
    | Annotated[GotoMenuModel, Tag("gotoMenu")]
    | Annotated[OptOutModel, Tag("optOut")]
    | Annotated[LookupModel, Tag("lookup")],
    Discriminator(
        action_name,
        custom_error_type="action",
        custom_error_message="an unknown action",
    ),
]
