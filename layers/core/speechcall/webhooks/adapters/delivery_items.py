"""How a webhook's delivery is written down: pk `M#<mid>`, sk `HOOK#<event id>`, and when it is due."""

from dataclasses import asdict

from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.table import Values
from speechcall.shared.rules.ids import shard_of
from speechcall.webhooks.rules.delivery import PATIENCE_MSEC, Attempt, Delivery, DeliveryState, Wait
from speechcall.webhooks.rules.webhook import NOWHERE, WebhookTask

_KEPT_SECONDS = 30 * 86_400
NEXT = "next_msec = :next, due_shard = :shard, due_at = :due"


def waiting(mid: str, wait: Wait) -> Values:
    """The values of `NEXT`."""
    return {":next": wait.next_msec, ":shard": shard(shard_of(mid)), ":due": wait.due_msec}


def shard(number: int) -> str:
    """The part of the due index that holds the pending deliveries of a shard (`shared.rules.ids`)."""
    return f"webhook#{number}"


def key(mid: str, event_id: str) -> Values:
    """The key of a delivery's item."""
    return {"pk": f"M#{mid}", "sk": f"HOOK#{event_id}"}


def names_of(item: Values) -> tuple[str, str]:
    """Message and event id out of an item's key."""
    return str(item["pk"]).removeprefix("M#"), str(item["sk"]).removeprefix("HOOK#")


def dump(task: WebhookTask, message: Message, place: str, now_msec: int) -> Values:
    """The item of a new delivery."""
    return {
        **key(task.mid, task.event_id),
        **{name: value for name, value in asdict(task).items() if name not in ("attempt", "version")},
        "call_attempt": task.attempt,
        "account_id": message.account_id,
        "destination": place,
        "delivery": DeliveryState.PENDING.value,
        "attempts": [],
        "version": 0,
        "expires_at": message.expires_at,
        "due_shard": shard(shard_of(task.mid)),
        "due_at": now_msec + PATIENCE_MSEC,
        "undelivered_shard": undelivered_shard(message.account_id),
    }


def ended(attempt: Attempt, state: DeliveryState) -> tuple[str, Values]:
    """The end of a delivery, whatever stands in its item: assignments and removals, and their values."""
    assignments = (
        "delivery = :ended, attempts = list_append(if_not_exists(attempts, :no_attempts), :attempts), "
        "version = if_not_exists(version, :none) + :one"
    )
    values = {":ended": state.value, ":no_attempts": [], ":attempts": [asdict(attempt)], ":none": 0, ":one": 1}
    if state is DeliveryState.DELIVERED:
        return f"{assignments} REMOVE due_shard, due_at, next_msec", values
    listed = "due_shard = if_not_exists(undelivered_shard, :unknown_shard), due_at = :due"
    values |= {":unknown_shard": undelivered_shard(""), ":due": attempt.at_msec + attempt.msec}
    return f"{assignments}, {listed} REMOVE next_msec", values


def begun_anyway(task: WebhookTask, attempt: Attempt) -> tuple[str, dict[str, str], Values]:
    """What the item of a delivery has at least, where it was not begun: assignments, their names and values.

    Its message could not be read, so its account and destination are not known.
    """
    members = {name: value for name, value in asdict(task).items() if name not in ("attempt", "version")}
    members |= {"call_attempt": task.attempt, "destination": NOWHERE, "account_id": ""}
    members["expires_at"] = attempt.at_msec // 1000 + _KEPT_SECONDS
    assignments = "".join(f"#{name} = if_not_exists(#{name}, :{name}), " for name in members)
    return assignments, {f"#{name}": name for name in members}, {f":{name}": value for name, value in members.items()}


def undelivered_shard(account_id: str) -> str:
    """The part of the due index that holds what was given up for an account."""
    return f"undelivered#{account_id}"


def load(item: Values) -> Delivery:
    """The delivery in an item."""
    return Delivery(
        state=DeliveryState(item["delivery"]),
        attempts=tuple(Attempt(**attempt) for attempt in item["attempts"]),
        version=item["version"],
        round_start=item.get("round_start", 0),
        waits=item.get("waits", 0),
        next_msec=item.get("next_msec"),
        destination=item["destination"],
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
