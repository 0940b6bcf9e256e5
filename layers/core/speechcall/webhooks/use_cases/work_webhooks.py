"""Works off the queues of webhooks, so that what a delivery meets has a recorded end, and blocks nothing behind it.

first attempts ─► delivered ─ raises ─► recorded as an attempt ─ not even that ─► handed over to the retries
(in order)        the function is killed, again and again ──────────────────────► handed over
retries        ─► delivered ─ raises ─► recorded as an attempt ─ not even that ─► raised: the queue brings it again
                  brought again and again ─► given up, by one write that needs nothing to be read
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.rules.unforeseen import told
from speechcall.webhooks.rules.delivery import (
    INTERNAL_ERROR,
    OUR_NETWORK,
    Attempt,
    DeliveryState,
    NotRecorded,
    is_current,
)
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.deliver_webhook import DeliveryResult, Sending

logger = logging.getLogger(__name__)

MAX_FIRST_RECEIVES = 3
"""So often a first attempt is begun whose function is killed; those behind it wait three minutes each time."""
MAX_RECEIVES = 15
"""So often a retry is begun that leaves no record, within about 45 minutes; the queue itself gives up after 20."""
MAX_SENT_RECEIVES = 5
"""So often a retry is sent whose failure cannot be written down."""
HANDED_OVER_SECONDS = 15
_ENDED = (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DEAD)
_FOUND_ENDED = ("ended", "recorded")


@dataclass(frozen=True, slots=True)
class WebhookWork:
    """What handles one message of either queue."""

    sending: Sending
    tell_of: Callable[[WebhookTask, DeliveryResult], object] = lambda _task, _result: None
    """Called once with what came of each task; not where its work raises."""

    def do(self, task: WebhookTask, *, receives: int, is_first: bool) -> str:
        """Tries a webhook once. Out: the word of `DeliveryResult`. Raises what keeps a retry from being recorded.

        `receives`: how often the queue has brought this message, this time too (from 1). `is_first`: it came from the
        queue of first attempts, not from that of the retries.
        """
        result = self._do(task, receives, is_first)
        if result.word in _ENDED or result.skipped in _FOUND_ENDED:
            self.sending.forget_digits(task)
        self.tell_of(task, result)
        return result.word

    def _do(self, task: WebhookTask, receives: int, is_first: bool) -> DeliveryResult:
        """The work of `do`. What was brought too often is handed to the retries; a retry is given up (`dead`).

        An error is recorded as an attempt. Where it is not (see `_try_to_record`), a first attempt is handed to the
        retries, and of a retry the error is raised.
        """
        if is_first and receives > MAX_FIRST_RECEIVES:
            return self._hand_over(task, 0)
        if not is_first and receives > MAX_RECEIVES:
            return self._finish(task, self._attempt(INTERNAL_ERROR), DeliveryState.DEAD)
        try:
            return self.sending.deliver(task)
        except Exception as error:
            logger.error("a webhook met an error: %s", told(error.__cause__ or error), extra=_fields(task, error))
            if result := self._try_to_record(task, error, is_last=not is_first and receives >= MAX_SENT_RECEIVES):
                return result
            if is_first:
                return self._hand_over(task, HANDED_OVER_SECONDS)
            raise

    def _try_to_record(self, task: WebhookTask, error: Exception, *, is_last: bool) -> DeliveryResult | None:
        """Records the attempt that met an error. Out: what came of the task; None: it is not recorded.

        An attempt that was made, and could not be written down (NotRecorded), is written only where it ends the
        delivery: by its own state, or as the last one (`is_last`). Else the webhook is sent once more. Where the
        delivery has moved on from the task's version, the attempt was recorded before. Never raises: an error is
        logged.
        """
        try:
            if isinstance(error, NotRecorded):
                if error.state is not DeliveryState.PENDING:
                    return self._finish(task, error.attempt, error.state)
                return self._finish(task, error.attempt, DeliveryState.DEAD) if is_last else None
            found = self.sending.deliveries.find(task.mid, task.event_id)
            if found is None:
                return None
            delivery = found[1]
            if not is_current(delivery, task):
                # The attempt is recorded: what failed came after that.
                made = delivery.attempts[-1] if delivery.attempts else None
                number, destination = len(delivery.attempts), delivery.destination
                return DeliveryResult("none", None, destination, made, number, delivery.next_msec, skipped="recorded")
            word = OUR_NETWORK if isinstance(error, RetryableError) else INTERNAL_ERROR
            return self.sending.settle(task, delivery, self._attempt(word))
        except Exception as another:  # noqa: BLE001 - the first error is the one that is told
            cause = another.__cause__ or another
            logger.error("its attempt was not recorded: %s", told(cause), extra=task.log_fields)
            return None

    def _hand_over(self, task: WebhookTask, seconds: int) -> DeliveryResult:
        self.sending.queue.again(task, seconds)
        return DeliveryResult("handedOver", next_msec=self.sending.clock.now_msec() + seconds * 1000)

    def _finish(self, task: WebhookTask, attempt: Attempt, state: DeliveryState) -> DeliveryResult:
        if self.sending.deliveries.finish(task, attempt, state):
            return DeliveryResult(state.value, attempt=attempt)
        return DeliveryResult("none", skipped="ended")

    def _attempt(self, word: str) -> Attempt:
        return Attempt(self.sending.clock.now_msec(), 0, None, word)


def _fields(task: WebhookTask, error: Exception) -> dict[str, object]:
    """The fields of a log line about an error; what an attempt came to that was not recorded is said nowhere else."""
    made = error.attempt if isinstance(error, NotRecorded) else None
    return task.log_fields | ({"status": made.status, "error": made.error} if made else {})
