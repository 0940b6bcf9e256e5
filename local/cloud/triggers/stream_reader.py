"""Reads one DynamoDB stream from a position of its own."""

import base64
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from local.cloud.account import ACCOUNT, REGION
from local.cloud.moto_patches.dynamodb import STREAM_NEWS, one_request_at_a_time

LONGEST_WAIT = 1.0
"""Seconds after which a reader looks again although nothing was announced."""


class StreamReader:
    """One position in a stream. Made before anything is written, it sees everything.

    The records are taken from moto's table itself: through GetRecords, moto's serialiser costs a
    millisecond and more for each record and reader, with every other request to DynamoDB waiting.
    """

    def __init__(self, stream_arn: str, starting_position: str = "TRIM_HORIZON") -> None:
        self.stream_arn = stream_arn
        self._table = dynamodb_backends[ACCOUNT][REGION].get_table(table_of_stream(stream_arn))
        self.shard_id = self._shard.id
        self._position = 0 if starting_position == "TRIM_HORIZON" else len(self._shard.items)
        self._stopped = False

    def read(self, limit: int) -> list[dict[str, Any]]:
        """The next records, as Lambda would hand them over; waits for some, and returns none when told to stop."""
        while True:
            known = STREAM_NEWS.count
            if self._stopped:
                return []
            # A transaction that fails takes its records back before it lets anybody else in.
            with one_request_at_a_time():
                records = self._shard.items[self._position : self._position + limit]
            if records:
                self._position += len(records)
                return [self._as_lambda_gives_it(record.to_json()) for record in records]
            STREAM_NEWS.wait_beyond(known, LONGEST_WAIT)

    @property
    def _shard(self) -> StreamShard:
        if self._table.stream_shard is None:
            raise ValueError(f"the table of {self.stream_arn} has no stream")
        return self._table.stream_shard

    def stop(self) -> None:
        """End the wait that is under way, and every later one."""
        self._stopped = True
        STREAM_NEWS.tell()

    def _as_lambda_gives_it(self, record: Any) -> dict[str, Any]:
        change = {**record["dynamodb"]}
        created: datetime = change["ApproximateCreationDateTime"]
        change["ApproximateCreationDateTime"] = float(round(created.replace(tzinfo=UTC).timestamp()))
        result: dict[str, Any] = _json(
            {
                **record,
                "eventVersion": "1.1",
                "awsRegion": REGION,
                "dynamodb": change,
                "eventSourceARN": self.stream_arn,
            }
        )
        return result


def _json(value: Any) -> Any:
    """`value` as it stands in an event: bytes in base64, times as text."""
    if isinstance(value, dict):
        return {key: _json(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(element) for element in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def table_of_stream(stream_arn: str) -> str:
    """The table's name in `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`."""
    return stream_arn.split("/")[1]
