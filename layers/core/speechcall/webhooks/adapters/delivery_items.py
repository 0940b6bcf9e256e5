"""How a webhook's delivery is written down: pk `M#<mid>`, sk `HOOK#<event id>`, and when it is due."""

from speechcall.messages.rules.message import Message
from speechcall.outbound.rules.destination import NOWHERE
from speechcall.shared.adapters.keys import WEBHOOK, delivery_key, due_shard, undelivered_shard
from speechcall.shared.adapters.table import Values
from speechcall.webhooks.rules.delivery import PATIENCE_MSEC, Attempt, Delivery, DeliveryState, Wait
from speechcall.webhooks.rules.webhook import WebhookTask, tells_secret_digits

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
_KEPT_SECONDS = 30 * 86_400
NEXT = "next_msec = :next, due_shard = :shard, due_at = :due"
"""The assignments of a delivery that waits; `waiting` gives their values."""


def waiting(mid: str, wait: Wait) -> Values:
    """The values of `NEXT`."""
    return {":next": wait.next_msec, ":shard": due_shard(WEBHOOK, mid), ":due": wait.due_msec}


def dump_attempt(attempt: Attempt) -> Values:
    """An attempt as a map."""
    return {"at_msec": attempt.at_msec, "msec": attempt.msec, "status": attempt.status, "error": attempt.error}


def _load_attempt(stored: Values) -> Attempt:
    return Attempt(stored["at_msec"], stored["msec"], stored.get("status"), stored.get("error"))


def _which_webhook(task: WebhookTask) -> Values:
    """What an item says of the key press and the action. `call_attempt` is the call's, `attempts` are the webhook's."""
    return {
        "mid": task.mid,
        "seq": task.seq,
        "menu": task.menu,
        "key": task.key,
        "step": task.step,
        "event_id": task.event_id,
        "call_attempt": task.attempt,
    }


def dump(task: WebhookTask, message: Message, goes_to: str, now_msec: int) -> Values:
    """The item of a new delivery. `goes_to`: its destination."""
    return {
        **delivery_key(task.mid, task.event_id),
        "v": FORM,
        **_which_webhook(task),
        "account_id": message.account_id,
        "destination": goes_to,
        "delivery": DeliveryState.PENDING.value,
        "attempts": [],
        "version": 0,
        "expires_at": message.expires_at,
        "due_shard": due_shard(WEBHOOK, task.mid),
        "due_at": now_msec + PATIENCE_MSEC,
        "undelivered_shard": undelivered_shard(message.account_id),
        **({"secret_digits": True} if tells_secret_digits(message, task) else {}),
    }


def ended(attempt: Attempt, state: DeliveryState) -> tuple[str, Values]:
    """The end of a delivery in `state`, after a last attempt: assignments with removals behind them, and their values.

    Whatever is in its item: also where it was not begun.
    """
    assignments = (
        "delivery = :ended, attempts = list_append(if_not_exists(attempts, :no_attempts), :attempts), "
        "version = if_not_exists(version, :none) + :one"
    )
    values = {":ended": state.value, ":no_attempts": [], ":attempts": [dump_attempt(attempt)], ":none": 0, ":one": 1}
    if state is DeliveryState.DELIVERED:
        return f"{assignments} REMOVE due_shard, due_at, next_msec", values
    listed, more = listed_as_given_up(attempt)
    return f"{assignments}, {listed} REMOVE next_msec", values | more


def listed_as_given_up(attempt: Attempt) -> tuple[str, Values]:
    """Lists a delivery that was given up for its account: assignments, and their values. Its `due_at` is when it ended.

    Where the account is not known (`begun_anyway`) no account's list shows it.
    """
    values = {":unknown_shard": undelivered_shard(""), ":due": attempt.at_msec + attempt.msec}
    return "due_shard = if_not_exists(undelivered_shard, :unknown_shard), due_at = :due", values


def begun_anyway(task: WebhookTask, attempt: Attempt) -> tuple[str, dict[str, str], Values]:
    """What the item of a delivery has at least, where it was not begun: assignments, their names and values.

    Others may follow the assignments, which end in a comma. Where the delivery was begun, they change nothing. Its
    message could not be read, so its account and destination are not known.
    """
    members = _which_webhook(task) | {"destination": NOWHERE, "account_id": ""}
    members["expires_at"] = attempt.at_msec // 1000 + _KEPT_SECONDS
    assignments = "".join(f"#{name} = if_not_exists(#{name}, :{name}), " for name in members)
    return assignments, {f"#{name}": name for name in members}, {f":{name}": value for name, value in members.items()}


def load(item: Values) -> Delivery:
    """The delivery in an item."""
    return Delivery(
        state=DeliveryState(item["delivery"]),
        attempts=tuple(_load_attempt(attempt) for attempt in item["attempts"]),
        version=item["version"],
        round_start=item.get("round_start", 0),
        waits=item.get("waits", 0),
        next_msec=item.get("next_msec"),
        destination=item["destination"],
        has_secret_digits=item.get("secret_digits", False),
    )


def load_task(item: Values) -> WebhookTask:
    """The webhook that a delivery item is about, as its latest version."""
    return WebhookTask(
        mid=item["mid"],
        attempt=item["call_attempt"],
        seq=item["seq"],
        menu=item["menu"],
        key=item["key"],
        step=item["step"],
        event_id=item["event_id"],
        version=item["version"],
    )
