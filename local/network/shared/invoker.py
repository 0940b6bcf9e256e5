"""How a provider, or AWS, invokes a function of ours."""

from collections.abc import Callable
from typing import Any

Invoker = Callable[[str, dict[str, Any]], Any]
"""Runs a function (name or ARN) on an event; what it returns. Raises FunctionError."""


class FunctionError(Exception):
    """A handler raised: `error_type` is the exception's class, as Step Functions matches it."""

    def __init__(self, error_type: str, message: str, stack_trace: list[str] | None = None) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack_trace = stack_trace or []
