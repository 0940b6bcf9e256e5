"""The member `say` of a menu: text that is spoken in the place of a file."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from speechcall.menus.rules.speech import MAX_TEXT, VOICES
from speechcall.requests.use_cases.field_checks import check_language, check_spoken, check_voice


def exactly_one(*ways: dict[str, Any]) -> dict[str, Any]:
    """What is valid for an object: exactly one of these schemas holds.

    With `oneOf` by itself generators of clients would make as many kinds of objects, without the members that all have.
    """
    return {"if": {"oneOf": [*ways]}, "else": False}


ONE_INTRODUCTION = exactly_one(
    {"required": ["introUrl"], "properties": {"introUrl": {"type": "string"}}},
    {"required": ["say"], "properties": {"say": {"type": "object"}}},
    {"required": ["play"], "properties": {"play": {"type": "array"}}},
)
"""What is valid for a menu: it has an introduction, and one alone."""


class SayModel(BaseModel):
    """Text that is spoken instead of a file, by Amazon Polly."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_TEXT,
            description="As it is written; it is no SSML.",
            json_schema_extra={"pattern": r"\S"},
        ),
    ]
    language: Annotated[
        str, Field(description="One that Amazon Polly speaks.", json_schema_extra={"enum": list[Any](VOICES)})
    ]
    voice: Annotated[
        Annotated[str, Field(min_length=1, max_length=64)] | None,
        Field(description="One of the language's voices, such as `Amy` of `en-GB`; otherwise its first is taken."),
    ] = None

    _text = field_validator("text")(check_spoken)
    _language = field_validator("language")(check_language)
    _voice = field_validator("voice")(check_voice)
