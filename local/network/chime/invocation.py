"""How a SIP media application invokes its function: an answer within 5 s, else once more; after 20 s the call is over.

Source: Amazon Chime SDK developer guide, "Understanding timeouts and retries". An invocation that fails
is tried once again. Whether a retry has the event's own Sequence is not documented: here it has.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.network.chime.settings import Fault
from local.network.chime.switch import Switch

if TYPE_CHECKING:
    from local.network.shared.clock import Timer


class Invocation:
    """One event on its way. `answered` gets the first answer, `failed` why there will be none; one of them, once."""

    def __init__(
        self,
        switch: Switch,
        event: dict[str, Any],
        answered: Callable[[Any], None],
        failed: Callable[[str], None],
        function_arn: str,
    ) -> None:
        self._switch, self._event, self._function_arn = switch, event, function_arn
        self._answered, self._failed = answered, failed
        self._lock = threading.Lock()
        self._is_over = False
        self._tries = self._errors = 0
        self._timers: list[Timer] = []

    def begin(self) -> None:
        """Send the event."""
        settings = self._switch.settings
        self._timers = [
            self._switch.clock.after(settings.retry_seconds, self._try),
            self._switch.clock.after(settings.give_up_seconds, lambda: self._end(None, "no answer in time")),
        ]
        self._try()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self._end(None, "")

    def _try(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._tries += 1
            befalls = self._switch.settings.fault
            fault = befalls(str(self._event["InvocationEventType"]), self._tries) if befalls else Fault()
        for delay in fault.delays:
            if delay:
                self._switch.clock.after(delay, lambda: self._spawn(fault.echo))
            else:
                self._spawn(fault.echo)

    def _spawn(self, echo: float | None) -> None:
        self._switch.workers.spawn("chime-function", lambda: self._run(echo))

    def _run(self, echo: float | None) -> None:
        try:
            answer = self._switch.invoke(self._function_arn, self._event)
        except Exception as error:  # noqa: BLE001 - whatever befell the function, to the service it is one error
            with self._lock:
                self._errors += 1
                again = self._errors == 1
            if again:
                self._try()
            else:
                self._end(None, f"{type(error).__name__}: {error}")
            return
        self._end(answer, None)
        if echo is not None:
            self._switch.clock.after(echo, self._spawn_echo)

    def _spawn_echo(self) -> None:
        invoke = self._switch.invoke
        self._switch.workers.spawn("chime-echo", lambda: invoke(self._function_arn, self._event))

    def _end(self, answer: Any, problem: str | None) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        for timer in self._timers:
            timer.cancel()
        if problem is None:
            self._answered(answer)
        elif problem:
            self._failed(problem)
