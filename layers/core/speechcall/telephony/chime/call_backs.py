"""The answers to the SIP media application for calls back: the one to which the caller ID's SIP rule points.

What a call needs to know from one event to the next travels in its TransactionAttributes:

    mid      which message the caller was told of
    doing    what the last action list does: `ask` plays who has called and listens, `bye` says the last words
    plays    how often that was played
    said     in a `bye`: which last words: `done`, that they have opted out

Sources: Amazon Chime SDK developer guide, "Receiving an inbound call" (what NEW_INBOUND_CALL is answered is done, and
answers the call), "Speak" (text of at most 1,000 characters, spoken by Amazon Polly), "ReceiveDigits", "PlayAudio".
"""

from collections.abc import Mapping
from typing import Any

from speechcall.callbacks.adapters import counted
from speechcall.callbacks.rules.call_back import (
    NOT_NOW,
    NOT_STORED,
    OPT_OUT_KEY,
    PLAYS,
    WAIT_SECONDS,
    Heard,
    say,
)
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk, greet, opt_out
from speechcall.menus.rules.speech import Say
from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.errors import RetryableError
from speechcall.telephony.chime.actions import KEYS, Answer, action, go_on, hang_up, listen, play, wait

ASK, BYE, DONE = "ask", "bye", "done"
TRIES, PAUSE_SECONDS = 3, 0.5
"""Tries of storing an opt-out in one invocation, and the pause between.

The Chime SDK repeats an invocation after 5 s, harmlessly.
"""


class ChimeCallBacks:
    """Answers the events of one SIP media application. `logger`: of Powertools."""

    def __init__(self, desk: CallBackDesk, logger: Any) -> None:
        self._desk, self._logger = desk, logger

    def answer(self, event: Any) -> Answer:
        """The answer to an invocation. Never raises: the caller would hear silence, then be cut off."""
        try:
            call = _Call(event)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            self._logger.warning("an event could not be read")
            return hang_up()
        try:
            return self._answer(call)
        except Exception as error:
            if isinstance(error, RetryableError):
                self._logger.warning("a call back could not be dealt with now: %s", error)
            else:
                self._logger.exception("a call back could not be dealt with")
            count("CallBacksFailed")
            return _last_words(call, say(NOT_STORED if call.wants_out else NOT_NOW))

    def _answer(self, call: "_Call") -> Answer:
        """The answer to an event that could be read. Of a call that is over only a key that opts out still counts.

        Raises what the stores raise.
        """
        if call.is_gone and not call.wants_out:
            return go_on()
        match call.kind:
            case "NEW_INBOUND_CALL":
                return self._greet(call, 1)
            case "DIGITS_RECEIVED" if call.doing == ASK:
                return self._opt_out(call) if call.wants_out else self._again(call)
            case "ACTION_SUCCESSFUL" if call.doing == ASK and call.action == "Pause":  # the wait is over: no key
                return self._again(call)
            case "ACTION_FAILED":
                return self._say_instead(call)
            case "INVALID_LAMBDA_RESPONSE":
                self._logger.warning("the last answer was unusable: %s", call.error)
                return hang_up()
            case "CALL_UPDATE_REQUESTED":
                return hang_up()
            case _:
                # The call has ended, or its actions go on by themselves.
                return go_on()

    def _greet(self, call: "_Call", plays: int, *, in_text: bool = False) -> Answer:
        """Plays who has called, and listens for the key; without a message to opt out of, it says so and ends the call.

        `plays`: how often that was played, this time included. `in_text`: the account's audio could not be played.
        """
        # A call back is counted once, when it comes.
        asks = counted.greet if call.kind == "NEW_INBOUND_CALL" else greet
        greeting = asks(call.caller, self._desk)
        heard = Heard(greeting.heard.say) if in_text else greeting.heard
        if not greeting.mid:
            return _last_words(call, heard.say, heard.audio_uri)
        # Spoken text continues to its end, whatever is pressed; the key is heard all the same.
        actions = [listen(), _sound(call, heard, KEYS), *wait(WAIT_SECONDS)]
        return _answer(actions, mid=greeting.mid, doing=ASK, plays=str(plays))

    def _again(self, call: "_Call") -> Answer:
        return self._greet(call, call.plays + 1) if call.plays < PLAYS else hang_up()

    def _say_instead(self, call: "_Call") -> Answer:
        """The answer to an action that has failed. Audio of who has called, or of the confirmation, is said as text.

        After anything else that failed we ask again, or hang up; but not after a Hangup, which might fail for ever.
        """
        if call.action == "PlayAudio" and call.doing == ASK:
            return self._greet(call, call.plays, in_text=True)
        if call.action == "PlayAudio" and call.said == DONE:
            return self._opt_out(call, in_text=True)
        if call.action == "Hangup":
            return go_on()
        return self._again(call) if call.doing == ASK else hang_up()

    def _opt_out(self, call: "_Call", *, in_text: bool = False) -> Answer:
        heard = self._insist_on_opting_out(call)
        if heard is None:
            return _last_words(call, say(NOT_STORED))
        return _last_words(call, heard.say, "" if in_text else heard.audio_uri, said=DONE)

    def _insist_on_opting_out(self, call: "_Call") -> Heard | None:
        """Stores an opt-out, in several tries; what the caller hears then. None: nothing was stored.

        That is so when the store stays away, which is counted, and for a message that did not call this number or is
        gone.
        """
        # Counted when the key comes; done again, uncounted, when the audio of the last words cannot be played.
        stores = counted.opt_out if call.wants_out else opt_out
        for tries_left in reversed(range(TRIES)):
            try:
                return stores(call.caller, call.mid, self._desk)
            except RetryableError as error:
                self._logger.warning("an opt-out could not be stored now: %s", error)
                if tries_left:
                    self._desk.clock.sleep(PAUSE_SECONDS)
        count("CallBacksFailed")
        return None


class _Call:
    """What an event says. Anything that is not the Chime SDK's raises one of the errors that `answer` catches."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        details, data = event["CallDetails"], event.get("ActionData") or {}
        attributes = details.get("TransactionAttributes") or {}
        # LEG-A: the caller's.
        (leg,) = (one for one in details["Participants"] if one.get("ParticipantTag") == "LEG-A")
        self.kind, self.call_id = str(event["InvocationEventType"]), str(leg["CallId"])
        self.caller = str(leg.get("From") or "")
        self.doing, self.mid = str(attributes.get("doing") or ""), str(attributes.get("mid") or "")
        self.plays, self.said = int(attributes.get("plays") or 0), str(attributes.get("said") or "")
        self.action, self.digits = str(data.get("Type") or ""), str(data.get("ReceivedDigits") or "")
        self.is_gone = leg.get("Status") == "Disconnected"
        """The caller is gone. HANGUP, and even a key pressed before it, may be reported later."""
        self.wants_out = self.kind == "DIGITS_RECEIVED" and self.doing == ASK and OPT_OUT_KEY in self.digits
        self.error = str(event.get("ErrorType") or data.get("ErrorType") or "")[:100]


def _sound(call: _Call, heard: Heard, stopped_by: list[str]) -> Answer:
    return play(heard.audio_uri, stopped_by) if heard.audio_uri else _spoken(call, heard.say)


def _spoken(call: _Call, text: Say) -> Answer:
    """The action that says a text."""
    return action(
        "Speak",
        CallId=call.call_id,  # which this action demands
        Text=text.text,
        TextType="text",
        Engine=text.engine,
        LanguageCode=text.language,
        VoiceId=text.voice,
    )


def _last_words(call: _Call, text: Say, audio_uri: str = "", said: str = "") -> Answer:
    actions = [_sound(call, Heard(text, audio_uri), []), action("Hangup", SipResponseCode="0")]
    return _answer(actions, mid=call.mid, doing=BYE, said=said)


def _answer(actions: list[Answer], **attributes: str) -> Answer:
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": attributes}
