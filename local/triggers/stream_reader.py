"""Reads one DynamoDB stream from a position of its own, through the API."""

import base64
from datetime import datetime
from typing import Any

import boto3

from local.guards.dynamodb import STREAM_NEWS
from local.physical_names import REGION

LONGEST_WAIT = 1.0
"""Seconds after which a reader looks again although nothing was announced."""


class StreamReader:
    """One position in a stream. Made before anything is written, it sees everything."""

    def __init__(self, stream_arn: str, starting_position: str = "TRIM_HORIZON") -> None:
        self.stream_arn = stream_arn
        self._client = boto3.client("dynamodbstreams")
        shards = self._client.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]
        self.shard_id = shards[0]["ShardId"]
        position: Any = starting_position
        self._iterator = self._client.get_shard_iterator(
            StreamArn=stream_arn, ShardId=self.shard_id, ShardIteratorType=position
        )["ShardIterator"]
        self._stopped = False

    def read(self, limit: int) -> list[dict[str, Any]]:
        """The next records, as Lambda would hand them over; waits for some, and returns none when told to stop."""
        while not self._stopped:
            known = STREAM_NEWS.count
            answer = self._client.get_records(ShardIterator=self._iterator, Limit=limit)
            self._iterator = answer["NextShardIterator"]
            if answer["Records"]:
                return [self._as_lambda_gives_it(record) for record in answer["Records"]]
            STREAM_NEWS.wait_beyond(known, LONGEST_WAIT)
        return []

    def stop(self) -> None:
        """End the wait that is under way, and every later one."""
        self._stopped = True
        STREAM_NEWS.tell(0)

    def _as_lambda_gives_it(self, record: Any) -> dict[str, Any]:
        change = {**record["dynamodb"]}
        change["ApproximateCreationDateTime"] = float(round(change["ApproximateCreationDateTime"].timestamp()))
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
