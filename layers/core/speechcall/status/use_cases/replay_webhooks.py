"""Webhooks that have ended are sent again: one, those of a message, or those that were given up for an account."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.shared.rules.errors import NotFound, NotReplayable
from speechcall.shared.use_cases.clock import Clock
from speechcall.status.use_cases.read_status import StatusStore, history_of
from speechcall.webhooks.rules.delivery import MAX_ATTEMPTS, UNDELIVERED, Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.deliver_webhook import WebhookQueue

if TYPE_CHECKING:
    from speechcall.api.rules.answers import Replayed


class EndedDeliveries(Protocol):
    """The deliveries that can begin again."""

    def replay(self, task: WebhookTask, delivery: Delivery, now_msec: int) -> WebhookTask | None:
        """Makes a delivery that has ended pending again, with all its attempts before it; out: its task, to be queued.

        None: it is not as it was read.
        """


def obstacle(delivery: Delivery) -> str | None:
    """Why a delivery cannot begin again, in words that follow "This webhook"; None: it can."""
    if delivery.state is DeliveryState.PENDING:
        return "is still being tried"
    if delivery.has_secret_digits:
        return "has told sensitive digits, which are erased when it has ended"
    if len(delivery.attempts) >= MAX_ATTEMPTS:
        return f"has been tried {len(delivery.attempts)} times, and that is enough"
    return None


def replay(
    found: Iterable[tuple[WebhookTask, Delivery]], *, deliveries: EndedDeliveries, queue: WebhookQueue, clock: Clock
) -> list[str]:
    """Lets deliveries begin again, at once and with the whole schedule of attempts; out: their ids.

    Those that cannot begin again are passed over. One that could not be queued waits for `wake_webhooks`, a quarter of
    an hour. The first error is raised when all have been tried.
    """
    begun: list[str] = []
    errors: list[Exception] = []
    for task, delivery in found:
        try:
            if obstacle(delivery) is None and (again := deliveries.replay(task, delivery, clock.now_msec())):
                begun.append(task.event_id)
                queue.again(again, 0)
        except Exception as error:  # noqa: BLE001 - the next one has nothing to do with it
            errors.append(error)
    if errors:
        raise errors[0]
    return begun


def replay_of_message(
    account: Account,
    mid: str,
    webhook_id: str | None,
    *,
    store: StatusStore,
    deliveries: EndedDeliveries,
    queue: WebhookQueue,
    clock: Clock,
) -> "Replayed":
    """POST /bat/message/{messageId}/webhooks/replay: all that were given up, or the one named, whatever became of it.

    Raises NotFound, NotReplayable, and as `replay`.
    """
    every = history_of(account, mid, store).webhooks(clock.now_msec())
    chosen = [one for one in every if one[1].state in UNDELIVERED]
    if webhook_id is not None:
        chosen = [one for one in every if one[0].event_id == webhook_id]
        if not chosen:
            raise NotFound("This message has no webhook of this id.")
        if why := obstacle(chosen[0][1]):
            raise NotReplayable(f"This webhook {why}.")
    return {"messageId": mid, "replayed": replay(chosen, deliveries=deliveries, queue=queue, clock=clock)}
