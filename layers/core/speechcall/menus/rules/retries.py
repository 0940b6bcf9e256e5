"""Which failures of a state are tried again, how often and after how long."""

from typing import Any

from speechcall.menus.rules.integration import LAMBDA_ERRORS
from speechcall.shared.rules.errors import retryable_error_names
from speechcall.shared.rules.time_bounds import (
    COMMAND_RETRIES,
    RETRY_FACTOR,
    RETRY_FIRST_SECONDS,
    RETRY_LONGEST_SECONDS,
)


def retry_command(but: str = "") -> list[dict[str, Any]]:
    """The Retry of a state that invokes a function of ours; `but`: an error that is not tried again."""
    names = [name for name in [*retryable_error_names(), *LAMBDA_ERRORS] if name != but]
    return [retry_of(names, COMMAND_RETRIES)]


def retry_of(errors: list[str], attempts: int) -> dict[str, Any]:
    """One retrier."""
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": RETRY_FIRST_SECONDS,
        "BackoffRate": RETRY_FACTOR,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": RETRY_LONGEST_SECONDS,
    }
