"""Prompts as an account has them: by identifier, once uploaded; by URL, once fetched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from speechcall.prompts.rules.prompt import KnownPrompt, Prompt, Trying
from speechcall.prompts.rules.wav import Encoding
from speechcall.prompts.use_cases.make_audio import Decode, make_audio
from speechcall.shared.rules.errors import NotFound
from speechcall.shared.use_cases.clock import Clock

USED_STEP_MSEC = 3_600_000
"""When a prompt was last used is kept to the hour: a thousand messages need not write it a thousand times."""


class PromptStore(Protocol):
    """The prompts of each account, by identifier or URL."""

    def find(self, account_id: str, name: str) -> KnownPrompt | None: ...

    def put(self, account_id: str, known: KnownPrompt) -> None: ...

    def put_used(self, account_id: str, name: str, now_msec: int) -> None:
        """Notes that a prompt was used; does nothing if it is gone."""

    def remove(self, account_id: str, name: str) -> bool:
        """Forgets a prompt; calls that were prepared with it still play it. False: there was none."""

    def uploaded(self, account_id: str) -> Sequence[KnownPrompt]:
        """The prompts that have an identifier, in its order."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What makes a prompt out of a file: the decoder, the encoding that the telephony plays, and where it plays from.

    `keep` stores audio, once for each content, and gives the URI that the telephony plays.
    """

    decode: Decode
    encoding: Encoding
    keep: Callable[[bytes], str]

    def make(self, content: bytes) -> tuple[Prompt, str]:
        """The prompt that a file becomes, stored, and the file's SHA-256. Raises PromptUnavailable."""
        audio = make_audio(content, self.encoding, self.decode)
        return Prompt(self.keep(audio.content), audio.seconds, len(audio.content), audio.warnings), audio.source_sha256


def add_prompt(
    account_id: str, name: str, content: bytes, *, prompts: PromptStore, workshop: Workshop, clock: Clock
) -> KnownPrompt:
    """Stores audio of any known format under an identifier. Raises PromptUnavailable with what is wrong with it."""
    prompt, _ = workshop.make(content)
    before = prompts.find(account_id, name)
    known = KnownPrompt(name, prompt, clock.now_msec(), before.used_msec if before else None)
    prompts.put(account_id, known)
    return known


def find_uploaded(account_id: str, name: str, prompts: PromptStore) -> KnownPrompt:
    """The prompt with an identifier. Raises NotFound."""
    known = prompts.find(account_id, name)
    if known is None:
        raise NotFound("There is no audio of this identifier in this account.")
    return known


def note_use(account_id: str, known: KnownPrompt, prompts: PromptStore, clock: Clock) -> None:
    """Keeps when a prompt was last used, to the hour."""
    now = clock.now_msec()
    if known.used_msec is None or now - known.used_msec >= USED_STEP_MSEC:
        prompts.put_used(account_id, known.name, now)


def failed(known: KnownPrompt, cause: str, now_msec: int) -> KnownPrompt:
    """What is known of a URL, now that it could not be had."""
    source = replace(known.source, failed_msec=now_msec, cause=cause, fresh_until_msec=0)
    return replace(known, source=source, trying=Trying())
