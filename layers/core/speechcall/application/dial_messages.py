"""Takes a line for each message that is due, and starts its state machine."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from speechcall.application.ports import Claim, Clock, LinesFull, LineTaken, MessageStore, Pool, TooSoon
from speechcall.domain.errors import RetryableError
from speechcall.domain.ids import holder
from speechcall.domain.message import Menu, Message, State

logger = logging.getLogger(__name__)

PAGE = 100
AGAIN_SECONDS = 20
"""For how long a message that could not be dialled makes room for the others in the due index."""


class Flows(Protocol):
    """The published state machines."""

    def publish(self, menus: tuple[Menu, ...]) -> str:
        """The ARN of the machine for these menus, creating it when it is new. RetryableError."""

    def start(self, flow_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        """Starts an execution. True: it runs, whoever started it; False: it has ended before."""


def dial_messages(
    named: Iterable[str],
    *,
    messages: MessageStore,
    flows: Flows,
    pool: Pool,
    clock: Clock,
    time_left: Callable[[], float],
) -> int:
    """Dials the messages that wait for a line: the named ones first, then those in the due index.

    Stops when the lines are full, when none is left, or when `time_left` (seconds) runs out; waits
    for the rate's next free moment, never longer. Any number of copies may run. What goes wrong
    with one message is logged, and the message tried again 20 s later at the earliest. Returns the
    number of calls started.
    """
    started = 0
    for mid in _candidates(named, messages, clock):
        if time_left() <= 0:
            break
        try:
            claim = _dial(mid, messages, flows, pool, clock, time_left)
        except RetryableError as error:
            logger.warning("message %s could not be dialled now: %s", mid, error)
            _put_off(mid, messages, clock)
            continue
        except Exception:
            logger.exception("message %s could not be dialled", mid)
            _put_off(mid, messages, clock)
            continue
        if isinstance(claim, LinesFull | TooSoon):
            break
        started += isinstance(claim, LineTaken)
    return started


def _put_off(mid: str, messages: MessageStore, clock: Clock) -> None:
    """The due index is read from its head: a hundred messages that wait for Step Functions must not stand there."""
    try:
        messages.postpone(mid, State.QUEUED, clock.now_msec() + AGAIN_SECONDS * 1000)
    except Exception:
        logger.exception("message %s could not be put off", mid)


def execution_input(message: Message, attempt: int) -> dict[str, Any]:
    """The input of an execution, from the stored message alone: a second start is the same start."""
    waits = {f"m{index}": ask.wait_seconds for index, ask in enumerate(message.asks)}
    return {"mid": message.mid, "attempt": attempt, "waits": waits}


def _candidates(named: Iterable[str], messages: MessageStore, clock: Clock) -> Iterator[str]:
    seen: set[str] = set()
    page: Iterable[str] = named
    while True:
        fresh = [mid for mid in dict.fromkeys(page) if mid not in seen]
        if not fresh and page is not named:
            return
        seen.update(fresh)
        yield from fresh
        page = messages.due(State.QUEUED, clock.now_msec(), PAGE)


def _dial(
    mid: str, messages: MessageStore, flows: Flows, pool: Pool, clock: Clock, time_left: Callable[[], float]
) -> Claim | None:
    message = messages.get(mid)
    if message is None or message.state is not State.QUEUED:
        return None
    # Published before a line is taken: a line never waits for Step Functions' throttle.
    flow_arn = flows.publish(message.menus)
    claim = messages.claim_line(message, flow_arn, pool, clock.now_msec())
    while isinstance(claim, TooSoon):
        wait = max(claim.next_msec - clock.now_msec(), 1) / 1000
        if wait > time_left():
            return claim
        clock.sleep(wait)
        claim = messages.claim_line(message, flow_arn, pool, clock.now_msec())
    if isinstance(claim, LineTaken):
        attempt = message.attempt + 1
        flows.start(flow_arn, holder(mid, attempt), execution_input(message, attempt))
    return claim
