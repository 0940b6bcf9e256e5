"""When the sensitive digits of an entry are erased: as soon as nobody is to be told of them any more.

They are told by the webhooks of the list that ran for them, and by its lookup, if it ends with one. So the last of two
events erases them: the end of the last webhook, and for a list with a lookup also the end of the call, since no lookup
is made after that. Each of the two is written before the other is looked at, so one of them sees both:

      webhook   delivery ended ──► is the call over? no: it is left to finish_call
      call      ended ──► have all webhooks of the list ended? yes ──► erased
"""

from collections.abc import Callable
from typing import Protocol

from speechcall.menus.rules.call_log import COMPLETE
from speechcall.menus.rules.menu import INVALID, WRONG
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.ids import event_id
from speechcall.webhooks.rules.delivery import Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask, looks_up, tells_secret_digits, webhook_steps

OF_ENTRIES = (COMPLETE, INVALID, WRONG)
"""The lists that may run for digits."""


class Deliveries(Protocol):
    """The deliveries of webhooks, as far as this needs them."""

    def find(self, mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None: ...


def forget_digits(
    message: Message,
    task: WebhookTask,
    deliveries: Deliveries,
    is_over: Callable[[WebhookTask], bool],
    erase: Callable[[WebhookTask], object],
) -> None:
    """Erases the sensitive digits of the entry of a task, unless a webhook or a lookup of its list may yet tell them.

    `task`: of any step of the list that ran. `is_over`: whether its call has ended. Safe to repeat. Raises what
    `deliveries`, `is_over` and `erase` raise.
    """
    if task.key not in OF_ENTRIES or not tells_secret_digits(message, task):
        return
    for step in webhook_steps(message, task):
        name = event_id(task.mid, task.attempt, task.seq, task.menu, task.key, step)
        found = deliveries.find(task.mid, name)
        if found is None or found[1].state is DeliveryState.PENDING:
            return
    if looks_up(message, task) and not is_over(task):
        return
    erase(task)
