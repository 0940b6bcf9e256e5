"""The contact flow's questions and our answers, as Amazon Connect carries them.

A flow says which protocol it speaks. A call keeps the flow with which it began, so the function
speaks every protocol of which calls may still be in progress; the function is deployed before its flow.
In every protocol `op: hangup` ends the call.
"""

from typing import Any, assert_never

from speechcall.calls.use_cases.report import DIGITS, HEARD, Heard, Next, Op, Report, parse_question, question
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import IDLE
from speechcall.shared.rules.ids import parse_attempt

NO_PROMPT = "none"
"""Where nothing is to be played: whether a value may be empty is not written."""
WAIT_KEY = "prompts/e3b89d3655e539093700137ad88b699e0974b13c1516a11037ff90527c082f13.wav"
"""What a callee hears while a receiver is asked: `wait.wav` of this folder, where the stack has put it."""
WAIT_SECONDS = 1
"""How long it is; a hold that says so is that."""
SILENCE_KEY = "prompts/15a5a76e16799900c65cde8acc2f040990f134ef5a13444179370ee21cf4f568.wav"
"""What an input block plays whose introduction is over already: `silence.wav` of this folder."""
BARGE_IN, NO_BARGE_IN = "true", "false"
"""Whether the introduction is played by the block that listens; a flow of the release before takes it for the first."""
INPUT = "input"
"""What a flow is told for a menu that asks for several digits. One of a release before hangs up on it."""
NOTHING_ENTERED = "Timeout"
"""What a block stores if no key is pressed in time (administrator guide, "Store customer input")."""
_NO_INPUT = Input(1, 1)
PROTOCOLS = frozenset({"1", "2"})
"""Those that are spoken here. The last one is that of `contact_flow`."""


def parse_report(event: Any) -> Report | None:
    """The report in a ContactFlowEvent; None if it is none of ours, not readable, or in a protocol not spoken here.

    Unknown members are ignored (developer guide, "Invoke Lambda functions").
    """
    try:
        contact = event["Details"]["ContactData"]
        parameters, attributes = event["Details"]["Parameters"], contact["Attributes"]
        name = str(parameters["event"])
        seq, repeat = parse_question(str(parameters.get("seq") or 0))
        named = parse_attempt(attributes["mid"], attributes["attempt"])
        if name not in HEARD or parameters.get("protocol", "1") not in PROTOCOLS or named is None:
            return None
        key = str(parameters.get("digits" if name == DIGITS else "key", ""))
        is_silence = name == DIGITS and key == NOTHING_ENTERED
        heard = Heard(IDLE, seq, repeat=repeat) if is_silence else Heard(name, seq, key, repeat=repeat)
        return Report(*named, str(contact["ContactId"]), heard)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return None


def render_next(step: Next) -> dict[str, str]:
    """What is done next, as the flat map of strings that the flow reads as `$.External`.

    Every field each time: each invocation replaces them all, and a missing one matches no branch.
    """
    match step.op:
        case Op.ASK:
            ask, asks = step.ask, question(step.seq, step.repeat)
            op = INPUT if ask.input else Op.ASK
            told = _answer(op, asks, ask.prompt_uri, ask.idle_seconds, ask.input or _NO_INPUT)
            return told if ask.barge_in else told | _silent(step.prompt_beside(SILENCE_KEY))
        case Op.HANG_UP:
            return _answer(Op.HANG_UP, str(step.seq))
        case Op.WAIT:  # a flow of the release before holds in silence
            return _answer(Op.HOLD, str(step.seq), step.prompt_beside(WAIT_KEY), WAIT_SECONDS)
        case Op.HOLD | Op.GO_ON:  # while it asks, a flow does nothing with which it could continue
            return _answer(Op.HOLD, str(step.seq))
        case _:
            assert_never(step.op)


def _answer(
    op: str, seq: str, prompt_uri: str = NO_PROMPT, seconds: int = 0, asked: Input = _NO_INPUT
) -> dict[str, str]:
    """Every field that the flow may read; one that its `op` does not need has a value that means nothing."""
    return {
        "op": str(op),
        "seq": seq,
        "promptUri": prompt_uri,
        "seconds": str(seconds),
        "maxDigits": str(asked.max_digits),
        "interDigitSeconds": str(asked.inter_digit_seconds),
        "endKey": asked.end_key,
        "bargeIn": BARGE_IN,
        "silenceUri": NO_PROMPT,
    }


def _silent(uri: str) -> dict[str, str]:
    return {"bargeIn": NO_BARGE_IN, "silenceUri": uri}
