"""The member `repeat` of a menu: how often it is asked again in silence, and what is played then."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from speechcall.api.use_cases.request_fields import WHOLE
from speechcall.menus.rules.introduction import MOST_PARTS
from speechcall.menus.rules.menu import MOST_REPEATS
from speechcall.requests.use_cases.field_checks import check_audio, check_repeat
from speechcall.requests.use_cases.play_model import AudioName, PlayPart
from speechcall.requests.use_cases.say_model import ONE_INTRODUCTION, SayModel, exactly_one

_NONE = {"properties": {"introUrl": {"type": "null"}, "say": {"type": "null"}, "play": {"type": "null"}}}
_AT_MOST_ONE = exactly_one(_NONE, *ONE_INTRODUCTION["if"]["oneOf"])


class RepeatModel(BaseModel):
    """Asked again in silence; `introUrl`, `say` or `play`: with another introduction than the menu's own."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, json_schema_extra=_AT_MOST_ONE)

    times: Annotated[int, Field(ge=1, le=MOST_REPEATS), WHOLE]
    introUrl: Annotated[  # noqa: N815
        AudioName | None,
        Field(description="The URL of an audio file, or the identifier of an uploaded one."),
    ] = None
    say: SayModel | None = None
    play: Annotated[list[PlayPart], Field(min_length=1, max_length=MOST_PARTS)] | None = None

    _intro = field_validator("introUrl")(check_audio)


Repeated = Annotated[RepeatModel, BeforeValidator(check_repeat)]
