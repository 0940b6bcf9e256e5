"""What is counted of a call that has ended."""

from collections.abc import Callable
from typing import Any

from speechcall.adapters.metrics import count
from speechcall.domain.outcome import Outcome
from speechcall.domain.webhook import WebhookTask


def counting(finish: Callable[..., Outcome | None]) -> Callable[..., Outcome | None]:
    """`finish_call`, which counts how the call ended, when that is known."""

    def finish_and_count(*given: Any, **named: Any) -> Outcome | None:
        if outcome := finish(*given, **named):
            count("CallsEnded", outcome=outcome.outcome)
            count("CallEndReasons", reason=outcome.reason)
            count("PromptsNotPlayed", int(outcome.prompt_failed))
        return outcome

    return finish_and_count


def owing(first: Callable[[WebhookTask], object]) -> Callable[[WebhookTask], None]:
    """Queues a webhook that a state machine did not come to, and counts it. `first`: queues a first attempt."""

    def owe(task: WebhookTask) -> None:
        first(task)
        count("WebhooksOwed")

    return owe
