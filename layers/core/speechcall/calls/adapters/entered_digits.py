"""What callees have entered, for who sends it and for who erases it: in the entries of a call's log."""

import json
from typing import TYPE_CHECKING

from speechcall.calls.adapters.call_items import SEALED
from speechcall.calls.adapters.call_logs import CallLogs
from speechcall.calls.rules.end_of_call import is_over
from speechcall.menus.rules.call_log import Entry
from speechcall.shared.adapters.keys import call_key
from speechcall.shared.adapters.table import ConditionFailed, read_item, store_errors, to_wire
from speechcall.webhooks.adapters.seal import digits_seal
from speechcall.webhooks.rules.webhook import WebhookTask

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class EnteredDigits:
    """On DynamoDB. Sensitive digits are opened here for webhooks, and in `ask_receiver` for lookups; nowhere else."""

    def __init__(self, client: "DynamoDBClient", table: str, digits_key: str = "") -> None:
        """`digits_key`: of KMS, for who opens digits; who only erases needs none."""
        self._client, self._table = client, table
        self._calls = CallLogs(client, table)
        self._seal = digits_seal(digits_key)

    def of(self, task: WebhookTask) -> str | None:
        """What was entered for the question of a task; None: nothing was, no webhook tells it, or it is erased."""
        entry = self._entry(task)
        if entry and entry.sealed:
            return self._seal.unseal(task.mid, entry.sealed)
        return entry.digits if entry else None

    def erase(self, task: WebhookTask) -> None:
        """Erases the sealed digits that were entered for the question of a task. Nothing else of an entry is ever
        changed.

        webhook 1 of 2 ends   read: sealed ──► UpdateItem ──► erased
        webhook 2 ends             read: sealed ──► UpdateItem ──X it is not as it was read: erased already
        """
        item = read_item(self._client, self._table, call_key(task.mid, task.attempt)) or {}
        texts = item.get("log_entries", ())
        # An entry that is not there holds nothing to erase.
        before = texts[task.seq - 1] if 0 < task.seq <= len(texts) else "{}"
        left = {name: value for name, value in json.loads(before).items() if name != SEALED}
        as_it_was_read = f"log_entries[{task.seq - 1}] = :before"
        values = {":before": before, ":erased": json.dumps(left)}
        if SEALED not in json.loads(before):
            return
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(call_key(task.mid, task.attempt)),
                    UpdateExpression=f"SET log_entries[{task.seq - 1}] = :erased",
                    ConditionExpression=as_it_was_read,
                    ExpressionAttributeValues=to_wire(values),
                )
        except ConditionFailed:
            return

    def call_is_over(self, task: WebhookTask) -> bool:
        """Whether the call of a task has ended, or is not known any more: no lookup of it is made from now on."""
        call = self._calls.get(task.mid, task.attempt)
        return call is None or is_over(call)

    def _entry(self, task: WebhookTask) -> Entry | None:
        call = self._calls.get(task.mid, task.attempt)
        return call.entry(task.seq) if call else None
