"""Records of the table's stream and of the queues, one at a time."""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from speechcall.shared.adapters.keys import CALLS, DELIVERIES, mid_of
from speechcall.shared.adapters.log_fields import Fields, failure_fields
from speechcall.shared.rules.ids import call_attempt_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Record = Mapping[str, Any]


def message_id(record: Record) -> str:
    """The message that a record of the table's stream is about."""
    return mid_of(record["dynamodb"]["Keys"]["pk"]["S"])


def sequence_number(record: Record) -> str:
    """What names a record in a partial batch answer: stream sequence number or queue message id."""
    return str(record["dynamodb"]["SequenceNumber"] if "dynamodb" in record else record["messageId"])


def group_of(record: Record) -> str | None:
    """The group of a record from a FIFO queue, whose messages are handled in order; None: it is from elsewhere."""
    group = record.get("attributes", {}).get("MessageGroupId")
    return str(group) if group else None


def stream_fields(record: Record) -> Fields:
    """What a record of the table's stream is about, by the keys of its item alone."""
    keys = record.get("dynamodb", {}).get("Keys", {})
    if "pk" not in keys:
        return {}
    found: dict[str, object] = {"mid": message_id(record)}
    sk = str(keys.get("sk", {}).get("S", ""))
    if sk.startswith(CALLS) and (attempt := sk.removeprefix(CALLS)).isdigit():
        found["attempt"] = int(attempt)
    if sk.startswith(DELIVERIES):
        name = sk.removeprefix(DELIVERIES)
        found |= {"webhook_id": name, "attempt": call_attempt_of(name)}
    return found


def _fields(fields_of: Callable[[Record], Fields], record: Record) -> Fields:
    """What a record that failed is about; nothing, where that is what cannot be read of it."""
    try:
        return fields_of(record)
    except Exception:  # noqa: BLE001 - the log would have the other records come again with it
        return {}


def process_each(
    event: Mapping[str, Any],
    process: Callable[[Record], None],
    logger: "logging.Logger | Logger",
    fields_of: Callable[[Record], Fields] = stream_fields,
) -> dict[str, list[dict[str, str]]]:
    """Processes each record; the answer names those that failed, so that only they come again.

    A stream continues from the first that failed (Lambda developer guide, "Reporting batch item
    failures"), so processing a record twice must be harmless. What follows a failure in the same group of
    a FIFO queue is left for after it. `fields_of` says what a record is about, for the log: by its names, never by
    its body.
    """
    failures = []
    blocked = set()
    for record in event["Records"]:
        group = group_of(record)
        try:
            if group not in blocked:
                process(record)
                continue
        except Exception as error:  # noqa: BLE001 - the other records have nothing to do with it
            about = _fields(fields_of, record)
            fields = {"record": sequence_number(record), **about, **failure_fields(error)}
            logger.error("a record could not be processed", extra=fields)
            if group is not None:
                blocked.add(group)
        failures.append({"itemIdentifier": sequence_number(record)})
    return {"batchItemFailures": failures}
