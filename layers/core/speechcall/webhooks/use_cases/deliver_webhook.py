"""One attempt to deliver one webhook.

      task ─► delivery begun, or read ─► is it the task that counts? ─► its turn? ─► a place? ─► POST ─► recorded
                                            no: nothing is done         no: later    no: later            └─► queued

The table is the truth, and a queue only wakes: what a crash keeps from being queued is found by its due time
(`wake_webhooks`). A task names the delivery's version, and each change makes a new one, so of two that are
queued for the same delivery one finds itself overtaken. A crash between POST and record sends again what was sent.
A turn is a place among the attempts in flight to the destination, and one among those of the account; it is waited
for as long as MAX_TURN_WAITS says, and a webhook before it in the call as long as MAX_ORDER_WAITS does.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from speechcall.menus.rules.menu import Webhook
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import StatusKind
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.outbound.rules.destination import destination
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable
from speechcall.shared.rules.unforeseen import told
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.delivery import (
    FORBIDDEN_ADDRESS,
    INTERNAL_ERROR,
    MAX_ORDER_WAITS,
    MAX_TURN_WAITS,
    NO_TURN,
    OUR_NETWORK,
    Attempt,
    Delivery,
    DeliveryState,
    NotRecorded,
    Wait,
    after,
    is_current,
)
from speechcall.webhooks.rules.retry import Uniform, is_delivered, is_retryable, retry_after_seconds, turn_delay
from speechcall.webhooks.rules.webhook import (
    Notice,
    WebhookAnswer,
    WebhookRequest,
    WebhookTask,
    may_follow_others,
    may_tell_digits,
    notice_request,
    webhook_of,
    webhook_request,
)
from speechcall.webhooks.use_cases.delivery_ports import DeliveryStore
from speechcall.webhooks.use_cases.forget_digits import OF_ENTRIES, forget_digits

logger = logging.getLogger(__name__)


class Places(Protocol):
    """How many attempts are in flight to each destination, or for each account."""

    def take(self, destination: str, now_msec: int) -> str | None:
        """A place among those in flight, by a name to give it back; None: none can be had now."""

    def give_back(self, destination: str, name: str) -> None: ...


class WebhookQueue(Protocol):
    """What wakes a webhook for its next attempt."""

    def again(self, task: WebhookTask, delay_seconds: int) -> None: ...


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of a task: a word, for the metric, and what the log tells of it."""

    word: str
    """`delivered`, `retried`, `ourFault`, `failed`, `dead`, `handedOver`; `waited` for its turn; `none`: no work."""
    account_id: str | None = None
    destination: str | None = None
    attempt: Attempt | None = None
    number: int | None = None
    """Which attempt at this webhook it was, from 1; a wait is none."""
    next_msec: int | None = None
    """When the next attempt is due."""
    skipped: str | None = None
    """Why there was nothing to do: `messageGone`, `noSuchWebhook`, `ended`, `overtaken`, `recorded`."""


NoticeOf = Callable[[WebhookTask], Notice | None]
"""What is sent for the task of a status event; None: what it tells of is not there any more."""
DigitsOf = Callable[[WebhookTask], str | None]
"""What was entered for the question of a task; None: nothing was."""
Post = Callable[[WebhookRequest], WebhookAnswer]
"""Sends a request. Raises ForbiddenAddress, Unreachable."""
Sign = Callable[[str, WebhookRequest], WebhookRequest]
"""The request with the signature of an account (its id), where it has a secret."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What an attempt is made with."""

    messages: MessageStore
    deliveries: DeliveryStore
    places: Places
    """By destination."""
    of_accounts: Places
    """By account."""
    queue: WebhookQueue
    post: Post
    sign: Sign
    clock: Clock
    uniform: Uniform
    notice_of: NoticeOf = lambda _task: None
    digits_of: DigitsOf = lambda _task: None
    erase_digits: Callable[[WebhookTask], object] = lambda _task: None
    is_over: Callable[[WebhookTask], bool] = lambda _task: True
    """Whether the call of a task has ended, so that no lookup of it is made any more."""

    def deliver(self, task: WebhookTask) -> DeliveryResult:
        """Tries a webhook once; one that may yet arrive is queued for another attempt.

        Raises whatever its stores, its queue and `sign` raise, and NotRecorded.
        """
        if task.tells_status:
            return self._deliver_notice(task)
        message = self.messages.get(task.mid)
        if message is None:
            return DeliveryResult("none", skipped="messageGone")
        webhook = webhook_of(message, task)
        if webhook is None:
            return DeliveryResult("none", message.account_id, skipped="noSuchWebhook")
        now, goes_to = self.clock.now_msec(), destination(webhook.url)
        delivery = self.deliveries.begin(task, message, goes_to, now)
        if not is_current(delivery, task):
            return replace(self._not_current(delivery), account_id=message.account_id, destination=goes_to)
        make = partial(self._make, message, webhook, task)
        follows = partial(self._key_has_to_follow, task, message, delivery)
        result = self._try_once(task, delivery, message.account_id, make, follows, now, goes_to)
        return replace(result, account_id=message.account_id, destination=goes_to)

    def _make(self, message: Message, webhook: Webhook, task: WebhookTask, now_sec: int) -> WebhookRequest:
        """The request, with the digits that it tells: sensitive ones are opened only for it."""
        digits = self.digits_of(task) if may_tell_digits(message.menus[task.menu], task.key) else None
        return webhook_request(message, webhook, task.event_id, now_sec, digits)

    def forget_digits(self, task: WebhookTask) -> None:
        """Erases the sensitive digits that an ended webhook told, unless something else has yet to tell them.

        Safe to repeat, and repeated by every task that finds its delivery ended. Nothing is erased for a webhook that
        told no sensitive digits, or whose message is gone. Raises what the stores raise.
        """
        if task.key not in OF_ENTRIES:
            return
        message = self.messages.get(task.mid)
        if message is not None and webhook_of(message, task) is not None:
            forget_digits(message, task, self.deliveries, self.is_over, self.erase_digits)

    def _deliver_notice(self, task: WebhookTask) -> DeliveryResult:
        """As `deliver`, for a status event: its delivery was written together with the end that it tells of."""
        found = self.deliveries.find(task.mid, task.event_id)
        if found is None:
            return DeliveryResult("none", skipped="noSuchWebhook")
        stored, delivery = found
        if not is_current(delivery, task):
            return self._not_current(delivery)
        notice = self.notice_of(task)
        if notice is None:
            return DeliveryResult("none", skipped="messageGone")
        now, goes_to = self.clock.now_msec(), destination(notice.url)
        make = partial(notice_request, notice, task.event_id)
        follows = partial(self._notice_has_to_follow, stored, delivery)
        result = self._try_once(stored, delivery, notice.account_id, make, follows, now, goes_to)
        return replace(result, account_id=notice.account_id, destination=goes_to)

    def _try_once(
        self,
        task: WebhookTask,
        delivery: Delivery,
        account_id: str,
        make: Callable[[int], WebhookRequest],
        follows: Callable[[], bool],
        now: int,
        goes_to: str,
    ) -> DeliveryResult:
        """Makes one attempt of a current delivery, or puts it off while its turn has not come.

        `make`: the request at a moment (epoch seconds). `follows`: whether an earlier webhook has to be tried first.
        `now`: epoch milliseconds. `goes_to`: its destination.
        """
        if follows():
            return self._wait(task, delivery)
        request = self.sign(account_id, make(now // 1000))
        with self._turn(account_id, goes_to, now) as has_come:
            outcome = self._attempt(task, request) if has_come else None
        return self.settle(task, delivery, *outcome) if outcome else self._wait(task, delivery)

    @staticmethod
    def _not_current(delivery: Delivery) -> DeliveryResult:
        return DeliveryResult("none", skipped="overtaken" if delivery.state is DeliveryState.PENDING else "ended")

    def settle(
        self,
        task: WebhookTask,
        delivery: Delivery,
        attempt: Attempt,
        may_pass: bool = True,
        retry_after: int | None = None,
    ) -> DeliveryResult:
        """Records an attempt, and queues the next one, if there is one. Out: as `deliver`. Raises NotRecorded.

        `delivery`: as it was read. `may_pass`, `retry_after`: as of `after`. Where another task was first, nothing is
        recorded or queued.
        """
        state, delay = after(delivery, attempt, may_pass, retry_after, self.uniform)
        wait = None if delay is None else Wait.of(delay, self.clock.now_msec())
        if self._record(task, attempt, state, wait):
            self._again(task, wait)
        is_ours = attempt.error in (OUR_NETWORK, INTERNAL_ERROR)
        word = ("ourFault" if is_ours else "retried") if state is DeliveryState.PENDING else state.value
        number, next_msec = len(delivery.attempts) + 1, wait.next_msec if wait else None
        return DeliveryResult(
            word, destination=delivery.destination, attempt=attempt, number=number, next_msec=next_msec
        )

    def _key_has_to_follow(self, task: WebhookTask, message: Message, delivery: Delivery) -> bool:
        """Whether the webhook of a key has to wait for one that its call sent before, and which was not tried yet.

        Never once it was tried itself, or has waited MAX_ORDER_WAITS times.
        """
        if delivery.attempts or delivery.waits >= MAX_ORDER_WAITS or not may_follow_others(message, task):
            return False
        return self.deliveries.has_earlier_untried(task)

    def _notice_has_to_follow(self, task: WebhookTask, delivery: Delivery) -> bool:
        """Whether a status event has to wait for something of its message that comes before it, and was not tried yet.

        Never once it was tried itself, or has waited MAX_ORDER_WAITS times. That of a list waits for nothing: each of
        its messages has an order of its own.
        """
        if delivery.attempts or delivery.waits >= MAX_ORDER_WAITS or task.key == StatusKind.LIST:
            return False
        return self.deliveries.has_untried_before(task)

    @contextmanager
    def _turn(self, account_id: str, goes_to: str, now_msec: int) -> Iterator[bool]:
        """Takes a place at the destination `goes_to` and one for the account, and gives them back afterwards.

        Out: whether it has both. Without the second the first is given back all the same.
        """
        held: list[tuple[Places, str, str]] = []
        try:
            for places, name in ((self.places, goes_to), (self.of_accounts, f"account {account_id}")):
                taken = places.take(name, now_msec)
                if taken is None:
                    break
                held.append((places, name, taken))
            yield len(held) == 2
        finally:
            for places, name, taken in held:
                try:
                    places.give_back(name, taken)
                except Exception as error:  # noqa: BLE001 - it frees itself, and the attempt is what has to be recorded
                    logger.warning("a place was not given back: %s", told(error), extra={"place": name})

    def _wait(self, task: WebhookTask, delivery: Delivery) -> DeliveryResult:
        """Puts off a webhook that has no turn now, and queues it for later; where another task was first, it does not.

        After MAX_TURN_WAITS the wait is recorded as an attempt instead (`settle`).
        """
        now = self.clock.now_msec()
        if delivery.waits >= MAX_TURN_WAITS:
            return self.settle(task, delivery, Attempt(now, 0, None, NO_TURN))
        wait = Wait.of(turn_delay(delivery.waits, self.uniform), now)
        if self.deliveries.put_off(task, wait):
            self._again(task, wait)
        return DeliveryResult("waited", next_msec=wait.next_msec)

    def _record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        """Records an attempt, in two tries: an attempt that is not recorded is made again, and the receiver sees both.

        False: another task was first, or the first try was written although it failed. Either way the next attempt is
        not queued here, and `wake_webhooks` finds the delivery when it is due. Raises NotRecorded.
        """
        try:
            return self.deliveries.record(task, attempt, state, wait)
        except Exception as error:  # noqa: BLE001 - whatever it was, what the attempt came to is still to be written
            logger.warning("an attempt was not recorded at once: %s", told(error), extra=task.log_fields)
        try:
            return self.deliveries.record(task, attempt, state, wait)
        except Exception as error:
            raise NotRecorded(attempt, state) from error

    def _again(self, task: WebhookTask, wait: Wait | None) -> None:
        """Queues the task of the delivery's next version; a longer wait than a queue's is left to `wake_webhooks`.

        None: nothing is waited for, as the delivery has ended.
        """
        if wait and wait.queue_seconds is not None:
            self.queue.again(replace(task, version=task.version + 1), wait.queue_seconds)

    def _attempt(self, task: WebhookTask, request: WebhookRequest) -> tuple[Attempt, bool, int | None]:
        """Sends a request. Out: the attempt, whether its failure may pass, and the seconds that the receiver asks for.

        Never raises: what is unforeseen is logged, and is an attempt with INTERNAL_ERROR.
        """
        begin = self.clock.now_msec()
        status, error, may_pass, retry_after = None, None, True, None
        try:
            answer = self.post(request)
            status, may_pass = answer.status, is_retryable(answer.status)
            if not is_delivered(status):
                retry_after = retry_after_seconds(answer.retry_after, self.clock.now_msec() // 1000)
        except ForbiddenAddress:
            error, may_pass = FORBIDDEN_ADDRESS, False
        except Unreachable as failure:
            error, may_pass = failure.word, not failure.hopeless
            if failure.ours:
                error = OUR_NETWORK
        except Exception as unforeseen:  # noqa: BLE001 - an attempt that is not recorded would have no end
            logger.error("a webhook could not be sent: %s", told(unforeseen), extra=task.log_fields)
            error = INTERNAL_ERROR
        return Attempt(begin, self.clock.now_msec() - begin, status, error), may_pass, retry_after
