"""Prompts: the audio of introductions, as it is known under an identifier, a URL, a text or its parts."""

from dataclasses import dataclass
from typing import NamedTuple

from speechcall.menus.rules.introduction import is_joined
from speechcall.menus.rules.speech import is_spoken
from speechcall.outbound.rules.address import is_url


class AudioWarning(NamedTuple):
    """What is odd about audio that was taken."""

    code: str
    message: str


class Prompt(NamedTuple):
    """A telephone prompt: where it is played from, how long it is in seconds, its bytes, and what is odd about it."""

    uri: str
    seconds: float
    size: int = 0
    warnings: tuple[AudioWarning, ...] = ()


class Source(NamedTuple):
    """What is known of the file behind a URL.

    Its validators (RFC 9110, section 8.8) for asking whether it has changed, the SHA-256 of what came, when it was last
    there, and until when it is not asked again; or when and why it could not be had (times are epoch milliseconds).
    """

    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    checked_msec: int = 0
    fresh_until_msec: int = 0
    failed_msec: int | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Trying:
    """The attempts to have a file that have led to nothing yet (times are epoch milliseconds).

    How many, when the first began, and when the next is due. `is_open`: the last one has begun, and nothing is known of
    its end; the function may have been killed meanwhile.
    """

    count: int = 0
    since_msec: int | None = None
    is_open: bool = False
    next_msec: int | None = None

    def begun(self, now_msec: int) -> "Trying":
        """With one more, which begins now."""
        return Trying(self.count + 1, now_msec if self.since_msec is None else self.since_msec, is_open=True)

    def ended(self, next_msec: int) -> "Trying":
        """With the last one ended, without success."""
        return Trying(self.count, self.since_msec, next_msec=next_msec)


class KnownPrompt(NamedTuple):
    """What is stored under a name: of an upload, a URL, spoken text or joined parts.

    Without a prompt: it has led to none yet.
    Of an upload: `is_removed`, messages can name it no more, and its audio is about to go; `replaced`, the URIs of the
    audio before it, which is about to go.
    """

    name: str
    prompt: Prompt | None
    stored_msec: int
    used_msec: int | None = None
    source: Source = Source()
    trying: Trying = Trying()
    is_removed: bool = False
    replaced: tuple[str, ...] = ()

    @property
    def uris(self) -> tuple[str, ...]:
        """All the audio that is kept for it."""
        return (*((self.prompt.uri,) if self.prompt else ()), *self.replaced)


def is_uploaded(name: str) -> bool:
    """Whether a name is an uploaded prompt's identifier; others are made prompts when a message wants them."""
    return not (is_url(name) or is_spoken(name) or is_joined(name))
