"""Carries out the action lists of one call, one action after the other; a timer or a key wakes it.

What each action does and which event it ends in follows the Amazon Chime SDK developer guide, "Supported
actions" and "Updating in-progress calls": PlayAudio, Pause and ReceiveDigits are reported only as the last
action of a list, a failed action takes the rest of its list with it, and a Hangup ends in nothing but HANGUP.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from local.network.chime.actions import Action, parameter_problem
from local.network.chime.listener import Listener
from local.network.chime.switch import Switch
from local.network.shared.phone import Phone
from local.network.shared.prompts import pcm_seconds, speech_seconds

if TYPE_CHECKING:
    from local.network.shared.clock import Timer


class Call(Protocol):
    """What the runner sees of its call. `phone.changed` guards all of it."""

    phone: Phone

    @property
    def seq(self) -> str | None:
        """What lets a reader tell which menu is asked."""

    def record(self, kind: str, **details: Any) -> None: ...
    def tell(self, kind: str, action: Action, **data: Any) -> None: ...
    def hang_up_for_list(self, sip_code: str) -> None: ...


class ActionRunner:
    """Runs one list at a time. Every method is called with `phone.changed` held."""

    def __init__(self, switch: Switch, call: Call) -> None:
        self._switch, self._call, self._phone = switch, call, call.phone
        self._rest: deque[Action] = deque()
        self._current: Action | None = None
        self._timer: Timer | None = None
        self._listener: Listener | None = None
        self._asks = False
        """Whether this list has armed a listener: one of an earlier list still hears, but nobody listens to it."""
        self._gathered: str | None = None
        """What was pressed so far for PlayAudioAndGetDigits; None: it does not run."""
        self._closed = False

    def take(self, actions: Iterable[Action], interrupts: bool) -> None:
        """A new list in the place of what is left of the old one."""
        if self._closed:
            return
        self._rest, self._asks = deque(actions), False
        if self._current is None:
            self._next(None)
        elif interrupts and self._current.is_interruptible:
            interrupted, self._current = self._current, None
            self._stop_timer()
            self._close_input()
            self._call.tell("ACTION_INTERRUPTED", interrupted)
            self._next(None)

    def press(self, key: str) -> bool:
        """A key: to the listener, and to the prompt that it stops. False: it is lost."""
        listener, heard, gathers = self._listener, False, self._gathered is not None
        if listener is not None and not self._closed:
            heard = self._phone.input_open and not gathers
            listener.press(key)
        if gathers and self._current is not None and not self._closed:
            return self._gather(key, self._current)
        if heard:
            self._call.record("key", key=key, block=self._phone.input_block)
            self._close_input()
        current = self._current
        if current is not None and key in map(str, current.parameters.get("PlaybackTerminators", ())):
            self._finish(current)
        return heard

    def _gather(self, key: str, action: Action) -> bool:
        """A key of several: it stops the prompt, and the next one is awaited, if there may be another."""
        self._call.record("key", key=key, block=self._phone.input_block)
        self._stop_timer()
        self._phone.playing = False
        self._phone.changed.notify_all()
        is_last = key in map(str, action.parameters["TerminatorDigits"])
        if not is_last:
            self._gathered = (self._gathered or "") + key
            is_last = len(self._gathered) >= int(action.parameters["MaxNumberOfDigits"])
        if is_last:
            self._end_gathering(action)
        elif self._switch.settings.input_timer:
            between = int(action.parameters["InBetweenDigitsDurationInMilliseconds"]) / 1000
            self._wait(action, between, self._end_gathering)
        return True

    def _await_first(self, action: Action) -> None:
        """The prompt is over, and nothing was pressed."""
        seconds = int(action.parameters["RepeatDurationInMilliseconds"]) / 1000
        self._phone.playing = False
        self._call.record("listening", seconds=seconds, block=self._phone.input_block)
        self._phone.changed.notify_all()
        if self._switch.settings.input_timer:
            self._wait(action, seconds, self._end_gathering)

    def _end_gathering(self, action: Action) -> None:
        """Told whatever stands behind it in its list; of a lone terminator no digits are told (inferred)."""
        digits, self._gathered = self._gathered or "", None
        if self._phone.input_open and not digits:
            self._call.record("silence", block=self._phone.input_block)
        self._stop_timer()
        self._close_input()
        self._current = None
        self._call.tell("ACTION_SUCCESSFUL", action, ReceivedDigits=digits)
        self._next(None)

    def close(self) -> None:
        """The call is over: nothing more happens."""
        self._closed = True
        self._stop_timer()
        self._close_input()
        if self._listener is not None:
            self._listener.close()

    def _next(self, done: Action | None) -> None:
        """Begins the next action; behind the last one, `done` is reported."""
        while not self._closed and self._current is None:
            if not self._rest:
                if done is not None:
                    self._end_list(done)
                return
            action = self._rest.popleft()
            if problem := parameter_problem(action):
                self._fail(action, "InvalidActionParameter", problem)
                return
            fails = self._switch.settings.action_fails
            if fails is not None and (error := fails(action.type, self._phone.number)):
                self._fail(action, error, "System error occurred while running action")
                return
            if not self._begin(action):
                return
            done = action

    def _begin(self, action: Action) -> bool:
        """False: it has ended the list."""
        if action.type == "Hangup":
            self._rest.clear()
            self._call.hang_up_for_list(str(action.parameters.get("SipResponseCode", "0")))
            return False
        if action.type == "ReceiveDigits":
            if self._listener is not None:
                self._listener.close()
            self._listener, self._asks = Listener(action, self._switch.clock, self._hear), True
        elif action.type == "Pause":
            self._begin_pause(action)
        elif action.type == "Speak":
            self._begin_speech(action)
        else:
            return self._begin_prompt(action)
        return True

    def _begin_prompt(self, action: Action) -> bool:
        """Begins PlayAudio, or the prompt of an action that listens. False: it cannot be played, and it fails."""
        source = action.parameters["AudioSource"]
        uri = f"s3://{source['BucketName']}/{source['Key']}"
        try:
            seconds = pcm_seconds(self._switch.prompts.read(uri)) * int(action.parameters.get("Repeat", 1))
        except Exception as error:  # noqa: BLE001 - whatever keeps the sound from the caller, to the action it is one error
            self._call.record("prompt_failed", uri=uri, message=f"{type(error).__name__}: {error}")
            self._fail(action, "InvalidAudioSource", "Audio Source parameter value is invalid.")
            return False
        seconds /= self._switch.settings.playback
        gathers = action.type == "PlayAudioAndGetDigits"
        self._gathered = "" if gathers else None
        self._phone.playing = self._waits_for_key
        self._open_input()
        place = {"block": self._phone.input_block, "seq": self._call.seq} if self._phone.playing else {}
        self._call.record("prompt", uri=uri, seconds=seconds, **place)
        self._wait(action, seconds, self._await_first if gathers else self._finish)
        return True

    def _begin_speech(self, action: Action) -> None:
        """Text is spoken to its end: nothing says that a key or an answer cuts it short."""
        text = str(action.parameters["Text"])
        seconds = speech_seconds(text) / self._switch.settings.playback
        self._phone.playing = self._waits_for_key
        self._open_input()
        self._call.record("spoken", text=text, seconds=seconds)
        self._wait(action, seconds)

    def _begin_pause(self, action: Action) -> None:
        # The listening is reported once: when the prompt is over, or when there was none.
        if self._waits_for_key and (self._phone.playing or not self._phone.input_open):
            self._open_input()
            self._phone.playing = False
            seconds = (action.msec + sum(later.msec for later in self._rest if later.type == "Pause")) / 1000
            self._call.record("listening", seconds=seconds, block=self._phone.input_block)
            self._phone.changed.notify_all()
        is_last = not self._rest and self._phone.input_open
        if is_last and not self._switch.settings.input_timer:
            self._current = action
            return
        self._wait(action, action.msec / 1000)

    def outwait(self) -> bool:
        """What is left of a list that awaits a key is over; False if none is awaited."""
        if self._gathered is not None and self._current is not None:
            self._end_gathering(self._current)
            return True
        left = [action for action in (self._current, *self._rest) if action is not None]
        if not self._phone.input_open or not left or left[-1].type != "Pause":
            return False
        self._rest.clear()
        self._finish(left[-1])
        return True

    @property
    def _waits_for_key(self) -> bool:
        return self._gathered == "" or (self._asks and self._listener is not None and not self._listener.has_digits)

    def _wait(self, action: Action, seconds: float, then: Callable[[Action], None] | None = None) -> None:
        self._current, done = action, then or self._finish

        def due() -> None:
            with self._phone.changed:
                if self._timer is timer and not self._closed:
                    done(action)

        timer = self._timer = self._switch.clock.after(seconds, due)

    def _finish(self, action: Action) -> None:
        self._stop_timer()
        self._current = None
        self._next(action)

    def _end_list(self, done: Action) -> None:
        if self._phone.input_open and done.type == "Pause":
            self._close_input()
            self._call.record("silence", block=self._phone.input_block)
        digits = {"ReceivedDigits": ""} if done.type == "ReceiveDigits" else {}
        self._call.tell("ACTION_SUCCESSFUL", done, **digits)

    def _fail(self, action: Action, error_type: str, message: str) -> None:
        self._rest.clear()
        self._close_input()
        self._call.tell("ACTION_FAILED", action, ErrorType=error_type, ErrorMessage=message)

    def _hear(self, digits: str) -> None:
        with self._phone.changed:
            listener, self._listener = self._listener, None
            if listener is not None and not self._closed:
                self._call.tell("DIGITS_RECEIVED", listener.action, ReceivedDigits=digits)

    def _open_input(self) -> None:
        if self._waits_for_key and not self._phone.input_open:
            self._phone.input_block += 1
            self._phone.input_open = True
            self._phone.changed.notify_all()

    def _close_input(self) -> None:
        self._phone.input_open = self._phone.playing = False
        self._phone.changed.notify_all()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
