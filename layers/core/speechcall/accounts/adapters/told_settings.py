"""What the audit trail tells of an account's settings: those that change, without what may be secret in them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from speechcall.outbound.rules.destination import destination
from speechcall.shared.rules.spelling import in_camel_case

Settings = Mapping[str, Any]


def told(before: Settings, after: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that are not the same, as they were and as they are, by their names in camel case.

    Those of a new account (`before` has none) are all new.
    """
    changed = [name for name in after if name not in before or before[name] != after[name]]
    return _shown(before, changed), _shown(after, changed)


def _shown(settings: Settings, names: list[str]) -> dict[str, Any]:
    return {in_camel_case(name): _value(name, settings[name]) for name in names if name in settings}


def _value(name: str, value: Any) -> Any:
    """What is told of a setting's value. A URL's path may hold a secret; texts and promises are long: of these the
    digest is told. An empty value is told as it is.
    """
    if not value:
        return value
    if name == "status_url":
        return f"{destination(value)} ({_digest(value)})"
    if name == "requires":
        return f"{len(json.loads(value))} promises ({_digest(value)})"
    if name == "call_back":
        return {member: _digest(text) for member, text in value.items()}
    return value


def _digest(value: str) -> str:
    """Enough to see that something has changed."""
    return f"sha256 {hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
