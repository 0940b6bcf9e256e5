"""What a field of a request must fulfil beyond its type and its bounds: the functions that the models name.

They stand here, without pydantic: a function at work has them called by pydantic's core alone (`request_schema`).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from speechcall.api.use_cases.request_problems import RIGHT, shown
from speechcall.menus.rules.speech import VOICES
from speechcall.outbound.rules.address import is_url, url_problem
from speechcall.requests.rules.numbering import fault_of
from speechcall.shared.rules.calling_hours import RECIPIENT
from speechcall.shared.rules.characters import is_blank
from speechcall.shared.rules.json_text import dump_json, whole
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.zone_names import is_zone, similar_zone
from speechcall.webhooks.rules.webhook_header import header_problem, repeated

if TYPE_CHECKING:
    from pydantic import ValidationInfo

MAX_WEBHOOK_BODY_BYTES = 8 * 1024
MOST_CASE_CHARACTERS = 64

_ALLOW_LOOPBACK = "allow_loopback"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_INDEX = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WRONG = object()
"""In the place of a `say` or `play` that is reported already."""
_ONE_INTRODUCTION = "a menu has exactly one of introUrl, say and play"
_NO_USER = "must not hold a user name or password; use a signed URL, or upload the file and give its identifier"
"""A prompt's URL is asked for without headers of the customer's, so what helps for a webhook's does not help here."""
_NO_STATUS_USER = "must not hold a user name or password; that it is ours is told by its signature"
_LANGUAGES = ", ".join(VOICES)


class WrittenObject(dict[str, Any]):
    """An object with its JSON text, written once."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text = dump_json(members)


def loopback_rule(allow: bool) -> dict[str, bool]:
    """The context of a check: whether URLs may lead to this machine. Said once, where a check begins."""
    return {_ALLOW_LOOPBACK: allow}


def problem_of_url(url: str, info: "ValidationInfo") -> str | None:
    """What is wrong with a URL in the context of its check, or None. Without a context none leads to this machine."""
    return url_problem(url, allow_loopback=bool((info.context or {}).get(_ALLOW_LOOPBACK)))


def check_number(to: str) -> str:
    """`to` as given. Raises ValueError if no phone can have it."""
    number = to_e164(to)
    if number is None:
        raise ValueError(f"must be {RIGHT['to']}")
    if fault := fault_of(number):
        raise ValueError(fault)
    return to


def check_intro(intro: str | None, info: "ValidationInfo") -> str | None:
    """`introUrl` as given, which a menu has in the place of `say` and of `play`. Raises ValueError.

    A `say` or `play` that is wrong itself is not in `info.data`: it counts as given, but is reported already.
    """
    others = [name for name in ("say", "play") if info.data.get(name, _WRONG) is not None]
    given = [name for name in others if name in info.data]
    if intro is None:
        if not others:
            raise ValueError(f"is required: {RIGHT['introUrl']}; or in its place say with a text, or play with parts")
        if len(given) > 1:
            raise ValueError(f"is not given, but say and play both are; {_ONE_INTRODUCTION}")
        return None
    if given:
        raise ValueError(f"is given together with {' and '.join(given)}; {_ONE_INTRODUCTION}")
    return check_audio(intro, info)


def check_audio(name: str | None, info: "ValidationInfo") -> str | None:
    """The URL of a file, or an uploaded prompt's identifier, as given. Raises ValueError."""
    if name is None:
        return None
    if is_url(name):
        if problem := problem_of_url(name, info):
            raise ValueError(_NO_USER if _has_user(name) else problem)
    elif not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"must be {RIGHT['introUrl']}")
    return name


def check_one_kind(part: object) -> object:
    """A part of `play` as given. Raises ValueError if it is not exactly one thing."""
    if isinstance(part, Mapping):
        kinds = [name for name in ("audio", "say", "spell", "pauseMsec") if part.get(name) is not None]
        if len(kinds) != 1:
            has = f"has {' and '.join(kinds)}" if kinds else "has nothing to play"
            raise ValueError(f"{has}; a part has exactly one of audio, say, spell and pauseMsec")
        if ("spell" in kinds) != (part.get("recordings") is not None):
            raise ValueError(
                'must have spell and recordings together, such as {"spell": "4071", "recordings": "uk_"}, '
                "for the recordings uk_0 to uk_9"
            )
    return part


def check_repeat(repeat: object) -> object:
    """`repeat` as given. Raises ValueError if it has more than one introduction."""
    if isinstance(repeat, Mapping):
        given = [name for name in ("introUrl", "say", "play") if repeat.get(name) is not None]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}; a repeat has at most one of introUrl, say and play")
    return repeat


def check_digits(spelt: str | None) -> str | None:
    """What is spelt, as given. Raises ValueError."""
    if spelt is not None and not _DIGITS.fullmatch(spelt):
        raise ValueError(f"must be {RIGHT['play[].spell']}")
    return spelt


def check_recordings(prefix: str | None) -> str | None:
    """How the identifiers of recordings begin, as given. Raises ValueError."""
    if prefix is not None and not _IDENTIFIER.fullmatch(prefix):
        raise ValueError(f"must be {RIGHT['play[].recordings']}")
    return prefix


def _has_user(url: str) -> bool:
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return False


def check_spoken(text: str) -> str:
    """A text to be spoken, as given. Raises ValueError if there is nothing to say."""
    if is_blank(text):
        raise ValueError("has nothing in it that could be spoken")
    return text


def check_language(language: str) -> str:
    """A language that can be spoken. Raises ValueError."""
    if language not in VOICES:
        raise ValueError(f'"{shown(language)}" cannot be spoken; these languages can: {_LANGUAGES}')
    return language


def check_voice(voice: str | None, info: "ValidationInfo") -> str | None:
    """A voice of the say's language. Raises ValueError."""
    voices = VOICES.get(info.data.get("language", ""))
    if voices and voice is not None and voice not in voices:
        known = ", ".join(voices)
        raise ValueError(f'"{shown(voice)}" does not speak {info.data["language"]}; these voices do: {known}')
    return voice


def check_webhook_url(url: str, info: "ValidationInfo") -> str:
    """A webhook's URL as given. Raises ValueError if nothing may be sent there."""
    if problem := problem_of_url(url, info):
        raise ValueError(problem)
    return url


def check_webhook_body(body: dict[str, Any] | None) -> WrittenObject:
    """A webhook's body with its text. Raises ValueError if it is too long."""
    written = WrittenObject(body or {})
    if (size := len(written.text.encode())) > MAX_WEBHOOK_BODY_BYTES:
        raise ValueError(f"has {size} bytes as JSON; at most {MAX_WEBHOOK_BODY_BYTES} can be sent")
    return written


def check_webhook_headers(headers: dict[str, str] | None) -> dict[str, str] | None:
    """A webhook's headers as given. Raises ValueError if one cannot be sent, or stands there twice."""
    for name, value in (headers or {}).items():
        if problem := header_problem(name, value):
            raise ValueError(f'the header "{shown(name)}" {problem}')
    if twice := repeated(headers or {}):
        raise ValueError(f'the header "{shown(twice)}" appears twice; its case makes no difference')
    return headers


def check_cases(cases: dict[str, int]) -> dict[str, int]:
    """The cases of a lookup as given. Raises ValueError for a name that can be none."""
    for name in cases:
        if not 1 <= len(name) <= MOST_CASE_CHARACTERS or is_blank(name):
            raise ValueError(f'has the case "{shown(name)}"; a case has a name of 1 to 64 characters')
    return cases


def menu_index(as_given: Any) -> int:
    """The index of a menu, given as a number or as text. Raises ValueError."""
    given = whole(as_given)
    if isinstance(given, str) and _INDEX.fullmatch(given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10_000:
        return given
    raise ValueError(f"must be {RIGHT['action.menu']}")


def action_name(action: Any) -> str | None:
    """The name of an action, by which its model is chosen; None: it has none."""
    name = action.get("action") if isinstance(action, dict) else getattr(action, "action", None)
    return name if isinstance(name, str) else None


def _refuse_repeats(names: Sequence[str], place: str) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"must be {RIGHT[place]}")


def check_redial_on(on: list[str]) -> list[str]:
    """Outcomes, each once. Raises ValueError."""
    _refuse_repeats(on, "redial.on")
    return on


def check_fallback_text(text: str) -> str:
    """The text of a fallback as given. Raises ValueError if it is empty to look at, or too long for an SMS."""
    if is_blank(text):
        raise ValueError("has nothing in it that could be read")
    from speechcall.messages.rules.sms import problem_of_text  # noqa: PLC0415, few messages have one

    if problem := problem_of_text(text):
        raise ValueError(problem)
    return text


def check_fallback_on(on: list[str]) -> list[str]:
    """Outcomes, each once. Raises ValueError."""
    _refuse_repeats(on, "fallback.on")
    return on


def check_day_off(text: str) -> str:
    """A day off as given. ValueError if it is no date; `fromisoformat` alone would take 20261225 too."""
    try:
        is_date = bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:  # a 30th of February
        is_date = False
    if not is_date:
        raise ValueError(f"must be {RIGHT['notOn[]']}")
    return text


def check_window_time(text: str, info: "ValidationInfo") -> str:
    """A time of a window as given; 24:00 can only be its end. Raises ValueError."""
    name = "from" if info.field_name == "from_" else "to"
    if not _TIME.fullmatch(text) or (name == "from" and text == "24:00"):
        raise ValueError(f"must be {RIGHT[f'windows[].{name}']}")
    return text


def check_window_days(days: list[str]) -> list[str]:
    """Days of the week, each once. Raises ValueError."""
    _refuse_repeats(days, "windows[].days")
    return days


def check_send_at(text: str | None) -> str | None:
    """`sendAt` as given. Raises ValueError if it is no moment."""
    if text is not None and to_msec(text) is None:
        raise ValueError(f"must be {RIGHT['sendAt']}")
    return text


def check_time_zone(name: str | None) -> str | None:
    """A time zone's name as given. Raises ValueError if there is none such."""
    if name is None or name == RECIPIENT or is_zone(name):
        return name
    if similar := similar_zone(name):
        raise ValueError(f'"{shown(name)}" is not known; did you mean {similar}?')
    raise ValueError(f'"{shown(name)}" is not known; it must be {RIGHT["timeZone"]}')


def check_consent_moment(text: str) -> str:
    """`consent.at` as given. Raises ValueError if it is no moment."""
    if to_msec(text) is None:
        raise ValueError(f"must be {RIGHT['consent.at']}")
    return text


def check_status_url(url: str | None, info: "ValidationInfo") -> str | None:
    """`statusUrl` as given. Raises ValueError if nothing may be sent there."""
    if url is not None and (problem := problem_of_url(url, info)):
        raise ValueError(_NO_STATUS_USER if _has_user(url) else problem)
    return url


def check_status_events(names: list[str] | None) -> list[str] | None:
    """Events, each once. Raises ValueError."""
    _refuse_repeats(names or (), "statusEvents")
    return names
