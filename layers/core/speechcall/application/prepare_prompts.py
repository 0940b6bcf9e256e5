"""Makes a message's introductions ready to be played, before a line is taken for it.

    preparing ──► all there? ──────────────────────────────────────────────────────► queued
                    │ no: a URL nobody has asked for within the hour, or a new text    ▲
                    └─► queue, in the group of the URL ─► fetch_prompt ─► there? ──────┤
                              one after the other            └─ cannot be had ─► finished, promptUnavailable

A URL's group is worked off one message at a time. So whoever comes first fetches, and those behind it find what
it found, however many they are. A URL that does not answer holds up its own group alone. Text that is to be spoken
goes the same way: the queue and its jobs hold a hash of it and where it stands, never the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

from speechcall.application.message_ports import MessageStore
from speechcall.application.ports import Clock
from speechcall.application.prompt_sources import Fetch, Fetched, Sources
from speechcall.application.prompts import PromptStore, Workshop, failed, note_use
from speechcall.domain.ask import Ask
from speechcall.domain.errors import PromptUnavailable, PromptUnreachable
from speechcall.domain.message import Menu, Message, State
from speechcall.domain.outcome import PROMPT_UNAVAILABLE
from speechcall.domain.prompt import KnownPrompt, Source, is_uploaded
from speechcall.domain.speech import is_spoken
from speechcall.domain.timing import idle_seconds, menu_wait_seconds
from speechcall.domain.wav import Encoding

FRESH_MSEC = 3_600_000
"""The file behind a URL is asked for at most once in so long."""
SPOKEN_FRESH_MSEC = 10 * 365 * 86_400_000
"""The same text is spoken once. Nobody says it for a month: it is forgotten (the store's rule), and spoken again."""
STALE_FRESH_MSEC = 300_000
"""… and so long after a host did not answer, while there is a prompt from before."""
STALE_MSEC = 86_400_000
"""A prompt from before is used for so long while its host does not answer (RFC 5861, stale-if-error)."""
RETRY_SECONDS = (2, 5, 10, 20, 40)
"""Pauses between the attempts at a URL that does not answer; after the last one it cannot be had."""


class AskFor(Protocol):
    """Queues a message in the group of the URL or text of one of its menus, for `fetch_prompt`."""

    def __call__(self, message: Message, menu: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """What preparing needs of the world around it."""

    messages: MessageStore
    prompts: PromptStore
    ask_for: AskFor
    clock: Clock
    grace_seconds: int
    encoding: Encoding


def prepare_message(mid: str, world: Preparation) -> None:
    """preparing → queued, with every menu's prompt; → finished, if one cannot be had; or its URL is asked for.

    Safe to repeat.
    """
    message = world.messages.get(mid)
    if message is not None and message.state is State.PREPARING:
        _prepare(message, world)


def fetch_prompt(
    mid: str, menu: int, attempt: int, *, world: Preparation, sources: Sources, workshop: Workshop
) -> None:
    """Has the introduction of a message's menu fetched or spoken, unless that was done meanwhile, and prepares it.

    `attempt` counts from 1. Raises PromptUnreachable while it should be tried again, after
    `retry_seconds(attempt)`. To be called for one message of a URL or text at a time.
    """
    message = world.messages.get(mid)
    if message is None or message.state is not State.PREPARING:
        return
    known = _find(message, message.menus[menu], world)
    if _has_to_be_fetched(known, message, world.clock.now_msec()):
        made = _fetched(known, attempt, world, _fetch_of(message.menus[menu], sources), workshop)
        world.prompts.put(message.account_id, made)
    _prepare(message, world)


def retry_seconds(attempt: int) -> int:
    """How long after a failed attempt (from 1) the next one is due."""
    return RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]


def _prepare(message: Message, world: Preparation) -> None:
    now = world.clock.now_msec()
    try:
        known = {menu.intro: _find(message, menu, world) for menu in _different(message.menus)}
        for index, menu in enumerate(message.menus):
            if not is_uploaded(menu.intro) and _has_to_be_fetched(known[menu.intro], message, now):
                world.ask_for(message, index)
                return
        asks = _asks(message, known, world.grace_seconds)
    except PromptUnavailable as error:
        world.messages.refuse(message.mid, State.PREPARING, PROMPT_UNAVAILABLE, str(error), now)
        return
    world.messages.queue(message.mid, asks, now)
    for found in known.values():
        note_use(message.account_id, found, world.prompts, world.clock)


def _different(menus: Iterable[Menu]) -> Iterable[Menu]:
    """Of the menus with one introduction, one."""
    return {menu.intro: menu for menu in menus}.values()


def _find(message: Message, menu: Menu, world: Preparation) -> KnownPrompt:
    # A stack that changes its telephony has texts spoken anew.
    name = f"{menu.intro}.{world.encoding.word}" if menu.say else menu.intro
    known = world.prompts.find(message.account_id, name)
    if known is None and is_uploaded(name):
        raise PromptUnavailable(f'there is no audio "{name}" in this account any more')
    return known or KnownPrompt(name, None, 0)


def _fetch_of(menu: Menu, sources: Sources) -> Fetch:
    """What gives a menu's file."""
    if (say := menu.say) is None:
        return sources.fetch
    return lambda _name, _etag, _last_modified: Fetched(sources.speak(say))


def _has_to_be_fetched(known: KnownPrompt, message: Message, now_msec: int) -> bool:
    """Whether a URL has to be asked for a message's sake: its prompt is none, or an hour old, and no failure says more.

    A failure counts for the messages that were accepted before it; a later one tries anew.
    """
    if known.prompt is not None and known.source.fresh_until_msec > now_msec:
        return False
    return known.source.failed_msec is None or known.source.failed_msec < message.created_msec


def _asks(message: Message, known: Mapping[str, KnownPrompt], grace_seconds: int) -> tuple[Ask, ...]:
    asks = []
    for menu in message.menus:
        prompt, source = known[menu.intro].prompt, known[menu.intro].source
        if prompt is None or source.failed_msec is not None:
            raise PromptUnavailable(source.cause or "the audio could not be had")
        asks.append(
            Ask(
                prompt_uri=prompt.uri,
                prompt_seconds=prompt.seconds,
                idle_seconds=idle_seconds(menu.idle_timeout_msec),
                wait_seconds=menu_wait_seconds(prompt.seconds, menu.idle_timeout_msec, grace_seconds),
            )
        )
    return tuple(asks)


def _fetched(known: KnownPrompt, attempt: int, world: Preparation, fetch: Fetch, workshop: Workshop) -> KnownPrompt:
    """What is known of a URL after it was asked."""
    source, has_prompt = known.source, known.prompt is not None
    try:
        answer = fetch(known.name, source.etag if has_prompt else None, source.last_modified if has_prompt else None)
        return _with_answer(known, answer, world.clock.now_msec(), workshop)
    except PromptUnavailable as error:
        return failed(known, str(error), world.clock.now_msec())
    except PromptUnreachable as error:
        now = world.clock.now_msec()
        if has_prompt and now - source.checked_msec < STALE_MSEC:
            return replace(known, source=replace(source, fresh_until_msec=now + STALE_FRESH_MSEC))
        if attempt <= len(RETRY_SECONDS):
            raise
        return failed(known, f"{error} (asked {attempt} times)", now)


def _with_answer(known: KnownPrompt, answer: Fetched, now_msec: int, workshop: Workshop) -> KnownPrompt:
    source = Source(
        etag=answer.etag,
        last_modified=answer.last_modified,
        sha256=known.source.sha256,
        checked_msec=now_msec,
        fresh_until_msec=now_msec + (SPOKEN_FRESH_MSEC if is_spoken(known.name) else FRESH_MSEC),
    )
    if answer.content is None:
        if known.prompt is None:
            raise PromptUnavailable("the host says that the audio has not changed, and it was never had")
        validators = (answer.etag or known.source.etag, answer.last_modified or known.source.last_modified)
        return replace(known, source=replace(source, etag=validators[0], last_modified=validators[1]))
    if known.prompt is not None and known.source.sha256 == sha256(answer.content).hexdigest():
        return replace(known, source=source)
    prompt, source_sha256 = workshop.make(answer.content)
    return replace(known, prompt=prompt, stored_msec=now_msec, source=replace(source, sha256=source_sha256))
