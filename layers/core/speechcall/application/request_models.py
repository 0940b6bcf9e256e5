"""What a client may send, as models; the API's description is made of them too."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from speechcall.application.json_text import dump_json
from speechcall.application.redial_model import RedialModel
from speechcall.application.request_problems import RIGHT, shown
from speechcall.application.say_model import ONE_INTRODUCTION, SayModel
from speechcall.domain import dialling
from speechcall.domain.address import is_url, url_problem
from speechcall.domain.phone import to_e164
from speechcall.domain.timing import DEFAULT_IDLE_TIMEOUT_MSEC, MAX_IDLE_TIMEOUT_MSEC
from speechcall.domain.webhook_header import header_problem

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)

MAX_WEBHOOK_BODY_BYTES = 8 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WrittenObject(dict[str, Any]):
    """An object with its JSON text, written once."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text = dump_json(members)


class WebhookModel(_Strict):
    """POST to `url`; the next action does not wait for its answer."""

    action: Literal["webhook"]
    url: Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"})]
    body: Annotated[
        dict[str, Any] | None, Field(description="Sent as `action`, its numbers as written. At most 8 KiB.")
    ] = None
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
                raise ValueError(f'the header "{shown(name)}" {problem}')
        return headers


class HangupModel(_Strict):
    """End the call."""

    action: Literal["hangup"]


def _index(given: Any) -> int:
    if isinstance(given, str) and _INDEX.fullmatch(given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10_000:
        return given
    raise ValueError(f"must be {RIGHT['action.menu']}")


_INDEX_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(0|[1-9][0-9]{0,3})$"}]}


class GotoMenuModel(_Strict):
    """Go on with another menu of the message, by its 0-based index."""

    action: Literal["gotoMenu"]
    menu: Annotated[int, BeforeValidator(_index), WithJsonSchema(_INDEX_SCHEMA)]


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
        custom_error_message="an action that is none",
    ),
]
Key = Literal["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d*", "d#", "wrong"]


_WRONG = object()
"""In the place of a `say` that is told of already."""


class MenuModel(_Strict):
    """What is played, how long a key is awaited, and what each key does."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, json_schema_extra=ONE_INTRODUCTION)

    say: SayModel | None = None  # before introUrl, which is looked at in its light
    # The names are the specification's.
    introUrl: Annotated[  # noqa: N815
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=2048,
                json_schema_extra={"pattern": "^([A-Za-z0-9_-]{1,64}|[hH][tT][tT][pP][sS]?://.+)$"},
            ),
        ]
        | None,
        Field(description="The URL of an audio file, or the identifier of an uploaded one.", validate_default=True),
    ] = None
    idleTimeoutMsec: Annotated[  # noqa: N815
        int,
        Field(ge=1, le=MAX_IDLE_TIMEOUT_MSEC, description="From the end of the introduction; then `wrong` runs."),
    ] = DEFAULT_IDLE_TIMEOUT_MSEC
    dtmfActions: Annotated[  # noqa: N815
        dict[Key, Annotated[list[ActionModel], Field(max_length=10)]],
        Field(description="`wrong` runs for a key without a list, and when no key is pressed in time."),
    ]

    @field_validator("introUrl")
    @classmethod
    def _intro(cls, intro: str | None, info: ValidationInfo) -> str | None:
        if intro is None:
            if info.data.get("say", _WRONG) is None:
                raise ValueError(f"is required: {RIGHT['introUrl']}; or say in its place, with a text to be spoken")
            return None
        if info.data.get("say") is not None:
            raise ValueError("stands beside say; a menu has exactly one of the two")
        if is_url(intro):
            if problem := url_problem(intro):
                raise ValueError(problem)
        elif not _IDENTIFIER.fullmatch(intro):
            raise ValueError(f"must be {RIGHT['introUrl']}")
        return intro


class MessageModel(_Strict):
    """One call. Other members are accepted, change nothing, and are named in the answer's `warnings`."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    from_: Annotated[str, Field(alias="from", min_length=1, max_length=64, description="The sender: a name or an id.")]
    to: Annotated[
        str,
        Field(
            description="International format, with or without +. Comes back as written in the answer and in webhooks.",
            json_schema_extra={"pattern": r"^\+?[1-9][0-9]{6,14}$"},
        ),
    ]
    text: Annotated[str, Field(min_length=1, max_length=1600, description="Kept, not spoken; usually `ivr`.")]
    type: Literal["speechcall"]
    menu: Annotated[list[MenuModel], Field(min_length=1, max_length=20)]
    customerMessageId: Annotated[  # noqa: N815
        Annotated[str, Field(min_length=1, max_length=64)] | None,
        Field(description="Your own id; comes back in the answer and in the status. It need not be unique."),
    ] = None
    ttl: Annotated[
        int,
        Field(
            ge=dialling.MIN_TTL_SECONDS,
            le=dialling.MAX_TTL_SECONDS,
            description="Seconds from acceptance after which it is not dialled any more; then it has `expired`.",
        ),
    ] = dialling.DEFAULT_TTL_SECONDS
    ringTimeoutSec: Annotated[  # noqa: N815
        int, Field(ge=dialling.MIN_RING_SECONDS, le=dialling.MAX_RING_SECONDS, description="How long the phone rings.")
    ] = dialling.DEFAULT_RING_SECONDS
    redial: RedialModel | None = None

    @field_validator("to")
    @classmethod
    def _to(cls, to: str) -> str:
        if to_e164(to) is None:
            raise ValueError(f"must be {RIGHT['to']}")
        return to
