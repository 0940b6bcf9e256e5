"""Mends each minute what nobody heard of."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from speechcall.application.dial_messages import execution_input
from speechcall.application.ports import Clock, MessageStore
from speechcall.domain.ids import holder
from speechcall.domain.message import State

logger = logging.getLogger(__name__)

PREPARE_AGAIN_SECONDS = 300
CALL_CHECK_SECONDS = 26 * 60
PAGE = 200


@dataclass(frozen=True, slots=True)
class Mended:
    """How many messages had to be helped on."""

    prepared_again: int
    finished: int


def sweep(
    *,
    messages: MessageStore,
    start: Callable[[str, str, dict[str, Any]], bool],
    finish: Callable[[str, int], object],
    clock: Clock,
) -> Mended:
    """Helps on messages that stand in a state for longer than they can.

    Preparing: touched, so that the table's stream names it again. Calling: its execution is started
    by `start` (flow ARN, name, input), which does nothing if it runs and answers False if it has
    ended; then `finish` (message id, attempt) is run. What goes wrong with one message is logged, and
    tried again the next minute.
    """
    now = clock.now_msec()
    stuck = messages.due(State.PREPARING, now, PAGE)
    for mid in stuck:
        messages.postpone(mid, State.PREPARING, now + PREPARE_AGAIN_SECONDS * 1000)
    finished = 0
    for mid in messages.due(State.CALLING, now, PAGE):
        try:
            finished += _mend_call(mid, messages, start, finish, now)
        except Exception:
            logger.exception("message %s could not be mended", mid)
    return Mended(len(stuck), finished)


def _mend_call(
    mid: str,
    messages: MessageStore,
    start: Callable[[str, str, dict[str, Any]], bool],
    finish: Callable[[str, int], object],
    now_msec: int,
) -> bool:
    """Whether a call had to be finished."""
    message = messages.get(mid)
    if message is None or message.state is not State.CALLING or message.flow_arn is None:
        return False
    name = holder(mid, message.attempt)
    if start(message.flow_arn, name, execution_input(message, message.attempt)):
        messages.postpone(mid, State.CALLING, now_msec + CALL_CHECK_SECONDS * 1000)
        return False
    finish(mid, message.attempt)
    return True
