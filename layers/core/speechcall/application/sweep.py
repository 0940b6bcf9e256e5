"""Mends each minute what nobody heard of."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from speechcall.application.dial_messages import execution_input
from speechcall.application.message_ports import MessageStore
from speechcall.application.pool import PoolStore
from speechcall.application.ports import Clock
from speechcall.domain.ids import holder, parse_holder
from speechcall.domain.message import State
from speechcall.domain.outcome import EXPIRED

logger = logging.getLogger(__name__)

PREPARE_AGAIN_SECONDS = 300
CALL_CHECK_SECONDS = 26 * 60
PAGE = 200

Mend = Callable[[], None]
"""Mends one kind of thing, and counts what it mended."""


class Execution(Enum):
    """What became of an execution that should be running."""

    STARTED = "started"
    """Just now: nobody had started it before."""
    RUNS = "runs"
    ENDED = "ended"


def sweep(mends: Iterable[Mend]) -> None:
    """Runs each mend, whatever becomes of the others. Raises what went wrong, when all have run; safe to repeat."""
    errors: list[Exception] = []
    for mend in mends:
        try:
            mend()
        except Exception as error:  # noqa: BLE001 - the next one has nothing to do with it
            errors.append(error)
    if errors:
        raise ExceptionGroup("parts of the sweep failed", errors)


@dataclass(frozen=True, slots=True)
class Calls:
    """The mends of messages and of the lines that they hold.

    `start` (flow ARN, name, input) starts an execution that does not exist yet, `finish` (message id,
    attempt) ends a call, `count` (metric, number) tells of each thing that was mended. What goes wrong with
    one message is logged, and tried again the next minute.
    """

    messages: MessageStore
    lines: PoolStore
    start: Callable[[str, str, dict[str, Any]], Execution]
    finish: Callable[[str, int], object]
    clock: Clock
    count: Callable[[str, int], object]

    def mends(self) -> tuple[Mend, ...]:
        """All of them."""
        return (self.prepare_again, self.mend_calls, self.release_lines, self.expire)

    def prepare_again(self) -> None:
        """Messages that nobody prepares are touched, so that the table's stream names them again."""
        now = self.clock.now_msec()
        stuck = self.messages.due(State.PREPARING, now, PAGE)
        for mid in stuck:
            self.messages.postpone(mid, State.PREPARING, now + PREPARE_AGAIN_SECONDS * 1000)
        self.count("MessagesPreparedAgain", len(stuck))

    def mend_calls(self) -> None:
        """A call whose execution was never started is started; one whose execution has ended is finished."""
        for mid in self.messages.due(State.CALLING, self.clock.now_msec(), PAGE):
            try:
                self._mend_call(mid)
            except Exception:
                logger.exception("message %s could not be mended", mid)

    def _mend_call(self, mid: str) -> None:
        message = self.messages.get(mid)
        if message is None or message.state is not State.CALLING or message.flow_arn is None:
            return
        name = holder(mid, message.attempt)
        execution = self.start(message.flow_arn, name, execution_input(message, message.attempt))
        if execution is Execution.ENDED:
            self.finish(mid, message.attempt)
            self.count("CallsFinishedLate", 1)
            return
        self.messages.postpone(mid, State.CALLING, self.clock.now_msec() + CALL_CHECK_SECONDS * 1000)
        self.count("ExecutionsStartedLate", int(execution is Execution.STARTED))

    def release_lines(self) -> None:
        """A line whose call has ended is given back: of a message that is gone, or was changed by hand.

        The pool is read before the messages. An attempt leaves the pool with its state, and never comes
        back, so an attempt that stands in the pool and is found not to be calling holds no call.
        """
        released = 0
        for number, name in self.lines.read().held.items():
            mid, attempt = parse_holder(name)
            message = self.messages.get(mid)
            if message is None or message.state is not State.CALLING or message.attempt != attempt:
                released += self.lines.release(name, number)
        self.count("LinesReleased", released)

    def expire(self) -> None:
        """Messages whose time has run out while every line was taken, so that no dialer looked at them."""
        now, expired = self.clock.now_msec(), 0
        for mid in self.messages.due(State.QUEUED, now, PAGE):
            message = self.messages.get(mid)
            if message is not None and message.dial_until_msec <= now:
                expired += self.messages.refuse(mid, State.QUEUED, EXPIRED, None, now)
        self.count("MessagesExpired", expired)
