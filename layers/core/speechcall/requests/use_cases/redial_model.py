"""How a client says that a number is to be dialled again, as a model."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from speechcall.api.use_cases.request_fields import WHOLE
from speechcall.messages.rules.dial_times import (
    DEFAULT_REDIAL_AFTER,
    MAX_REDIAL_SECONDS,
    MAX_REDIALS,
    MIN_REDIAL_SECONDS,
    REDIAL_OUTCOMES,
    RedialAfter,
)
from speechcall.requests.use_cases.field_checks import check_redial_on


class RedialModel(BaseModel):
    """Dial again when the callee was not reached, or pressed no key.

    Not after `ttl`; never an invalid, blocked or forbidden number.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    attempts: Annotated[int, Field(ge=0, le=MAX_REDIALS, description="How often, after the first time."), WHOLE]
    afterSec: Annotated[  # noqa: N815
        list[Annotated[int, Field(ge=MIN_REDIAL_SECONDS, le=MAX_REDIAL_SECONDS), WHOLE]],
        Field(
            min_length=1,
            max_length=MAX_REDIALS,
            description="How long after the end of the call before; the last one holds for all further times.",
        ),
    ] = list(DEFAULT_REDIAL_AFTER)
    on: Annotated[
        list[RedialAfter],
        Field(
            min_length=1,
            description="After which outcomes; `noKey`: also who answered and pressed no key, where a menu has one.",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = list(REDIAL_OUTCOMES)

    _on = field_validator("on")(check_redial_on)
