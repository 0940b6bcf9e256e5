"""A receiver as docs/webhooks.md has it: it verifies, takes each webhook once, and keeps what it is told.

Nothing of the product is used here: whoever has read that page alone could have written it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOLERANCE_SECONDS = 300


@dataclass
class StatusReceiver:
    """What is kept of messages and lists."""

    secret: str
    seen: set[str] = field(default_factory=set)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, list[Any]] = field(default_factory=dict)
    """Of each message: what its keys have sent."""
    attempts: dict[str, set[int]] = field(default_factory=dict)
    repeated: int = 0

    def receive(self, headers: Mapping[str, str], body: bytes, now_seconds: float) -> int:
        """The status to answer with. Header names are lower-case."""
        if not self._is_theirs(headers, body, now_seconds):
            return 401
        if headers["webhook-id"] in self.seen:
            self.repeated += 1
            return 204
        self.seen.add(headers["webhook-id"])
        told = json.loads(body)
        match told.get("event"):
            case None:
                self.keys.setdefault(told["mid"], []).append(told["action"])
            case "list":
                self.lists[told["messagelistId"]] = told
            case "attempt":
                self.attempts.setdefault(told["messageId"], set()).add(told["attempt"])
                known = self.messages.get(told["messageId"])
                if known is None or (known["event"] == "attempt" and known["attempt"] < told["attempt"]):
                    self.messages[told["messageId"]] = told
            case "final":
                known = self.messages.get(told["messageId"])
                if known is None or known["event"] != "fallback":
                    self.messages[told["messageId"]] = told
            case "fallback":
                self.messages[told["messageId"]] = told
        return 204

    def _is_theirs(self, headers: Mapping[str, str], body: bytes, now_seconds: float) -> bool:
        timestamp = headers["webhook-timestamp"]
        if abs(now_seconds - int(timestamp)) > TOLERANCE_SECONDS:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        content = b".".join([headers["webhook-id"].encode(), timestamp.encode(), body])
        right = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        return any(hmac.compare_digest(right, one) for one in headers["webhook-signature"].split(" "))
