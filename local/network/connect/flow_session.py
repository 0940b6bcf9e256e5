"""The contact flow's run in one call: does what the flow wants done and tells it what came of it.

A session holds no thread while it plays or listens: a timer or a key wakes it. Each effect of the
flow is a turn with a number; a request with the number of an earlier turn comes too late. What a
block plays and hears follows the Amazon Connect administrator guide, "Get customer input", "Store customer input" and
"Play prompt".
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from local.network.connect.exchange import Exchange
from local.network.connect.flow import Flow
from local.network.connect.flow_runner import (
    Entered,
    Failed,
    FlowStuckError,
    Gather,
    Invoke,
    Listen,
    Outcome,
    Play,
    Played,
    Pressed,
    Prompt,
    Silence,
    walk,
)
from local.network.connect.invocation import CHAIN_SECONDS, contact_flow_event, invoke_function
from local.network.shared.phone import Phone
from local.network.shared.prompts import file_seconds, speech_seconds

if TYPE_CHECKING:
    from local.network.shared.clock import Timer


class Call(Protocol):
    """What the session sees of its contact."""

    id: str
    phone: Phone
    attributes: dict[str, str]
    initiated_by: str

    def record(self, kind: str, **details: Any) -> None: ...
    def end(self, reason: str) -> bool: ...


class FlowSession:
    """Runs the flow once. The contact's `phone.changed` guards its state and is held by who calls it."""

    def __init__(self, exchange: Exchange, call: Call, flow: Flow) -> None:
        self._exchange = exchange
        self._call = call
        self._phone = call.phone
        self._steps = walk(flow, self._facts(), forgets_external=exchange.settings.forgets_external)
        self._turn = 0
        self._timer: Timer | None = None
        self._closed = False
        self._gather: Gather | None = None
        self._entered = ""
        """What was pressed so far in a block that gathers keys."""
        self._silent_since = time.monotonic()

    def begin(self) -> None:
        """Start the flow."""
        self._advance_in_thread(None)

    def close(self) -> None:
        """The call is over: nothing more happens, whatever is still under way."""
        self._closed = True
        self._close_input()

    def press(self, key: str) -> bool:
        """A key. It cuts the prompt short and is the input block's result; False if no such block is active."""
        if not self._phone.input_open:
            return False
        self._call.record("key", key=key, block=self._phone.input_block)
        if self._gather is not None:
            self._take(key, self._gather)
            return True
        self._close_input()
        self._advance_in_thread(Pressed(key))
        return True

    def _take(self, key: str, gather: Gather) -> None:
        """One more key of several: it cuts the prompt short, and the next one is awaited anew."""
        self._cancel_timer()
        self._phone.playing = False
        self._entered += key
        is_ended = self._entered.endswith(gather.ending)
        if is_ended or len(self._entered) >= gather.most:
            self._close_input()
            self._advance_in_thread(Entered(self._entered.removesuffix(gather.ending if is_ended else "")))
            return
        self._phone.changed.notify_all()
        if self._exchange.settings.input_timer:
            self._set_timer(self._turn, gather.between_seconds, self._end_silence)

    def fail_input(self, then: Callable[[], object]) -> bool:
        """An input block takes its Error branch; `then` happens once that is reported. False: none is active."""
        if not self._phone.input_open:
            return False
        self._close_input()
        turn = self._turn = self._turn + 1

        def fail() -> None:
            with self._phone.changed:
                effect = None if self._is_over(turn) else self._steps.send(Failed())
            if isinstance(effect, Invoke):
                self._invoke(turn, effect)
            then()

        self._exchange.workers.spawn(f"contact-{self._call.id}", fail)
        return True

    def outwait(self) -> bool:
        """Silence until the time limit; False if no input block is active."""
        if not self._phone.input_open:
            return False
        self._end_silence()
        return True

    def _facts(self) -> Mapping[str, str]:
        return {
            "ContactId": self._call.id,
            "InitialContactId": self._call.id,
            "InstanceARN": self._exchange.settings.instance_arn,
            "Channel": "VOICE",
            "CustomerEndpoint.Address": self._phone.number,
            "SystemEndpoint.Address": self._phone.caller_id,
            **{f"Attributes.{name}": value for name, value in self._call.attributes.items()},
        }

    def _advance_in_thread(self, outcome: Outcome | None) -> None:
        turn = self._turn
        self._exchange.workers.spawn(f"contact-{self._call.id}", lambda: self._advance(turn, outcome))

    def _advance(self, turn: int, outcome: Outcome | None) -> None:
        """From what came of turn `turn`, go on until the flow waits or ends."""
        while True:
            with self._phone.changed:
                if self._is_over(turn):
                    return
                self._cancel_timer()
                turn = self._turn = turn + 1
                try:
                    # A generator takes None alone to begin with.
                    effect = next(self._steps) if outcome is None else self._steps.send(outcome)
                except StopIteration:
                    self._call.end("CONTACT_FLOW_DISCONNECT")
                    return
                except FlowStuckError as error:
                    self._call.record("flow_error", message=str(error))
                    self._call.end("CONTACT_FLOW_DISCONNECT")
                    return
            if isinstance(effect, Invoke):
                outcome = self._invoke(turn, effect)
            elif (seconds := self._seconds(effect.prompt)) is None:
                outcome = Failed()
            else:
                self._begin_prompt(turn, effect, seconds / self._exchange.settings.playback)
                return

    def _invoke(self, turn: int, effect: Invoke) -> Outcome:
        """Run the function in this thread. When its time is up the flow goes on without it, in another."""
        limit = min(float(effect.limit_seconds), self._silent_since + CHAIN_SECONDS - time.monotonic())
        if limit <= 0:
            return self._function_failed(f"invocations took {CHAIN_SECONDS:g} s without a prompt between them")
        self._set_timer(turn, limit, lambda: self._advance_in_thread(self._function_failed("no answer in time")))
        event = contact_flow_event(
            contact_id=self._call.id,
            instance_arn=self._exchange.settings.instance_arn,
            number=self._phone.number,
            caller_id=self._phone.caller_id,
            attributes=self._call.attributes,
            parameters=effect.parameters,
            initiated_by=self._call.initiated_by,
        )
        outcome = invoke_function(self._invoke_once, effect.function_arn, event, limit)
        with self._phone.changed:
            # One that comes too late has been reported as such.
            if isinstance(outcome, Failed) and not self._is_over(turn):
                self._function_failed(outcome.reason)
        return outcome

    def _invoke_once(self, function_arn: str, event: dict[str, Any]) -> Any:
        answer = self._exchange.invoke(function_arn, event)
        if self._exchange.chance.happens(self._exchange.chance.faults.answers_lost):
            raise ConnectionError("the answer was lost")
        return answer

    def _function_failed(self, message: str) -> Failed:
        self._call.record("function_failed", message=message)
        return Failed(message)

    def _seconds(self, prompt: Prompt | None) -> float | None:
        """How long the prompt is; None if Connect could not play it."""
        if prompt is None or prompt.uri is None:
            return speech_seconds(prompt.speech or "") if prompt else 0.0
        try:
            return file_seconds(self._exchange.prompts.read(prompt.uri))
        except Exception as error:  # noqa: BLE001 - whatever keeps the sound from the caller, to the block it is one error
            self._call.record("prompt_failed", uri=prompt.uri, message=f"{type(error).__name__}: {error}")
            return None

    def _begin_prompt(self, turn: int, effect: Play | Listen | Gather, seconds: float) -> None:
        """The phone hears a prompt, and may press keys meanwhile where the block listens; it ends by a timer."""
        with self._phone.changed:
            if self._is_over(turn):
                return
            listens = not isinstance(effect, Play)
            self._gather, self._entered = effect if isinstance(effect, Gather) else None, ""
            self._phone.input_block += listens
            self._phone.input_open = listens
            self._phone.playing = listens
            if effect.prompt is not None and effect.prompt.uri is not None:
                # What the function called this turn lets a reader tell which menu it is.
                seq = None if isinstance(effect, Play) else effect.values.get("External.seq")
                place = {"block": self._phone.input_block, "seq": seq} if listens else {}
                self._call.record("prompt", uri=effect.prompt.uri, seconds=seconds, **place)
            if effect.prompt is not None and (said := effect.prompt.speech) and not said.startswith("<speak>"):
                self._call.record("spoken", text=said, seconds=seconds)
            self._phone.changed.notify_all()
            self._set_timer(turn, seconds, lambda: self._end_prompt(effect))

    def _end_prompt(self, effect: Play | Listen | Gather) -> None:
        self._silent_since = time.monotonic()
        if isinstance(effect, Play):
            self._advance_in_thread(Played())
            return
        self._phone.playing = False
        self._call.record("listening", seconds=effect.limit_seconds, block=self._phone.input_block)
        self._phone.changed.notify_all()
        if self._exchange.settings.input_timer:
            self._set_timer(self._turn, effect.limit_seconds, self._end_silence)

    def _end_silence(self) -> None:
        """The wait for a key is over: for the first one, or for the next one of several."""
        self._close_input()
        if self._entered:
            self._advance_in_thread(Entered(self._entered))
            return
        self._call.record("silence", block=self._phone.input_block)
        self._advance_in_thread(Silence())

    def _close_input(self) -> None:
        self._cancel_timer()
        self._silent_since = time.monotonic()
        self._phone.input_open = False
        self._phone.playing = False
        self._phone.changed.notify_all()

    def _is_over(self, turn: int) -> bool:
        return self._closed or turn != self._turn

    def _set_timer(self, turn: int, seconds: float, action: Callable[[], None]) -> None:
        """Have `action` run after `seconds`, holding the lock, if the flow is still at this turn and wants it."""

        def due() -> None:
            with self._phone.changed:
                if not self._is_over(turn) and self._timer is timer:
                    self._timer = None
                    action()

        with self._phone.changed:
            self._cancel_timer()
            timer = self._timer = self._exchange.clock.after(seconds, due)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
