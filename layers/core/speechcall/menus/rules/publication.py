"""Under which name a state machine is published."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOGGING: Mapping[str, Any] = {"level": "OFF", "includeExecutionData": False}


@dataclass(frozen=True, slots=True)
class Publication:
    """A definition ready to be created: `name` says all that makes it differ from another."""

    name: str
    definition: str
    role_arn: str


def publication(definition: Mapping[str, Any], role_arn: str, prefix: str) -> Publication:
    """Name and text of a definition; the name is `prefix` (8 hex) and 40 hex of a SHA-256.

    CreateStateMachine is idempotent for the same name, definition, role and logging (Step Functions
    API reference), so the hash is over all of these.
    """
    text = json.dumps(definition, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    whole = json.dumps([text, role_arn, dict(LOGGING)], separators=(",", ":"), sort_keys=True)
    return Publication(f"{prefix}-{hashlib.sha256(whole.encode()).hexdigest()[:40]}", text, role_arn)
