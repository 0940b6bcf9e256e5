"""A SIP media application's events and our action lists, as the Chime SDK carries them.

What a call needs to know from one event to the next travels in its TransactionAttributes, which
the service gives back with every event:

    mid, attempt   which call it is
    doing, seq     what the last action list does (`ask`, `input`, `introduce`, `hold`, `hang_up`), for which command
                   (`5.2`: its 2nd repeat)
    heard, key     in a `hold`: a report that could not be told, and is told again when the pause is over
    deaf           in an `ask`: how often in turn its ReceiveDigits has failed
    then, silence  in an `introduce`: what is asked when the introduction is over (see `Listens`), and the URI of a
                   moment of silence

An `introduce` takes no key: a ReceiveDigits of an earlier menu still hears, and is answered that all continues.

Source: Amazon Chime SDK developer guide, "Understanding telephony events", "Responding to
invocations with action lists", and one page for each action.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from speechcall.calls.rules.call import Cause
from speechcall.calls.use_cases.hear_end import EndReport
from speechcall.calls.use_cases.report import HEARD, Heard, Op, Report, parse_question
from speechcall.menus.rules.ask import Input
from speechcall.shared.rules.ids import parse_attempt
from speechcall.telephony.chime.client import COMMAND, HANG_UP
from speechcall.telephony.chime.sip_codes import cause_of

ASK, INPUT, INTRODUCE, HOLD = "ask", "input", "introduce", "hold"
GATHER = "PlayAudioAndGetDigits"
_UNPLAYED = frozenset(
    {
        *("InvalidAudioSource", "InvalidActionParameter", "MissingRequiredActionParameter"),
        *("SystemException", "AccessDenied", "ActionExecutionThrottled"),
    }
)
"""Why an action fails that has asked nothing. Any other error of digits means that none came as they should have."""
_ID = re.compile(r"[A-Za-z0-9-]{1,256}")


@dataclass(frozen=True, slots=True)
class Placed:
    """The service has begun to dial; or, `is_ringing`, the phone has begun to ring."""

    mid: str
    attempt: int
    contact_id: str
    is_ringing: bool = False


@dataclass(frozen=True, slots=True)
class Asks:
    """Something was heard, and the call needs to know what to do next."""

    report: Report
    deaf: int = 0
    """How often in turn no key could be listened for."""


@dataclass(frozen=True, slots=True)
class Over:
    """The call has ended. `sip_code`: as the service tells it, if it does."""

    report: EndReport
    sip_code: int | None


@dataclass(frozen=True, slots=True)
class Word:
    """An event that has its answer in itself: GO_ON with the actions that are there, or HANG_UP."""

    op: Literal[Op.GO_ON, Op.HANG_UP]
    problem: str = ""
    """What an operator should know of."""
    named: tuple[str, int] | None = None
    """Which call it is, where that is known."""


@dataclass(frozen=True, slots=True)
class Listens:
    """An introduction that takes no key is over, and now its menu is listened to.

    `seq`: as it was carried. `input`: the digits that are asked for; None: one key.
    """

    mid: str
    attempt: int
    seq: str
    idle_seconds: int
    input: Input | None
    silence_uri: str


Event = Placed | Asks | Over | Word | Listens

GO_ON = Word(Op.GO_ON)


def parse_event(event: Any) -> Event:
    """What an invocation means. Never raises: what is not readable, or not ours, is hung up.

    Unknown members are ignored.
    """
    try:
        return _parse(event)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        return Word(Op.HANG_UP, "an event could not be read")


def _parse(event: Mapping[str, Any]) -> Event:
    """What an event says. Anything that is not the Chime SDK's raises one of the errors that `parse_event` catches."""
    kind, details = str(event["InvocationEventType"]), event["CallDetails"]
    data = event.get("ActionData") or {}
    contact_id, turn = str(details["TransactionId"]), int(event["Sequence"])
    if not _ID.fullmatch(contact_id):
        raise ValueError("no transaction id")
    attributes = _texts(details.get("TransactionAttributes"))
    parameters = data.get("Parameters") or {}
    if kind == "NEW_OUTBOUND_CALL":
        arguments = _texts(parameters.get("Arguments"))
        named = parse_attempt(arguments.get("mid"), arguments.get("attempt"))
        return Placed(*named, contact_id) if named else GO_ON
    named = parse_attempt(attributes.get("mid"), attributes.get("attempt"))
    # Of a call that is over two events still say something: what was pressed before, and that an answer was unusable.
    if kind == "HANGUP" or (_is_gone(details) and kind not in {"INVALID_LAMBDA_RESPONSE", "DIGITS_RECEIVED"}):
        code, hung_up = _sip_code(parameters.get("SipResponseCode")), attributes.get("doing") == HANG_UP
        return Over(_end(named, contact_id, code, turn, hung_up), code) if named else GO_ON
    if kind == "INVALID_LAMBDA_RESPONSE":
        error = event.get("ErrorType") or data.get("ErrorType") or ""
        return Word(Op.HANG_UP, f"the last answer was unusable: {str(error)[:100]}", named)
    if kind == "RINGING" and named:
        return Placed(*named, contact_id, is_ringing=True)
    if kind in {"RINGING", "ACTION_INTERRUPTED"}:
        return GO_ON
    is_stop = kind == "CALL_UPDATE_REQUESTED" and _texts(parameters.get("Arguments")).get(COMMAND) == HANG_UP
    if is_stop or named is None or kind == "NEW_INBOUND_CALL":
        return Word(Op.HANG_UP, named=named)
    if attributes.get("doing") == INTRODUCE and kind == "ACTION_SUCCESSFUL":
        return Listens(*named, attributes["seq"], *parse_then(attributes["then"]), attributes["silence"])
    heard = _heard(kind, data, attributes)
    deaf = int(attributes.get("deaf") or 0) + 1 if _is_deaf(kind, data, attributes) else 0
    return Asks(Report(*named, contact_id, heard, turn), deaf) if heard else GO_ON


def dump_then(idle_seconds: int, asked: Input | None) -> str:
    """What is asked when an introduction is over, as an attribute. For one key the idle timeout in seconds: `10`.

    For digits (`asked`) also the most of them, the seconds between two, and the end key: `10 4 3 #`.
    """
    digits = [asked.max_digits, asked.inter_digit_seconds, asked.end_key] if asked else []
    return " ".join(map(str, [idle_seconds, *digits]))


def parse_then(text: str) -> tuple[int, Input | None]:
    """The idle timeout and the digits of `dump_then` (0 as their least: that is not carried). Raises ValueError."""
    idle_seconds, *digits = text.split(" ")
    if not digits:
        return int(idle_seconds), None
    most, between, end_key = digits
    return int(idle_seconds), Input(0, int(most), end_key, int(between) * 1000)


def _end(named: tuple[str, int], contact_id: str, sip_code: int | None, turn: int, hung_up: bool) -> EndReport:
    """What a HANGUP event says. `hung_up`: by an action list of ours; `sip_code`: None: it does not say.

    There is no record that could say more. `turn`: the event's number in the call. The event of the answer may not be
    dealt with yet. So a HANGUP itself counts as that of an answered call if the end is normal, and more events came
    before than those of an unanswered one.
    """
    was_answered = sip_code == 0 and turn > 3  # unanswered: NEW_OUTBOUND_CALL, RINGING and the HANGUP itself
    if_answered: Cause | None = cause_of(sip_code, answered=True)
    if if_answered is Cause.CALLER_HUNG_UP:  # they or we: the code does not say it; None: `hear_end` guesses
        if_answered = Cause.HUNG_UP if hung_up else None
    if_unanswered = cause_of(sip_code, answered=False)
    return EndReport(*named, contact_id, was_answered, if_answered, if_unanswered, is_last_word=True, turn=turn)


def _heard(kind: str, data: Mapping[str, Any], attributes: Mapping[str, str]) -> Heard | None:
    """What an event of a call that is up reports; None: nothing, and its actions continue.

    `data`: of the action that it is about; `attributes`: what the last answer has set.
    """
    doing, action = attributes.get("doing"), str(data.get("Type") or "")
    seq, repeat = parse_question(attributes.get("seq") or "0")
    if kind == "CALL_ANSWERED":
        return Heard("answered", 0)
    if doing == INPUT and kind != "CALL_UPDATE_REQUESTED":
        return _heard_digits(kind, data, seq, repeat) if action == GATHER else None
    if kind == "CALL_UPDATE_REQUESTED":
        return Heard("next", seq)
    if kind == "DIGITS_RECEIVED":
        digits = str(data.get("ReceivedDigits") or "")
        return Heard("key", seq, digits[0]) if digits and doing == ASK else None
    if kind == "ACTION_FAILED" and action == "Hangup":
        # Answered with another Hangup, it might fail as often as it can be told. Who ends the call asks for it again.
        return None
    if _is_deaf(kind, data, attributes):
        # It comes before the introduction, which was not played. What follows the question before is this menu again.
        return Heard("next", seq - 1)
    if doing == INTRODUCE:
        return Heard("prompt_error", seq) if kind == "ACTION_FAILED" else None
    if doing == ASK and kind == "ACTION_FAILED":
        # A pause that fails says nothing of the introduction, which was played, and keys are still heard.
        return Heard("prompt_error", seq) if action.startswith("PlayAudio") else None
    if doing == ASK:
        is_over = kind == "ACTION_SUCCESSFUL" and action == "Pause"
        return Heard("idle", seq, repeat=repeat) if is_over else None
    if kind not in {"ACTION_SUCCESSFUL", "ACTION_FAILED"}:
        return None
    # The actions of a hold are over: the report that it carries is made again, else the next command asked for.
    repeated = attributes.get("heard")
    if repeated not in HEARD:
        return Heard("next", seq)
    return Heard(repeated, seq, attributes.get("key", ""), repeat=repeat)


def _heard_digits(kind: str, data: Mapping[str, Any], seq: int, repeat: int) -> Heard | None:
    """What an action that gathers digits reports; None: nothing. `repeat`: which repeat of question `seq` it answers.

    Of other actions nothing counts meanwhile: a ReceiveDigits of an earlier menu "listens for digits for the length of
    a call" (developer guide), and hears these digits one by one.
    """
    if kind == "ACTION_FAILED":
        return Heard("prompt_error" if data.get("ErrorType") in _UNPLAYED else "idle", seq, repeat=repeat)
    if kind != "ACTION_SUCCESSFUL":
        return None
    digits = str(data.get("ReceivedDigits") or "")
    return Heard("digits", seq, digits, repeat=repeat) if digits else Heard("idle", seq, repeat=repeat)


def _is_deaf(kind: str, data: Mapping[str, Any], attributes: Mapping[str, str]) -> bool:
    """Whether a menu could not begin to listen for a key."""
    return kind == "ACTION_FAILED" and data.get("Type") == "ReceiveDigits" and attributes.get("doing") == ASK


def _is_gone(details: Mapping[str, Any]) -> bool:
    """Whether the call is over. An action's end may be told after the callee has hung up, before the HANGUP event."""
    legs = details.get("Participants") or []
    return bool(legs) and all(leg.get("Status") == "Disconnected" for leg in legs)


def _texts(given: Any) -> dict[str, str]:
    return {str(name): value for name, value in given.items() if isinstance(value, str)} if given else {}


def _sip_code(given: Any) -> int | None:
    """A number in events, a text in actions; some samples of the guide leave it out."""
    return int(given) if isinstance(given, int | str) and str(given).isdecimal() else None
