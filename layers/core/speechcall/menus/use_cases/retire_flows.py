"""Deletes the state machines that no message has used for sixty days."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, assert_never

from speechcall.menus.rules.retirement import FlowUse, Step, next_step, part_of
from speechcall.shared.rules.errors import RetryableError

logger = logging.getLogger(__name__)

BATCH = 100
"""As many items as DynamoDB gives in one request."""


class FlowUses(Protocol):
    """What is known of the machines' use. Each change is refused (False) where somebody was faster.

    Raises RetryableError where it cannot be read or written.
    """

    def of(self, names: Sequence[str]) -> Mapping[str, FlowUse]: ...
    def count_from(self, name: str, arn: str, now_msec: int) -> bool: ...
    def mark(self, name: str, use: FlowUse, now_msec: int) -> bool: ...
    def begin_deletion(self, name: str, use: FlowUse, now_msec: int) -> bool: ...
    def give_up_deletion(self, name: str) -> None: ...
    def forget(self, name: str) -> None: ...


@dataclass
class Retired:
    """What one run did."""

    seen: int = 0
    marked: int = 0
    deleted: int = 0


def retire_flows(
    machines: Iterable[tuple[str, str]],
    part: int,
    *,
    uses: FlowUses,
    delete: Callable[[str], None],
    now_msec: Callable[[], int],
    time_left: Callable[[], float],
) -> Retired:
    """Takes one step for each of `machines` (name and ARN) that belongs to `part` (see `part_of`), while time is left.

    `time_left`: in seconds. A RetryableError about one machine, from `delete` or a change of `uses`, is logged: that
    machine is left to a later run, and the next is looked at. One is raised where `uses` cannot be read.
    """
    done, ours = Retired(), (one for one in machines if part_of(one[0]) == part)
    while time_left() > 0 and (group := list(islice(ours, BATCH))):
        known = uses.of([name for name, _ in group])
        for name, arn in group:
            if time_left() <= 0:
                break
            done.seen += 1
            try:
                _take(name, arn, known.get(name), uses, delete, now_msec(), done)
            except RetryableError as error:
                logger.warning("the state machine %s waits for another run: %s", name, error)
    return done


def _take(
    name: str,
    arn: str,
    use: FlowUse | None,
    uses: FlowUses,
    delete: Callable[[str], None],
    now: int,
    done: Retired,
) -> None:
    """One step of one machine, counted in `done`. `use` None: nothing is known of it. Raises RetryableError.

    retire     unused for 60 days ──► mark                      a day later: begin ──X the mark is gone
    a dialer                              sees the mark ──► takes it away, uses the machine

    retire     … begin ──► DeleteStateMachine ──► forget
    a dialer           sees that it goes: the message waits ──► finds nothing: creates it again

    retire     … begin ──X it died
    a dialer           the message waits ──► ten minutes later: creates it again, which finds it, and notes a new item
    retire             a day later: begin again ──X the item is another
    """
    match next_step(use, now):
        case Step.KEEP:
            pass
        case Step.COUNT:
            uses.count_from(name, arn, now)
        case Step.MARK:
            done.marked += use is not None and uses.mark(name, use, now)
        case Step.DELETE:
            if use is not None and uses.begin_deletion(name, use, now):
                _delete(name, arn, uses, delete)
                done.deleted += 1
        case step:
            assert_never(step)


def _delete(name: str, arn: str, uses: FlowUses, delete: Callable[[str], None]) -> None:
    """Deletes a machine, then its item. One that cannot be deleted now (RetryableError, raised on) stays marked."""
    try:
        delete(arn)
    except RetryableError:
        uses.give_up_deletion(name)
        raise
    uses.forget(name)
