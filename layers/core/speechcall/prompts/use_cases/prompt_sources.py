"""Where audio comes from that was not uploaded: a URL that is asked for its file, a text, or parts that are joined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from speechcall.menus.rules.speech import Say


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL answered. No content: what was there before has not changed."""

    content: bytes | None
    etag: str | None = None
    last_modified: str | None = None


class Fetch(Protocol):
    """Asks a URL for its file, unless it is still the one with these validators."""

    def __call__(self, url: str, etag: str | None, last_modified: str | None) -> Fetched:
        """Raises PromptUnavailable; PromptUnreachable if it may be otherwise in a moment."""


class Speak(Protocol):
    """Speaks text, once: a message that says the same later gets the prompt that it became."""

    def __call__(self, say: Say) -> bytes:
        """A WAV file. Raises PromptUnavailable; PromptUnreachable if it may be otherwise in a moment."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where introductions come from that were not uploaded."""

    fetch: Fetch
    speak: Speak
    read: Callable[[str], bytes | None]
    """The audio of a prompt behind its URI; None: it is gone."""
