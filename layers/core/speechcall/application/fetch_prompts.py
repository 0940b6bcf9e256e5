"""Has introductions fetched or spoken: one job of the queue of prompts at a time.

    job ─► still preparing? ─► in time? ─► to be fetched? ─► a place? ─► attempt ─► recorded ─► message prepared
             no: done           no: expired   no: prepared    no: later     └─ failed ─► later, or cannot be had

Every attempt is counted where its prompt is kept, before it begins. So whatever it ends with, an exception that
nobody has foreseen or the end of the function itself, the attempts come to an end, and the messages with it. An
attempt takes a place among those of its account and one among those at its host; without one the job comes again a
little later, so a host that does not answer, or an account with many such, leaves room for all others.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256

from speechcall.application.deliver_webhook import Places
from speechcall.application.prepare_prompts import Preparation, find_prompt, has_to_be_fetched, prepare
from speechcall.application.prompt_sources import Fetch, Fetched, Sources
from speechcall.application.prompts import Workshop, failed
from speechcall.domain.errors import PromptUnavailable, PromptUnreachable
from speechcall.domain.message import Menu, Message, State
from speechcall.domain.outcome import PROMPT_UNAVAILABLE
from speechcall.domain.prompt import KnownPrompt, Source, Trying, is_uploaded
from speechcall.domain.retry import Uniform
from speechcall.domain.speech import is_spoken
from speechcall.domain.webhook import destination

FRESH_MSEC = 3_600_000
"""The file behind a URL is asked for at most once in so long."""
STORED_MSEC = 30 * 86_400_000
"""Audio is made and stored anew after so long, although its file is the same: it expires 90 days after it was stored
(template.yaml), and a message plays what it was prepared with for up to a month. A text is spoken once in so long."""
STALE_FRESH_MSEC = 300_000
"""… and so long after a host did not answer, while there is a prompt from before."""
STALE_MSEC = 86_400_000
"""A prompt from before is used for so long while its host does not answer (RFC 5861, stale-if-error)."""
RETRY_SECONDS = (2, 5, 10, 20, 40)
"""Pauses between the attempts at a URL that does not answer; after the last one it cannot be had."""
GIVE_UP_MSEC, LEAST_TRIES = 180_000, 3
"""Attempts that had to wait for their places end after so long too, but not before so many."""
FAULT_SECONDS = (*RETRY_SECONDS, 60)
"""Pauses after faults of ours; the last one again and again."""
MOST_FAULTS = 15
"""With these it has been tried for about ten minutes."""
OUR_FAULT = "the audio could not be prepared: our own service failed"
LONGEST_TURN_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetching:
    """What attempts are made with: the places of an account's, of a host's, and how long to wait for one."""

    world: Preparation
    sources: Sources
    workshop: Workshop
    of_accounts: Places
    at_hosts: Places
    uniform: Uniform


def fetch_prompt(mid: str, menu: int, received: int, *, fetching: Fetching) -> int | None:
    """Has the introduction of a message's menu fetched or spoken, unless that was done meanwhile, and prepares it.

    Out: in how many seconds to call it again; None: there is nothing more to do. `received` counts from 1. To be called
    for one message of a URL or text at a time. Raises what keeps even a failure from being recorded.
    """
    messages = fetching.world.messages
    message = messages.get(mid)
    if message is None or message.state is not State.PREPARING:
        return None
    try:
        wait = None
        if message.dial_until_msec > fetching.world.clock.now_msec():
            wait = _fetch(message, message.menus[menu], received, fetching)
        if wait is None:
            prepare(message, fetching.world)
        return wait
    except Exception:
        logger.exception("message %s could not be prepared", mid)
    faults = messages.note_fault(mid)
    if faults >= MOST_FAULTS:
        cause = f"{OUR_FAULT} (tried {faults} times)"
        messages.refuse(mid, State.PREPARING, PROMPT_UNAVAILABLE, cause, fetching.world.clock.now_msec())
    return fault_seconds(faults) if 0 < faults < MOST_FAULTS else None


def most_of_an_account(consumers: int) -> int:
    """How many attempts an account may have at the same time: half of those that there can be, never all (of 2 on)."""
    return max(1, (consumers + 1) // 2)


def most_at_a_host(consumers: int) -> int:
    """… and at a host: a third, so that an account whose one host hangs has something left for another."""
    return max(1, (consumers + 2) // 3)


def retry_seconds(attempt: int) -> int:
    """How long after a failed attempt (from 1) the next one is due."""
    return RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]


def fault_seconds(faults: int) -> int:
    """How long after so many faults of ours it is tried again."""
    return FAULT_SECONDS[min(faults, len(FAULT_SECONDS)) - 1]


def turn_seconds(received: int, uniform: Uniform) -> int:
    """How long a job waits for its turn that was handed out so often: the more are waiting, the longer each has."""
    longest = min(LONGEST_TURN_SECONDS, 4 * 1.6 ** min(received - 1, 20))
    return round(uniform(longest / 2, longest))


def _fetch(message: Message, menu: Menu, received: int, fetching: Fetching) -> int | None:
    """In how many seconds to try it again; None: it is known what there is."""
    world = fetching.world
    if is_uploaded(menu.intro):
        return None
    known = find_prompt(message, menu, world)
    if not has_to_be_fetched(known, message, world.clock.now_msec()):
        return None
    with _places(message, menu, fetching) as are_there:
        if not are_there:
            return turn_seconds(received, fetching.uniform)
        return _attempt(known, message.account_id, _fetch_of(menu, fetching.sources), fetching)


@contextmanager
def _places(message: Message, menu: Menu, fetching: Fetching) -> Iterator[bool]:
    """Whether an attempt may be made now; its places are given back behind it."""
    now, held = fetching.world.clock.now_msec(), []
    wanted = [(fetching.of_accounts, f"prompts of {message.account_id}")]
    if menu.say is None:
        wanted.append((fetching.at_hosts, f"prompts at {destination(menu.intro)}"))
    try:
        for places, name in wanted:
            place = places.take(name, now)
            if place is None:
                break
            held.append((places, name, place))
        yield len(held) == len(wanted)
    finally:
        for places, name, place in held:
            places.give_back(name, place)


def _fetch_of(menu: Menu, sources: Sources) -> Fetch:
    """What gives a menu's file."""
    if (say := menu.say) is None:
        return sources.fetch
    return lambda _name, _etag, _last_modified: Fetched(sources.speak(say))


def _attempt(known: KnownPrompt, account_id: str, fetch: Fetch, fetching: Fetching) -> int | None:
    """One attempt, recorded before and after. In how many seconds there is to be another; None: none."""
    world, source = fetching.world, known.source
    if known.trying.is_open and known.trying.count >= LEAST_TRIES:  # the last one has ended the function itself
        lost = f"{OUR_FAULT} (tried {known.trying.count} times)"
        world.prompts.put(account_id, failed(known, lost, world.clock.now_msec()))
        return None
    begun = replace(known, trying=known.trying.begun(world.clock.now_msec()))
    world.prompts.put(account_id, begun)
    is_kept = known.prompt is not None and not _is_old(known, world.clock.now_msec())
    validators = (source.etag, source.last_modified) if is_kept else (None, None)
    wait = None
    try:
        answer = fetch(known.name, *validators)
        made = _with_answer(known, answer, world.clock.now_msec(), fetching.workshop)
    except PromptUnavailable as error:
        made = failed(known, str(error), world.clock.now_msec())
    except Exception as error:  # noqa: BLE001 - one that may pass, or that nobody has foreseen: it is recorded
        made, wait = _after_failure(begun, error, world.clock.now_msec())
    world.prompts.put(account_id, made)
    return wait


def _after_failure(begun: KnownPrompt, error: Exception, now_msec: int) -> tuple[KnownPrompt, int | None]:
    """What is known of a URL after a failure that may pass, and when it is tried again."""
    source, trying = begun.source, begun.trying.ended()
    is_theirs = isinstance(error, PromptUnreachable)
    if not is_theirs:
        logger.error("audio could not be made a prompt", exc_info=error)
    if begun.prompt is not None and now_msec - source.checked_msec < STALE_MSEC:
        stale = replace(source, fresh_until_msec=now_msec + STALE_FRESH_MSEC)
        return replace(begun, source=stale, trying=Trying()), None
    too_long = trying.count >= LEAST_TRIES and now_msec - (trying.since_msec or 0) >= GIVE_UP_MSEC
    if is_theirs and (trying.count > len(RETRY_SECONDS) or too_long):
        return failed(begun, f"{error} (asked {trying.count} times)", now_msec), None
    if not is_theirs and trying.count >= MOST_FAULTS:
        return failed(begun, f"{OUR_FAULT} (tried {trying.count} times)", now_msec), None
    wait = retry_seconds(trying.count) if is_theirs else fault_seconds(trying.count)
    return replace(begun, trying=trying), wait


def _is_old(known: KnownPrompt, now_msec: int) -> bool:
    """Whether its audio is to be stored anew, so that it does not expire while it is used."""
    return now_msec - known.stored_msec >= STORED_MSEC


def _with_answer(known: KnownPrompt, answer: Fetched, now_msec: int, workshop: Workshop) -> KnownPrompt:
    known = replace(known, trying=Trying())
    source = Source(
        etag=answer.etag,
        last_modified=answer.last_modified,
        sha256=known.source.sha256,
        checked_msec=now_msec,
        fresh_until_msec=now_msec + (STORED_MSEC if is_spoken(known.name) else FRESH_MSEC),
    )
    if answer.content is None:
        if known.prompt is None:
            raise PromptUnavailable("the host says that the audio has not changed, and it was never had")
        validators = (answer.etag or known.source.etag, answer.last_modified or known.source.last_modified)
        return replace(known, source=replace(source, etag=validators[0], last_modified=validators[1]))
    is_the_same = known.source.sha256 == sha256(answer.content).hexdigest()
    if known.prompt is not None and is_the_same and not _is_old(known, now_msec):
        return replace(known, source=source)
    prompt, source_sha256 = workshop.make(answer.content)
    return replace(known, prompt=prompt, stored_msec=now_msec, source=replace(source, sha256=source_sha256))
