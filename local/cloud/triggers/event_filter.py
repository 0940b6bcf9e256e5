"""EventBridge's pattern language, which Lambda's event filters speak too."""

import json
from collections.abc import Mapping
from typing import Any

from moto.events.models import EventPattern


class EventFilter:
    """Patterns of which one must match; without any pattern everything does."""

    def __init__(self, patterns: list[dict[str, Any]]) -> None:
        self._patterns = [EventPattern(None, pattern) for pattern in patterns]

    @classmethod
    def of_mapping(cls, properties: Mapping[str, Any]) -> "EventFilter":
        """The filter of an event source mapping: its FilterCriteria, where a pattern is JSON text."""
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return cls([json.loads(each["Pattern"]) for each in filters])

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether `event` (JSON alone) gets through."""
        return not self._patterns or any(pattern.matches_event(event) for pattern in self._patterns)  # type: ignore[arg-type]
