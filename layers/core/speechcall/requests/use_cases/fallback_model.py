"""How a client says what is sent in place of a call that reached nobody, as a model."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from speechcall.messages.rules.fallback import DEFAULT_CAUSES, FallbackCause
from speechcall.messages.rules.sms import MOST_GSM, MOST_OTHER
from speechcall.requests.use_cases.field_checks import check_fallback_on, check_fallback_text


class FallbackModel(BaseModel):
    """Sent at most once, after the last call, where the message ended as `on` says."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    type: Literal["sms"]
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MOST_GSM,
            description=f"At most {MOST_GSM} places in the GSM alphabet (`€^{{}}[]~|\\` take two), or {MOST_OTHER}"
            " where one character is not of it. Each part is paid for: 160 or 70 in one, 153 or 67 in each of several.",
        ),
    ]
    on: Annotated[
        list[FallbackCause],
        Field(
            min_length=1,
            description="After which outcomes; `noKey`: also where somebody answered and pressed no key, though a menu"
            " has one.",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = list(DEFAULT_CAUSES)

    _text = field_validator("text")(check_fallback_text)
    _on = field_validator("on")(check_fallback_on)
