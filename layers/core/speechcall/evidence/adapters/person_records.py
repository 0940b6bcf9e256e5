"""What is kept of people: in the table Messages, found by the digest of the number."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from speechcall.evidence.use_cases.person_ports import Erased
from speechcall.messages.adapters.message_items import shard_lists
from speechcall.messages.rules.message import State
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.keys import (
    CALLS,
    DELIVERIES,
    MESSAGE,
    contact_key,
    message_key,
    mid_of,
    person_partition,
)
from speechcall.shared.adapters.table import ConditionFailed, from_wire, read_items, store_errors, to_wire
from speechcall.status.adapters.history_store import DynamoHistory, read_partition
from speechcall.webhooks.rules.delivery import DeliveryState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE, ENDED_PAGE = 100, 20
_STATES_IN_ORDER = (State.PREPARING, State.QUEUED, State.CALLING, State.SETTLING, State.QUEUED)
"""QUEUED twice, since messages come back to it: one that is put off during a pass would be passed over."""
_SHARDS = tuple(shard for state in _STATES_IN_ORDER for part in shard_lists(state) for shard in part)
"""The parts of the index `due` in which all messages are that have not ended, in the order in which they move."""
_ENDED = len(_SHARDS)
"""The number of the part behind all these, which is the last: the ended messages."""


class DynamoPersonRecords:
    """A `PersonRecords` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", messages_table: str, lists: DynamoLists) -> None:
        self._client, self._table, self._lists = client, messages_table, lists

    def page(self, account_id: str, digest: str, cursor: str) -> tuple[list[str], str]:
        """As `PersonRecords.page`. The cursor holds which part of the indexes is read (from 0), and where in it.

        First the parts of the index `due`, of all accounts: its messages are read to see whose they are. Last the ended
        messages, which have an index by account and digest.
        """
        part_index, start = json.loads(cursor) if cursor else (0, None)
        given: dict[str, Any] = {"ExclusiveStartKey": to_wire(start)} if start else {}
        if part_index < _ENDED:
            asked = {"IndexName": "due", "KeyConditionExpression": "due_shard = :part", "Limit": PAGE}
            part = _SHARDS[part_index]
        else:
            asked = {"IndexName": "order", "KeyConditionExpression": "order_pk = :part", "Limit": ENDED_PAGE}
            part = person_partition(account_id, digest)
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                ExpressionAttributeValues=to_wire({":part": part}),
                **asked,  # type: ignore[arg-type]
                **given,
            )
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in map(from_wire, page["Items"]) if item["sk"] == MESSAGE]
        mids = [mid_of(key["pk"]) for key in keys]
        if part_index < _ENDED and keys:
            found = read_items(self._client, self._table, keys)
            mids = [
                item["mid"]
                for item in found
                if item.get("account_id") == account_id and item.get("number_digest") == digest
            ]
        if last := page.get("LastEvaluatedKey"):
            return mids, json.dumps([part_index, from_wire(last)])
        return mids, json.dumps([part_index + 1, None]) if part_index < _ENDED else ""

    def pending_webhooks(self, mid: str, now_msec: int) -> int:
        history = DynamoHistory(self._client, self._table).read(mid)
        # Of a key that has just been pressed the webhook may stand in its queue, and have no item yet.
        found = history.webhooks(now_msec) if history else []
        return sum(delivery.state is DeliveryState.PENDING for _, delivery in found)

    def erase(self, mid: str) -> Erased:
        """As `PersonRecords.erase`: first contacts, which the calls name, then all its other items, the message last.

        So a repeat finds what is left; it counts only that. The caller has seen that the message has ended, for good:
        this is not looked at first.

        worker   deletes contacts ── calls and deliveries ── killed
        worker                             finds the message still ──► deletes the rest ── the message
        end      TransactWrite, a second end of the message ──X it is finished
        """
        items = read_partition(self._client, self._table, mid)
        calls = [item for item in items if item["sk"].startswith(CALLS)]
        keys = [contact_key(item["contact_id"]) for item in calls if item.get("contact_id")]
        keys += [{"pk": item["pk"], "sk": item["sk"]} for item in items if item["sk"] != MESSAGE]
        for key in keys:
            with store_errors():
                self._client.delete_item(TableName=self._table, Key=to_wire(key))
        it_has_ended = "#state = :finished AND attribute_not_exists(settling_end)"
        try:
            with store_errors():
                self._client.delete_item(
                    TableName=self._table,
                    Key=to_wire(message_key(mid)),
                    ConditionExpression=it_has_ended,
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=to_wire({":finished": State.FINISHED.value}),
                )
        except ConditionFailed:
            pass  # It is gone: another worker was quicker. (It has ended for good, so nothing else fails here.)
        return Erased(
            calls=len(calls),
            webhooks=sum(item["sk"].startswith(DELIVERIES) for item in items),
            last_call_msec=max((item["dialled_msec"] for item in calls), default=None),
        )

    def note_erased(self, mids_by_list: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """As `PersonRecords.note_erased`. Of a list that is gone all count as noted: no repeat can write them."""
        before: frozenset[str] = frozenset()
        for list_id, mids in mids_by_list.items():
            before |= self._lists.note_erased(list_id, mids)
        return before
