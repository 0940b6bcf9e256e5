"""Makes a message's introductions ready to be played, before a line is taken for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from speechcall.application.ports import Clock, MessageStore
from speechcall.domain.address import is_url
from speechcall.domain.errors import PromptUnavailable
from speechcall.domain.message import Ask, Message, State
from speechcall.domain.outcome import PROMPT_UNAVAILABLE
from speechcall.domain.timing import idle_seconds, menu_wait_seconds
from speechcall.domain.wav import mu_law_seconds

URL_FRESH_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Prompt:
    """A telephone prompt: where it is played from, and how long it is."""

    uri: str
    seconds: float


class PromptStore(Protocol):
    """The prompts of each account, by identifier or URL; the audio is stored by its content."""

    def get_prompt(self, account_id: str, name: str) -> tuple[Prompt, int] | None:
        """The prompt and when it was stored (epoch milliseconds)."""

    def put_prompt(self, account_id: str, name: str, prompt: Prompt, now_msec: int) -> None: ...

    def put_audio(self, content: bytes) -> str:
        """Stores the audio, once for each content; returns the URI that the telephony plays."""


def add_prompt(account_id: str, name: str, content: bytes, *, prompts: PromptStore, clock: Clock) -> Prompt:
    """Stores telephone audio under an identifier or URL. Raises PromptUnavailable if it is none."""
    seconds = mu_law_seconds(content)
    prompt = Prompt(prompts.put_audio(content), seconds)
    prompts.put_prompt(account_id, name, prompt, clock.now_msec())
    return prompt


def prepare_message(
    mid: str,
    *,
    messages: MessageStore,
    prompts: PromptStore,
    fetch: Callable[[str], bytes],
    clock: Clock,
    grace_seconds: int,
) -> None:
    """preparing → queued, with every menu's prompt; or → finished, if one cannot be had.

    `fetch` gives the bytes behind a URL or raises PromptUnavailable. Safe to repeat.
    """
    message = messages.get(mid)
    if message is None or message.state is not State.PREPARING:
        return
    try:
        asks = _asks(message, prompts, fetch, clock, grace_seconds)
    except PromptUnavailable as error:
        messages.refuse(mid, State.PREPARING, PROMPT_UNAVAILABLE, str(error), clock.now_msec())
        return
    messages.queue(mid, asks, clock.now_msec())


def _asks(
    message: Message, prompts: PromptStore, fetch: Callable[[str], bytes], clock: Clock, grace_seconds: int
) -> tuple[Ask, ...]:
    ready: dict[str, Prompt] = {}
    for intro in dict.fromkeys(menu.intro for menu in message.menus):
        ready[intro] = _prompt(message.account_id, intro, prompts, fetch, clock)
    return tuple(
        Ask(
            prompt_uri=ready[menu.intro].uri,
            prompt_seconds=ready[menu.intro].seconds,
            idle_seconds=idle_seconds(menu.idle_timeout_msec),
            wait_seconds=menu_wait_seconds(ready[menu.intro].seconds, menu.idle_timeout_msec, grace_seconds),
        )
        for menu in message.menus
    )


def _prompt(account_id: str, intro: str, prompts: PromptStore, fetch: Callable[[str], bytes], clock: Clock) -> Prompt:
    known = prompts.get_prompt(account_id, intro)
    if not is_url(intro):
        if known is None:
            raise PromptUnavailable(f'there is no audio "{intro}" in this account any more')
        return known[0]
    if known and clock.now_msec() - known[1] < URL_FRESH_SECONDS * 1000:
        return known[0]
    return add_prompt(account_id, intro, fetch(intro), prompts=prompts, clock=clock)
