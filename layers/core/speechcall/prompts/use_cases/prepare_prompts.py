"""Makes a message's introductions ready to be played, before a line is taken for it.

    preparing ──► all there? ──────────────────────────────────────────────────────► queued
                    │ no: a URL not asked for within the hour, or a new text           ▲
                    └─► queue, in a group of the account ─► fetch_prompt ─► there? ────┤
                              one after the other              ├─ cannot be had ─► finished, promptUnavailable
                                                               └─ not in time ───► finished, expired

A group is worked off one message at a time. So the first one fetches, and those behind it find what it found,
however many they are. An account has a few groups, among which its URLs are shared out, so it never has more at work,
however many it has. What does not come at once goes apart, into a group of its own, and holds up that alone. Text that
is to be spoken, and parts that are to be joined, go the same way: the queue and its jobs hold a hash of it and where it
is, never the text. Parts come before what is joined of them.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.introduction import Introduction, heard_part, introductions
from speechcall.menus.rules.walk import told_entries
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt, is_uploaded
from speechcall.prompts.use_cases.prompts import PromptStore, note_use
from speechcall.shared.rules.errors import PromptUnavailable
from speechcall.shared.rules.outcome import EXPIRED, PROMPT_UNAVAILABLE
from speechcall.shared.use_cases.clock import Clock

NOT_IN_TIME = "its introductions were not ready before its time was up"

logger = logging.getLogger(__name__)


class Apart(StrEnum):
    """In which group of the queue a job is."""

    NO = ""
    """One of the account's."""
    URL = "url"
    """That of its URL or text alone."""
    MESSAGE = "message"
    """That of its message alone."""


class AskFor(Protocol):
    """Queues a message for one of its introductions, by its place among them, for `fetch_prompt`."""

    def __call__(self, message: Message, place: int, apart: Apart = Apart.NO) -> None: ...


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
    """preparing → queued, with every menu's prompt; → finished, if one cannot be had or its time is up; or the first
    that is missing is asked for. A message that is not preparing is left alone.

    Safe to repeat. What goes wrong with one message is left to the queue, which has pauses and an end; so it holds up
    no other message. Raises what keeps the message from being read, or from being queued.
    """
    message = world.messages.get(mid)
    if message is None or message.state is not State.PREPARING:
        return
    try:
        prepare(message, world)
    except Exception:
        logger.exception("message %s could not be prepared", mid, extra={"mid": mid, "account": message.account_id})
        world.ask_for(message, 0, Apart.MESSAGE)


def prepare(message: Message, world: Preparation) -> None:
    """Queues a message whose prompts are all there; or asks for the first that is missing.

    It is finished where one cannot be had, or its time is up. `message`: as it was read, PREPARING; if it is not any
    more, it stays as it is.
    """
    now = world.clock.now_msec()
    if message.dial_until_msec <= now:
        refuse_message(message, EXPIRED, NOT_IN_TIME, now, messages=world.messages)
        return
    try:
        wanted = introductions(message.menus)
        known = find_prompts(message, wanted, world)
        for place, one in enumerate(wanted):
            if has_to_be_made(one, known, message, now):
                world.ask_for(message, place)
                fields = {"mid": message.mid, "account": message.account_id, "introduction": place}
                logger.info("message waits for a prompt", extra=fields)
                return
        asks = _asks(message, known, world.grace_seconds)
    except PromptUnavailable as error:
        refuse_message(message, PROMPT_UNAVAILABLE, str(error), now, messages=world.messages)
        return
    if world.messages.queue(message, asks, now):
        logger.info("message queued", extra={"mid": message.mid, "account": message.account_id})
    for found in known.values():
        note_use(message.account_id, found, world.prompts, world.clock)


def find_prompts(message: Message, wanted: Iterable[Introduction], world: Preparation) -> dict[str, KnownPrompt]:
    """What is known of introductions, by name; each is looked for once, however often it is heard.

    Raises PromptUnavailable for an upload that is gone.
    """
    return {name: _find_prompt(message, one, world) for name, one in {one.name: one for one in wanted}.items()}


def _find_prompt(message: Message, one: Introduction, world: Preparation) -> KnownPrompt:
    """What is known of an introduction, if only its name. Raises PromptUnavailable for an upload that is gone."""
    # The name has the encoding: after a change of the telephony texts are spoken, and parts joined, again.
    name = f"{one.name}.{world.encoding.word}" if one.say or one.parts else one.name
    known = world.prompts.find(message.account_id, name)
    if known is None and is_uploaded(name):
        raise PromptUnavailable(f'there is no audio "{name}" in this account any more')
    return known or KnownPrompt(name, None, 0)


def prompts_of_parts(one: Introduction, known: Mapping[str, KnownPrompt]) -> list[Prompt]:
    """The prompts that an introduction is joined of, in order. Raises PromptUnavailable if a part has none."""
    return [_prompt_of(known[part.name]) for part in map(heard_part, one.parts) if part]


def made_of(prompts: Iterable[Prompt]) -> str:
    """A digest that stands for the audio that parts had when they were joined: an upload or a URL may have other audio
    later.
    """
    return hashlib.sha256(" ".join(prompt.uri for prompt in prompts).encode()).hexdigest()


def has_to_be_made(one: Introduction, known: Mapping[str, KnownPrompt], message: Message, now_msec: int) -> bool:
    """Whether an introduction has to be fetched, spoken or joined. `known`: of it and of its parts, by name.

    One that was joined of other audio than its parts have now is joined again.

    Raises PromptUnavailable if it is joined of parts of which one cannot be had.
    """
    if is_uploaded(one.name):
        return False
    found = known[one.name]
    if is_of_other_parts(one, known):
        found = found._replace(prompt=None)
    return has_to_be_fetched(found, message, now_msec)


def is_of_other_parts(one: Introduction, known: Mapping[str, KnownPrompt]) -> bool:
    """Whether what is known of an introduction was joined of other audio than its parts have now.

    Raises PromptUnavailable if a part has none.
    """
    return bool(one.parts) and known[one.name].source.etag != made_of(prompts_of_parts(one, known))


def has_to_be_fetched(known: KnownPrompt, message: Message, now_msec: int) -> bool:
    """Whether an introduction has to be fetched or spoken before this message can use it.

    Not if its prompt is fresh (see `fresh_until_msec`), nor if it has failed since the message was accepted: the
    failure decides for that message. A message that was accepted after the failure tries again.
    """
    if known.prompt is not None and known.source.fresh_until_msec > now_msec:
        return False
    return known.source.failed_msec is None or known.source.failed_msec < message.created_msec


def _asks(message: Message, known: Mapping[str, KnownPrompt], grace_seconds: int) -> tuple[Ask, ...]:
    """What the telephony will play and wait for, menu by menu. `known`: of all introductions, by name.

    Raises PromptUnavailable for one that could not be had.
    """
    asks = []
    for menu in message.menus:
        prompt = _prompt_of(known[menu.intro])
        ask = Ask(
            prompt_uri=prompt.uri,
            prompt_seconds=prompt.seconds,
            idle_seconds=menu.idle_seconds,
            wait_seconds=menu.machine_seconds(lambda intro: _prompt_of(known[intro]).seconds, grace_seconds),
            input=menu.input,
            keeps=told_entries(menu) if menu.input else (),
            barge_in=menu.barge_in,
        )
        if menu.repeat:
            other = _prompt_of(known[menu.repeat.intro or menu.intro])
            ask = ask._replace(repeats=menu.repeat.times, repeat_uri=other.uri, repeat_seconds=other.seconds)
        asks.append(ask)
    return tuple(asks)


def _prompt_of(known: KnownPrompt) -> Prompt:
    if known.prompt is None or known.source.failed_msec is not None:
        raise PromptUnavailable(known.source.cause or "the audio could not be had")
    return known.prompt
