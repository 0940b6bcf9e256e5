"""Under which name a state machine is published."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Watching:
    """How Step Functions watches a machine. Data of executions are never logged: they hold what keys were pressed."""

    level: str = "OFF"
    log_group_arn: str = ""
    """With `:*` behind it; empty for the level OFF."""
    is_traced: bool = False

    @property
    def logging(self) -> dict[str, Any]:
        """As CreateStateMachine takes it."""
        place = {"cloudWatchLogsLogGroup": {"logGroupArn": self.log_group_arn}}
        where: dict[str, Any] = {} if self.level == "OFF" else {"destinations": [place]}
        return {"level": self.level, "includeExecutionData": False, **where}


UNWATCHED = Watching()


@dataclass(frozen=True, slots=True)
class Publication:
    """A definition ready to be created: `name` says all that makes it differ from another."""

    name: str
    definition: str
    role_arn: str


def publication(
    definition: Mapping[str, Any], role_arn: str, prefix: str, watching: Watching = UNWATCHED
) -> Publication:
    """Name and text of a definition; the name is `prefix` (8 hex) and 40 hex of a SHA-256.

    CreateStateMachine is idempotent for the same name, definition, role, logging and tracing (Step Functions
    API reference), so the hash is over all of these.
    """
    text = json.dumps(definition, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    traced = ["traced"] if watching.is_traced else []  # nothing where it is not: as releases before named them
    whole = json.dumps([text, role_arn, watching.logging, *traced], separators=(",", ":"), sort_keys=True)
    return Publication(f"{prefix}-{hashlib.sha256(whole.encode()).hexdigest()[:40]}", text, role_arn)
