"""The member `play` of a menu: parts that are joined to one prompt, in the place of a file."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from speechcall.api.use_cases.request_fields import WHOLE
from speechcall.menus.rules.introduction import MOST_DIGITS, MOST_PAUSE_MSEC
from speechcall.requests.rules.placeholders import NAME
from speechcall.requests.use_cases.field_checks import (
    check_audio,
    check_digits,
    check_one_kind,
    check_recordings,
)
from speechcall.requests.use_cases.say_model import SayModel, exactly_one

_ONE_KIND = exactly_one(
    {"required": ["audio"]},
    {"required": ["say"]},
    {"required": ["spell", "recordings"]},
    {"required": ["pauseMsec"]},
)

_SPELT = {"type": "string", "pattern": rf"^([0-9]|\{{\{{{NAME.pattern}\}}\}}){{1,{MOST_DIGITS}}}$"}
"""Digits; in menus that messages share also names, for which there are digits then."""

AudioName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        json_schema_extra={"pattern": "^([A-Za-z0-9_-]{1,64}|[hH][tT][tT][pP][sS]?://.+)$"},
    ),
]
"""The URL of an audio file, or the identifier of an uploaded one."""


class PlayPartModel(BaseModel):
    """One part: `audio`, or `say`, or `spell` with its `recordings`, or `pauseMsec`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, json_schema_extra=_ONE_KIND)

    audio: Annotated[
        AudioName | None,
        Field(description="The URL of an audio file, or the identifier of an uploaded one."),
    ] = None
    say: SayModel | None = None
    spell: Annotated[
        Annotated[str, Field(min_length=1, max_length=MOST_DIGITS), WithJsonSchema(_SPELT)] | None,
        Field(description="Digits, each of which is a recording of its own."),
    ] = None
    recordings: Annotated[
        Annotated[str, Field(min_length=1, max_length=63, json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})] | None,
        Field(description="How the identifiers of the ten recordings begin: `uk_` for `uk_0` to `uk_9`."),
    ] = None
    pauseMsec: Annotated[  # noqa: N815
        Annotated[int, Field(ge=1, le=MOST_PAUSE_MSEC), WHOLE] | None, Field(description="Silence.")
    ] = None

    _audio = field_validator("audio")(check_audio)
    _spell = field_validator("spell")(check_digits)
    _recordings = field_validator("recordings")(check_recordings)


PlayPart = Annotated[PlayPartModel, BeforeValidator(check_one_kind)]
