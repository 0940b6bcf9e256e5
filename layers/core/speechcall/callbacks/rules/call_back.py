"""What somebody hears who calls the caller ID back, and the key with which they opt out."""

import re
from typing import NamedTuple

from speechcall.accounts.rules.account import OWN_WORDS, SENDER, CallBack
from speechcall.menus.rules.speech import VOICES, Say
from speechcall.shared.rules.phone_numbers import to_e164

OPT_OUT_KEY = "9"
PLAYS = 2
"""So often the greeting is played to somebody who presses nothing, or another key."""
WAIT_SECONDS = 8
"""For which a key is awaited behind the greeting."""

LANGUAGE, VOICE = "en-US", "Joanna"
"""Of the product's own words, and of an account's that names none."""

GREETING = (
    "Hello. {from} has called you from this number by an automatic system. "
    "If you do not want to be called by {from} again, press 9 now."
)
DONE = "{from} will not call you again. Goodbye."
NOBODY = (
    "Hello. This number makes automatic calls, and nobody answers it. "
    "We have no note of a recent call to your number. Goodbye."
)
WITHHELD = (
    "Hello. This number makes automatic calls, and nobody answers it. Your own number is not shown, so we cannot say "
    "who has called you. Please call again with your number shown. Goodbye."
)
NOT_NOW = "Hello. This number makes automatic calls. We cannot say now who has called you. Please call again later."
NOT_STORED = "We are sorry, your wish could not be stored. Please call again later."

_MID = re.compile(r"[0-9]{1,19}")


class Heard(NamedTuple):
    """What is played: the file at `audio_uri`, or, where that is empty or cannot be played, the text."""

    say: Say
    audio_uri: str = ""


class Greeting(NamedTuple):
    """What a caller hears first. `mid`: the message that called them last; empty: there is nothing to opt out of."""

    heard: Heard
    mid: str = ""


def shown_number(given: str) -> str:
    """The caller's number in E.164 form; empty for one that is withheld, whatever a provider writes then."""
    return to_e164(given) or ""


def is_message(given: str) -> bool:
    """Whether it is a message's id, as a provider brings it back."""
    return _MID.fullmatch(given) is not None


def say(text: str, settings: CallBack = OWN_WORDS, sender: str = "") -> Say:
    """The text in the account's language and voice; `{from}` is who has called."""
    language = settings.language or LANGUAGE
    voice = settings.voice or (VOICES[language][0] if settings.language else VOICE)
    return Say(text.replace(SENDER, sender), language, voice)


def greeting_text(settings: CallBack) -> str:
    """What is said of who has called."""
    return settings.text or GREETING


def done_text(settings: CallBack) -> str:
    """What is said when the opt-out is stored."""
    return settings.done_text or DONE
