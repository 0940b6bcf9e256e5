"""Has introductions fetched, spoken or joined: one job of the queue of prompts at a time.

    job ─► still preparing? ─► in time? ─► to be fetched? ─► a place? ─► attempt ─► recorded ─► message prepared
             no: done           no: expired   no: prepared    no: later     └─ failed ─► later, or cannot be had

Every attempt is counted where its prompt is kept, before it begins. So whatever it ends with, an exception that
was not foreseen or the end of the function itself, the attempts come to an end, and the messages with it. An
attempt takes a place among those of its account and one among those at its host; without one the job comes again a
little later, so a host that does not answer, or an account with many such, leaves room for all others. What is to be
tried again, or waits for its host, goes into a queue group of its own (`Apart`): it no longer holds up the account's
other jobs.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from speechcall.menus.rules.introduction import Introduction, Pause, heard_part, introductions
from speechcall.messages.rules.message import Message, State
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.outbound.rules.address import is_url
from speechcall.outbound.rules.destination import destination
from speechcall.prompts.rules.joining import join
from speechcall.prompts.rules.prompt import KnownPrompt, Trying
from speechcall.prompts.use_cases.attempt_prompt import FRESH_MSEC, MOST_FAULTS, OUR_FAULT, attempt, fault_seconds
from speechcall.prompts.use_cases.prepare_prompts import (
    Apart,
    Preparation,
    find_prompts,
    has_to_be_made,
    is_of_other_parts,
    made_of,
    prepare,
    prompts_of_parts,
)
from speechcall.prompts.use_cases.prompt_sources import Fetch, Fetched, Sources
from speechcall.prompts.use_cases.prompts import Workshop
from speechcall.shared.rules.errors import PromptUnavailable
from speechcall.shared.rules.outcome import PROMPT_UNAVAILABLE
from speechcall.webhooks.rules.retry import Uniform
from speechcall.webhooks.use_cases.deliver_webhook import Places

LONGEST_TURN_SECONDS = 60.0
MOST_LOOKS = 3
"""So often a job looks for a place at its host before it goes apart."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetching:
    """What attempts are made with.

    `of_accounts`, `at_hosts`: places for attempts at once, per account and per host; `uniform`: chance for waits.
    """

    world: Preparation
    sources: Sources
    workshop: Workshop
    of_accounts: Places
    at_hosts: Places
    uniform: Uniform
    on_given_up: Callable[[], None]
    """Called when an introduction, or a message for its sake, is given up for a fault of our own."""


def fetch_prompt(mid: str, place: int, received: int, apart: Apart = Apart.NO, *, fetching: Fetching) -> int | None:
    """Makes one of a message's introductions playable (fetched, spoken or joined), then prepares the message.

    In: `place` among `introductions(message.menus)`; `received`: how often the queue has handed this job out, from 1;
    `apart`: its group in the queue. Out: seconds until the queue hands it out again; None: done, or queued again in
    another group. A message that is not preparing is left alone; one whose time is up expires (in `prepare`). An
    exception is logged and counted by `_after_fault`; only reading the message, and `_after_fault`, raise. To be called
    for one job of a group at a time.
    """
    world = fetching.world
    message = world.messages.get(mid)
    if message is None or message.state is not State.PREPARING:
        return None
    try:
        following = None
        if message.dial_until_msec > world.clock.now_msec():
            following = _fetch(message, introductions(message.menus)[place], received, apart, fetching)
        if isinstance(following, Apart):
            world.ask_for(message, place, following)
            return None
        if following is None:
            prepare(message, world)
        return following
    except Exception:
        logger.exception("message %s could not be prepared", mid, extra={"mid": mid, "account": message.account_id})
    return _after_fault(message, place, apart, fetching)


def _after_fault(message: Message, place: int, apart: Apart, fetching: Fetching) -> int | None:
    """Notes a fault in preparing one message: it is tried again in a group of its own, and given up at MOST_FAULTS.

    Out: as `fetch_prompt`; None also if the message is not preparing any more.
    """
    world = fetching.world
    faults = world.messages.note_fault(message.mid)
    if faults >= MOST_FAULTS:
        cause = f"{OUR_FAULT} (tried {faults} times)"
        refuse_message(message, PROMPT_UNAVAILABLE, cause, world.clock.now_msec(), messages=world.messages)
        fetching.on_given_up()
        return None
    if faults and apart is not Apart.MESSAGE:
        with suppress(Exception):  # then it has to wait where it is
            world.ask_for(message, place, Apart.MESSAGE)
            return None
    return fault_seconds(faults) if faults else None


def most_of_an_account(consumers: int) -> int:
    """How many attempts an account may have at once: half of all, rounded up; so, of 2 or more, never all."""
    return max(1, (consumers + 1) // 2)


def most_at_a_host(consumers: int) -> int:
    """How many attempts there may be at a host at once: a third of all, rounded up.

    So an account has some left for another host when one hangs.
    """
    return max(1, (consumers + 2) // 3)


def turn_seconds(received: int, apart: Apart, uniform: Uniform) -> int:
    """Seconds until a job without a place looks again; longer each time (`received`), drawn between half and the whole.

    So many waiting jobs cost little. Jobs that are apart wait longer, since none waits behind them.
    """
    first, growth, most = (4.0, 1.6, LONGEST_TURN_SECONDS) if apart else (3.0, 1.3, 10.0)
    longest = min(most, first * growth ** min(received - 1, 20))
    return round(uniform(longest / 2, longest))


def _fetch(message: Message, one: Introduction, received: int, apart: Apart, fetching: Fetching) -> int | Apart | None:
    """Makes one introduction of a message, if need be. In: as `fetch_prompt`.

    Out: seconds until the queue hands the job out again; an `Apart`: it has to be queued again in that group; None:
    nothing is left to be tried, and the message can be prepared, or refused.
    """
    world, now = fetching.world, fetching.world.clock.now_msec()
    try:
        all_known = find_prompts(message, [one, *filter(None, map(heard_part, one.parts))], world)
        if not has_to_be_made(one, all_known, message, now):
            return None
        known = all_known[one.name]
        if is_of_other_parts(one, all_known):
            # What it was before is not played after a failure, which would have it joined again at once, for ever.
            known = known._replace(source=known.source._replace(checked_msec=0))
    except PromptUnavailable:  # one of its parts; preparing the message says so
        return None
    if known.trying.since_msec is not None and now - known.trying.since_msec >= FRESH_MSEC:
        known = known._replace(trying=Trying())  # too old to say anything about now
    # It was tried already, or waits for its host: in a group of the account's it would hold up the others again.
    if apart is Apart.NO and known.trying != Trying():
        return Apart.URL
    if apart is not Apart.NO and now < (known.trying.next_msec or 0):
        # Whole seconds, rounded up.
        return -(-((known.trying.next_msec or 0) - now) // 1000)
    with _places(message, one, fetching) as lacking:
        if lacking is None:
            wait = _attempt(known, message.account_id, _fetch_of(one, all_known, fetching), fetching)
            return Apart.URL if wait is not None and apart is Apart.NO else wait
    if lacking is fetching.at_hosts and apart is Apart.NO and received >= MOST_LOOKS:
        # With this moment noted, the other jobs of this introduction go apart at once.
        world.prompts.put(message.account_id, known._replace(trying=Trying(since_msec=now)))
        return Apart.URL
    return turn_seconds(received, apart, fetching.uniform)


@contextmanager
def _places(message: Message, one: Introduction, fetching: Fetching) -> Iterator[Places | None]:
    """Takes the places that an attempt needs, and gives them back afterwards.

    Out: the `Places` of which none was free; None: it has all.
    """
    now, held, lacking = fetching.world.clock.now_msec(), [], None
    wanted = [(fetching.of_accounts, f"prompts of {message.account_id}")]
    if is_url(one.name):
        wanted.append((fetching.at_hosts, f"prompts at {destination(one.name)}"))
    try:
        for places, name in wanted:
            place = places.take(name, now)
            if place is None:
                lacking = places
                break
            held.append((places, name, place))
        yield lacking
    finally:
        for places, name, place in held:
            places.give_back(name, place)


def _attempt(known: KnownPrompt, account_id: str, fetch: Fetch, fetching: Fetching) -> int | None:
    """One attempt with what `fetching` has. Out: seconds until the next one; None: none is needed."""
    world = fetching.world
    return attempt(
        known,
        account_id,
        fetch,
        prompts=world.prompts,
        workshop=fetching.workshop,
        clock=world.clock,
        on_given_up=fetching.on_given_up,
    )


def _fetch_of(one: Introduction, known: Mapping[str, KnownPrompt], fetching: Fetching) -> Fetch:
    """How an introduction's audio is had: joined, spoken or fetched. `known`: of it and of its parts, by name."""
    if one.parts:
        return lambda _name, _etag, _last_modified: _joined(one, known, fetching)
    if (say := one.say) is not None:
        return lambda _name, _etag, _last_modified: Fetched(fetching.sources.speak(say))
    return fetching.sources.fetch


def _joined(one: Introduction, known: Mapping[str, KnownPrompt], fetching: Fetching) -> Fetched:
    """The file made by joining the parts of an introduction. Raises PromptUnavailable if a part cannot be had."""
    prompts = prompts_of_parts(one, known)
    read = functools.cache(fetching.sources.read)
    audio = iter([read(prompt.uri) for prompt in prompts])
    pieces = [part.msec if isinstance(part, Pause) else next(audio) for part in one.parts]
    whole = [piece for piece in pieces if piece is not None]
    if len(whole) < len(pieces):
        raise PromptUnavailable("the audio of one of its parts is not there any more")
    # By this digest `has_to_be_made` sees later whether a part has other audio by then.
    return Fetched(join(whole, fetching.world.encoding), etag=made_of(prompts))
