"""Records of the table's stream and of the queues, one at a time."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from speechcall.shared.adapters.keys import mid_of

Record = Mapping[str, Any]


def message_id(record: Record) -> str:
    """The message that a record of the table's stream is about."""
    return mid_of(record["dynamodb"]["Keys"]["pk"]["S"])


def sequence_number(record: Record) -> str:
    """What names a record in a partial batch answer: stream sequence number or queue message id."""
    return str(record["dynamodb"]["SequenceNumber"] if "dynamodb" in record else record["messageId"])


def group_of(record: Record) -> str | None:
    """The group of a FIFO queue whose messages are handled in their order."""
    group = record.get("attributes", {}).get("MessageGroupId")
    return str(group) if group else None


def process_each(
    event: Mapping[str, Any], process: Callable[[Record], None], logger: logging.Logger | Any
) -> dict[str, Any]:
    """Processes each record; the answer names those that failed, so that only they come again.

    A stream goes on from the first that failed (Lambda developer guide, "Reporting batch item
    failures"), so processing a record twice must be harmless. What follows a failure in the same group of
    a FIFO queue is left for after it.
    """
    failures = []
    blocked = set()
    for record in event["Records"]:
        group = group_of(record)
        try:
            if group not in blocked:
                process(record)
                continue
        except Exception:
            logger.exception("a record could not be processed")
            if group is not None:
                blocked.add(group)
        failures.append({"itemIdentifier": sequence_number(record)})
    return {"batchItemFailures": failures}
