"""Spoken text: what a menu may say instead of playing a file, and who can speak it.

The languages and voices are those of Amazon Polly, as its operation DescribeVoices gave them, but for the engines
"long-form" and "generative", which few regions have (its developer guide, "Available voices", shows the same).
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal

MAX_TEXT = 1500
"""Characters; some 100 s of speech. Polly takes 3,000 billed ones in a request (developer guide, "Quotas")."""

Engine = Literal["neural", "standard"]

_VOICES = {
    "ar-AE": ("Hala Zayd", ""),
    "arb": ("Hala Zayd", "Zeina"),
    "ca-ES": ("Arlet", ""),
    "cmn-CN": ("Zhiyu", ""),
    "cs-CZ": ("Jitka", ""),
    "cy-GB": ("", "Gwyneth"),
    "da-DK": ("Sofie", "Mads Naja"),
    "de-AT": ("Hannah", ""),
    "de-CH": ("Sabrina", ""),
    "de-DE": ("Daniel Vicki", "Hans Marlene"),
    "en-AU": ("Olivia", "Nicole Russell"),
    "en-GB": ("Amy Arthur Brian Emma", ""),
    "en-GB-WLS": ("", "Geraint"),
    "en-IE": ("Niamh", ""),
    "en-IN": ("Kajal", "Aditi Raveena"),
    "en-NZ": ("Aria", ""),
    "en-US": ("Danielle Gregory Ivy Joanna Joey Justin Kendra Kevin Kimberly Matthew Ruth Salli Stephen", ""),
    "en-ZA": ("Ayanda", ""),
    "es-ES": ("Lucia Sergio", "Conchita Enrique"),
    "es-MX": ("Andres Mia", ""),
    "es-US": ("Lupe Pedro", "Miguel Penelope"),
    "fi-FI": ("Suvi", ""),
    "fr-BE": ("Isabelle", ""),
    "fr-CA": ("Gabrielle Liam", "Chantal"),
    "fr-FR": ("Lea Remi", "Celine Mathieu"),
    "hi-IN": ("Kajal", "Aditi"),
    "is-IS": ("", "Dora Karl"),
    "it-IT": ("Adriano Bianca", "Carla Giorgio"),
    "ja-JP": ("Kazuha Takumi Tomoko", "Mizuki"),
    "ko-KR": ("Seoyeon", ""),
    "nb-NO": ("Ida", "Liv"),
    "nl-BE": ("Lisa", ""),
    "nl-NL": ("Laura", "Lotte Ruben"),
    "pl-PL": ("Ola", "Ewa Jacek Jan Maja"),
    "pt-BR": ("Camila Thiago Vitoria", "Ricardo"),
    "pt-PT": ("Ines", "Cristiano"),
    "ro-RO": ("", "Carmen"),
    "ru-RU": ("", "Maxim Tatyana"),
    "sv-SE": ("Elin", "Astrid"),
    "tr-TR": ("Burcu", "Filiz"),
    "yue-CN": ("Hiujin", ""),
}
"""By language: the voices of the engine "neural", and those that only the engine "standard" has."""

VOICES: dict[str, tuple[str, ...]] = {
    language: (*neural.split(), *standard.split()) for language, (neural, standard) in _VOICES.items()
}
"""By language, the voices that speak it; the first is taken where none is named."""

_PREFIX = "say:"


@dataclass(frozen=True, slots=True)
class Say:
    """Text to be spoken, in one of `VOICES`, by one of its language's voices."""

    text: str = field(repr=False)
    language: str
    voice: str

    @property
    def engine(self) -> Engine:
        """The better one of those that have the voice."""
        neural, _ = _VOICES[self.language]
        return "neural" if self.voice in neural.split() else "standard"

    @property
    def name(self) -> str:
        """What stands for it where other introductions have a URL or identifier: one name for what sounds the same."""
        parts = json.dumps([self.language, self.voice, self.engine, self.text])
        return _PREFIX + hashlib.sha256(parts.encode()).hexdigest()


def is_spoken(intro: str) -> bool:
    """Whether it is the name of spoken text; no URL and no identifier begins so."""
    return intro.startswith(_PREFIX)
