"""The member `say` of a menu: text that is spoken in the place of a file."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from speechcall.api.use_cases.request_problems import shown
from speechcall.menus.rules.speech import MAX_TEXT, VOICES, Say
from speechcall.shared.rules.characters import is_blank

ONE_INTRODUCTION: dict[str, Any] = {
    "oneOf": [
        {"required": ["introUrl"], "properties": {"introUrl": {"type": "string"}}},
        {"required": ["say"], "properties": {"say": {"type": "object"}}},
    ]
}
"""What is valid for a menu: it has an introduction, and one alone."""
_LANGUAGES = ", ".join(VOICES)


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

    @field_validator("text")
    @classmethod
    def _text(cls, text: str) -> str:
        if is_blank(text):
            raise ValueError("has nothing in it that could be spoken")
        return text

    @field_validator("language")
    @classmethod
    def _language(cls, language: str) -> str:
        if language not in VOICES:
            raise ValueError(f'"{shown(language)}" cannot be spoken; these languages can: {_LANGUAGES}')
        return language

    @field_validator("voice")
    @classmethod
    def _voice(cls, voice: str | None, info: ValidationInfo) -> str | None:
        voices = VOICES.get(info.data.get("language", ""))
        if voices and voice is not None and voice not in voices:
            known = ", ".join(voices)
            raise ValueError(f'"{shown(voice)}" does not speak {info.data["language"]}; these voices do: {known}')
        return voice

    def say(self) -> Say:
        """The text with its voice."""
        return Say(self.text, self.language, self.voice or VOICES[self.language][0])
