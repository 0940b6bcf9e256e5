"""One attempt at the file of an introduction, recorded with its prompt before it begins, and when it has ended."""

import logging
from collections.abc import Callable
from hashlib import sha256

from speechcall.outbound.rules.address import is_url
from speechcall.prompts.rules.prompt import KnownPrompt, Source, Trying
from speechcall.prompts.use_cases.prompt_sources import Fetch, Fetched
from speechcall.prompts.use_cases.prompts import PromptStore, Workshop, failed
from speechcall.shared.rules.errors import PromptUnavailable, PromptUnreachable
from speechcall.shared.use_cases.clock import Clock

FRESH_MSEC = 3_600_000
"""The file behind a URL is asked for at most once in so long."""
STORED_MSEC = 30 * 86_400_000
"""Audio is made and stored again after so long, although its file is the same: it expires 90 days after it was stored
(template.yaml), and a message plays what it was prepared with for up to a month. A text is
spoken, and parts are joined, once in so long."""
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

logger = logging.getLogger(__name__)


def retry_seconds(attempt: int) -> int:
    """How long after a failed attempt (from 1) the next one is due."""
    return RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]


def fault_seconds(faults: int) -> int:
    """How long after so many faults of ours (from 1) it is tried again."""
    return FAULT_SECONDS[min(faults, len(FAULT_SECONDS)) - 1]


def attempt(
    known: KnownPrompt,
    account_id: str,
    fetch: Fetch,
    *,
    prompts: PromptStore,
    workshop: Workshop,
    clock: Clock,
    on_given_up: Callable[[], None],
) -> int | None:
    """Makes one attempt at an introduction, `known`, by `fetch`, and records it.

    Out: in how many seconds the next one is due; None: none is, since there is audio to be played, or it was given up.
    `on_given_up` is called where it is given up for a fault of our own. Raises what keeps the attempt from being
    recorded.
    """
    source = known.source
    # So many were begun, and the end of the last was never recorded: it has ended the function itself.
    if known.trying.is_open and known.trying.count >= LEAST_TRIES:
        lost = f"{OUR_FAULT} (tried {known.trying.count} times)"
        logger.error("audio was not made a prompt, and nothing told why: %s", lost, extra={"account": account_id})
        # What ends the function takes all its tries each time, in which messages wait: so that is seldom.
        stale = _to_be_played_again(known, clock.now_msec(), FRESH_MSEC)
        prompts.put(account_id, stale or failed(known, lost, clock.now_msec()))
        if stale is None:
            on_given_up()
        return None
    begun = known._replace(trying=known.trying.begun(clock.now_msec()))
    prompts.put(account_id, begun)
    # Without validators the whole file comes: there is no audio yet, or it has to be stored again.
    is_kept = known.prompt is not None and not _is_old(known, clock.now_msec())
    validators = (source.etag, source.last_modified) if is_kept else (None, None)
    wait, is_ours = None, False
    try:
        answer = fetch(known.name, *validators)
        made = _with_answer(known, answer, clock.now_msec(), workshop)
    except PromptUnavailable as error:
        made = failed(known, str(error), clock.now_msec())
    except Exception as error:  # noqa: BLE001 - one that may pass, or was not foreseen: it is recorded
        is_ours = not isinstance(error, PromptUnreachable)
        made, wait = _after_failure(begun, account_id, error, clock.now_msec())
    prompts.put(account_id, made)
    # Neither tried again nor to be played: it was given up.
    if is_ours and wait is None and made.source.failed_msec is not None:
        on_given_up()
    return wait


def _after_failure(
    begun: KnownPrompt, account_id: str, error: Exception, now_msec: int
) -> tuple[KnownPrompt, int | None]:
    """What is known of an introduction after a failure that may pass, and in how many seconds it is tried again.

    `begun`: what was known, with this attempt counted. `error`: PromptUnreachable is the source's, any other a fault of
    ours. None: it is not tried again, since it is given up, or its audio from before does for a while.
    """
    trying = begun.trying
    is_theirs = isinstance(error, PromptUnreachable)
    if not is_theirs:
        logger.error("audio could not be made a prompt", exc_info=error, extra={"account": account_id})
    if stale := _to_be_played_again(begun, now_msec):
        return stale, None
    too_long = trying.count >= LEAST_TRIES and now_msec - (trying.since_msec or 0) >= GIVE_UP_MSEC
    if is_theirs and (trying.count > len(RETRY_SECONDS) or too_long):
        return failed(begun, f"{error} (asked {trying.count} times)", now_msec), None
    if not is_theirs and trying.count >= MOST_FAULTS:
        return failed(begun, f"{OUR_FAULT} (tried {trying.count} times)", now_msec), None
    wait = retry_seconds(trying.count) if is_theirs else fault_seconds(trying.count)
    return begun._replace(trying=trying.ended(now_msec + wait * 1000)), wait


def _to_be_played_again(known: KnownPrompt, now_msec: int, fresh_msec: int = STALE_FRESH_MSEC) -> KnownPrompt | None:
    """What is known after a failure that may pass, where there is a prompt from the day before; None: there is none.

    `fresh_msec`: for how long it is fresh then. It is to be played, so a failure from before counts no more: it would
    refuse each message that finds this fresh.
    """
    if known.prompt is None or now_msec - known.source.checked_msec >= STALE_MSEC:
        return None
    source = known.source._replace(fresh_until_msec=now_msec + fresh_msec, failed_msec=None, cause=None)
    return known._replace(source=source, trying=Trying())


def _is_old(known: KnownPrompt, now_msec: int) -> bool:
    """Whether an introduction's audio has to be stored again, so that it does not expire while it is used."""
    return now_msec - known.stored_msec >= STORED_MSEC


def _with_answer(known: KnownPrompt, answer: Fetched, now_msec: int, workshop: Workshop) -> KnownPrompt:
    """What is known after the source's answer: the same audio is kept, other or old audio is made and stored.

    Raises PromptUnavailable, and what `workshop` raises.
    """
    known = known._replace(trying=Trying())
    source = Source(
        etag=answer.etag,
        last_modified=answer.last_modified,
        sha256=known.source.sha256,
        checked_msec=now_msec,
        fresh_until_msec=now_msec + (FRESH_MSEC if is_url(known.name) else STORED_MSEC),
    )
    if answer.content is None:
        if known.prompt is None:
            raise PromptUnavailable("the host says that the audio has not changed, and it was never had")
        validators = (answer.etag or known.source.etag, answer.last_modified or known.source.last_modified)
        return known._replace(source=source._replace(etag=validators[0], last_modified=validators[1]))
    is_the_same = known.source.sha256 == sha256(answer.content).hexdigest()
    if known.prompt is not None and is_the_same and not _is_old(known, now_msec):
        return known._replace(source=source)
    prompt, source_sha256 = workshop.make(answer.content)
    return known._replace(prompt=prompt, stored_msec=now_msec, source=source._replace(sha256=source_sha256))
