"""Prompts as an account has them: by identifier, once uploaded; by URL, once fetched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt, Trying
from speechcall.prompts.use_cases.make_audio import Decode, make_audio
from speechcall.shared.rules.errors import NotFound
from speechcall.shared.use_cases.clock import Clock

USED_STEP_MSEC = 3_600_000
"""When a prompt was last used is kept to the hour: a thousand messages need not write it a thousand times."""


class PromptStore(Protocol):
    """The prompts of each account, by identifier or URL."""

    def find(self, account_id: str, name: str) -> KnownPrompt | None:
        """What messages can name: not one that is about to be removed."""

    def find_any(self, account_id: str, name: str) -> KnownPrompt | None:
        """The prompt, also where it is about to be removed."""

    def put(self, account_id: str, known: KnownPrompt) -> None: ...

    def put_instead(self, account_id: str, known: KnownPrompt, before: KnownPrompt | None) -> bool:
        """Stores it in the place of what `find_any` gave. False: something else is there by now."""

    def note_settled(self, account_id: str, known: KnownPrompt) -> None:
        """The audio that it replaced is marked; does nothing where something else is there by now."""

    def put_used(self, account_id: str, name: str, now_msec: int) -> None:
        """Notes that a prompt was used; does nothing if it is gone."""

    def mark_removed(self, account_id: str, name: str) -> KnownPrompt | None:
        """`find` does not give it any more; returns it. None: there was none."""

    def forget(self, account_id: str, known: KnownPrompt) -> None:
        """Drops what was marked so; does nothing where something else is there by now."""

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


Retire = Callable[[str], object]
"""Marks audio that no message can name any more, so that it goes when no queued message can still play it."""


def add_prompt(
    account_id: str,
    name: str,
    content: bytes,
    *,
    prompts: PromptStore,
    workshop: Workshop,
    clock: Clock,
    retire: Retire,
) -> KnownPrompt:
    """Stores audio of any known format under an identifier, in the place of what is there, also of what another request
    stores meanwhile. Out: the prompt, as it was stored.

    Raises PromptUnavailable with what is wrong with the audio.

    The audio that it replaces is then marked for removal. Until that is done the new item names it: if the function is
    killed in between, the next upload or removal under the identifier marks it.
    """
    prompt, _ = workshop.make(content)
    while True:
        before = prompts.find_any(account_id, name)
        used = before.used_msec if before and not before.is_removed else None
        replaced = before.uris if before else ()
        known = KnownPrompt(name, prompt, clock.now_msec(), used, replaced=replaced)
        if prompts.put_instead(account_id, known, before):
            break
    if known.replaced:
        _retire(known.replaced, retire)
        prompts.note_settled(account_id, known)
    return known


def remove_prompt(account_id: str, name: str, *, prompts: PromptStore, retire: Retire) -> bool:
    """Removes an identifier and, later, its audio: queued messages still play it. False: there was none.

    If the function is killed after it has marked the identifier, the next request removes it.
    """
    known = prompts.mark_removed(account_id, name)
    if known is None:
        return False
    _retire(known.uris, retire)
    prompts.forget(account_id, known)
    return True


def _retire(uris: Sequence[str], retire: Retire) -> None:
    for uri in uris:
        retire(uri)


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
    """What is known of an introduction, now that its audio could not be had for a `cause`. An older prompt stays."""
    source = known.source._replace(failed_msec=now_msec, cause=cause, fresh_until_msec=0)
    return known._replace(source=source, trying=Trying())
