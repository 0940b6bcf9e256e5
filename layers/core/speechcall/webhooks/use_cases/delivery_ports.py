"""Where the deliveries of webhooks are kept: on DynamoDB, and in memory for tests."""

from typing import Protocol

from speechcall.messages.rules.message import Message
from speechcall.webhooks.rules.delivery import Attempt, Delivery, DeliveryState, Wait
from speechcall.webhooks.rules.webhook import WebhookTask


class DeliveryStore(Protocol):
    """The deliveries of webhooks. Every change is one conditional write, and makes a new version.

    A pending delivery is due some time after its next attempt should have been: nothing that is pending is forgotten.
    """

    def begin(self, task: WebhookTask, message: Message, goes_to: str, now_msec: int) -> Delivery:
        """The delivery, written as pending if it is new. `goes_to`: its destination."""

    def record(self, task: WebhookTask, attempt: Attempt, state: DeliveryState, wait: Wait | None) -> bool:
        """Adds an attempt. False if the delivery is not pending in the task's version: then nothing is written."""

    def put_off(self, task: WebhookTask, wait: Wait) -> bool:
        """Notes that it waits for its turn. False as for `record`."""

    def has_earlier_untried(self, task: WebhookTask) -> bool:
        """Whether a webhook that the same call sent before this one has not been tried yet."""

    def has_untried_before(self, task: WebhookTask) -> bool:
        """Whether something of the same message that comes before this status event has not been tried yet."""

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        """A delivery, and the task of its version; None if it was not begun."""

    def finish(self, task: WebhookTask, attempt: Attempt, state: DeliveryState) -> bool:
        """Ends a delivery, begun or not, whatever else is written there. False if it has ended already."""
