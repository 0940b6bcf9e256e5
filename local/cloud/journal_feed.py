"""Tells the journal what the Messages table's stream and the API's answers say about the messages."""

import json
import threading
from collections.abc import Callable
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer

from local.cloud.triggers.stream_reader import StreamReader
from local.common.journal import Journal
from speechcall.menus.rules.written_menus import written_menus
from speechcall.messages.adapters.message_items import state_of
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.messages.rules.message import State
from speechcall.shared.adapters.keys import CALLS, MESSAGE, mid_of
from speechcall.shared.rules.json_text import dump_json

STOP_SECONDS = 0.8
_BATCH = 1000


class JournalFeed:
    """Reads the stream with a position of its own, as one more mapping would."""

    def __init__(self, stream_arn: str, journal: Journal) -> None:
        self._journal = journal
        self._reader = StreamReader(stream_arn)
        self._thread = threading.Thread(target=self._run, name="journal-feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._reader.stop()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while records := self._reader.read(_BATCH):
            for record in records:
                self._tell(record["dynamodb"])

    def _tell(self, change: dict[str, Any]) -> None:
        new, old = _item(change.get("NewImage")), _item(change.get("OldImage"))
        mid = mid_of(str(new.get("pk", "")))
        if new.get("sk") == MESSAGE:
            told = _told(new)
            if told != _told(old):
                self._journal.record("state", mid, **told, recipient=new.get("recipient"))
        elif str(new.get("sk", "")).startswith(CALLS) and new.get("seq") != old.get("seq"):
            command = new.get("command") or {}
            if command.get("kind") == "ask":
                self._journal.record("menu", mid, menu=int(command["menu"]), seq=int(new["seq"]))


def menus_told(messages_table: str) -> Callable[[str], str | None]:
    """What gives the menus of a message as JSON text, as the API gives them back; None where there is none."""
    messages = DynamoMessageReader(boto3.client("dynamodb"), messages_table)

    def told(mid: str) -> str | None:
        message = messages.get(mid)
        return dump_json(written_menus(message.menus)) if message else None

    return told


def tell_accepted(journal: Journal, answer: bytes) -> None:
    """One `accepted` entry for each message that an answer to POST /bat/messagelist has accepted."""
    for message in json.loads(answer).get("messages", []):
        if "messageId" in message:
            journal.record("accepted", str(message["messageId"]), recipient=message.get("recipient"))


def _told(item: dict[str, Any]) -> dict[str, Any]:
    """Where a message stands. While it settles nothing else is known of it."""
    if item and state_of(item) is State.SETTLING:
        return {"state": State.SETTLING.value, "outcome": None, "reason": None}
    return {name: item.get(name) for name in ("state", "outcome", "reason")}


def _item(image: dict[str, Any] | None) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in (image or {}).items() if value.keys().isdisjoint("B")}
