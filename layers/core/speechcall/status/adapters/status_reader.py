"""What a status event says, read where it is sent; and where it goes."""

import json
import logging
from typing import TYPE_CHECKING, Any

from speechcall.calls.adapters.call_items import load_call
from speechcall.messages.adapters import message_items
from speechcall.messages.adapters.status_items import OUTCOME
from speechcall.messages.rules.status_event import StatusKind
from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.shared.adapters.keys import CALLS, MESSAGE, delivery_key, list_ends_key
from speechcall.shared.adapters.table import Values, read_item
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.unforeseen import told
from speechcall.status.adapters.call_prices import prices_of
from speechcall.status.adapters.history_store import read_partition
from speechcall.status.use_cases.status import History
from speechcall.status.use_cases.status_event import (
    EndedList,
    Facts,
    describe_event,
    describe_list_event,
    describe_unreadable,
)
from speechcall.webhooks.rules.webhook import Notice, WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.messages.rules.fallback import FallbackState

logger = logging.getLogger(__name__)


class DynamoNotices:
    """The notices of status events."""

    def __init__(self, client: "DynamoDBClient", messages_table: str, registry_table: str) -> None:
        self._client, self._messages, self._registry = client, messages_table, registry_table
        self._rates = DynamoRates(client, registry_table)

    def find(self, task: WebhookTask) -> Notice | None:
        """What is sent for the task of a status event; None: what it tells of is not there any more.

        Raises StoreUnavailable.
        """
        if task.key == StatusKind.LIST:
            return self._of_list(task.mid)
        items = read_partition(self._client, self._messages, task.mid)
        event_place = delivery_key(task.mid, task.event_id)["sk"]
        message = next((item for item in items if item["sk"] == MESSAGE), None)
        event = next((item for item in items if item["sk"] == event_place), None)
        if message is None or event is None:
            return None
        body = _body(items, message, _facts(event), self._rates)
        return Notice(event["account_id"], message["status_url"], _json(body), message.get("simulated", False))

    def _of_list(self, list_id: str) -> Notice | None:
        """What is sent for a list that has ended; None: its item (`list_ends_key`) is gone."""
        item = read_item(self._client, self._registry, list_ends_key(list_id))
        if item is None:
            return None
        ended = EndedList(
            list_id=list_id,
            account_id=item["account_id"],
            status_url=item["status_url"],
            total=item["total"],
            finished_msec=item["finished_msec"],
            is_simulated=item.get("simulated", False),
            outcomes={
                name.removeprefix(OUTCOME): count for name, count in sorted(item.items()) if name.startswith(OUTCOME)
            },
        )
        return Notice(ended.account_id, ended.status_url, _json(describe_list_event(ended)), ended.is_simulated)


def _facts(event: Values) -> Facts:
    """What the item of an event's delivery says of the moment at which the event happened."""
    return Facts(
        kind=event["key"],
        attempt=event["call_attempt"],
        at_msec=event["event_msec"],
        outcome=event.get("event_outcome"),
        reason=event.get("event_reason"),
        again_msec=event.get("again_msec"),
        fallback=_fallback(event) if "event_fallback" in event else None,
    )


def _fallback(event: Values) -> "FallbackState":
    from speechcall.messages.rules.fallback import FallbackState, FallbackStatus  # noqa: PLC0415, few messages have one

    status = FallbackStatus(event["event_fallback"])
    at_msec = event["event_msec"] if event["key"] == StatusKind.FALLBACK else None
    return FallbackState(status, event.get("event_fallback_reason"), at_msec)


def _body(items: list[Values], message: Values, facts: Facts, rates: DynamoRates) -> Any:
    """The body of an event of a message. In: all items of its partition; that of the message; what the event says.

    Where the message or a call of it cannot be read, the body has no calls. Raises StoreUnavailable.
    """
    try:
        calls = [load_call(item) for item in items if item["sk"].startswith(CALLS)]
        loaded = message_items.load(message)
        history = History(loaded, calls, (), prices=prices_of(rates, loaded.number, calls, facts.at_msec))
        return describe_event(history, facts)
    except StoreUnavailable:  # the rates could not be read: it is tried again, rather than told without its calls
        raise
    except Exception as error:  # noqa: BLE001 - what cannot be read stays so, and its sender is to be told that it ended
        logger.error("a message is told of without its calls: %s", told(error), extra={"mid": message["mid"]})
        return describe_unreadable(message["mid"], str(message["list_id"]), str(message.get("recipient", "")), facts)


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
