"""The call-back flow's questions and our answers, as Amazon Connect carries them.

Source: Amazon Connect administrator guide, "Grant Amazon Connect access to your AWS Lambda functions": the event of an
inbound contact has the caller in `CustomerEndpoint` and the dialled number in `SystemEndpoint`.
"""

from typing import Any, NamedTuple

from speechcall.callbacks.adapters.counted import greet, opt_out
from speechcall.callbacks.rules.call_back import Heard
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk
from speechcall.telephony.connect.call_back_flow import CALLED, OPT_OUT, PROTOCOL
from speechcall.telephony.connect.conversation import NO_PROMPT

REFUSED = {"op": "refused"}
"""What the flow says then, it says in its own words."""


class Asked(NamedTuple):
    """What the flow asks: `event`, the caller's number as Connect tells it, and the message that it was told of."""

    event: str
    caller: str
    mid: str


class ConnectCallBacks:
    """Answers the call-back flow."""

    def __init__(self, desk: CallBackDesk, logger: Any) -> None:
        self._desk, self._logger = desk, logger

    def answer(self, event: Any) -> dict[str, str]:
        """The answer to an invocation. Raises what the stores raise: the flow asks again, and then says so.

        REFUSED: it is no question of the call-back flow, or an opt-out of which nothing was stored.
        """
        asked = parse_asked(event)
        if asked is None:
            self._logger.warning("a flow that is not the call-back flow, or one of another protocol, was refused")
            return REFUSED
        if asked.event == CALLED:
            greeting = greet(asked.caller, self._desk)
            return _render("ask" if greeting.mid else "tell", greeting.heard, greeting.mid)
        heard = opt_out(asked.caller, asked.mid, self._desk)
        return _render("tell", heard) if heard else REFUSED


def parse_asked(event: Any) -> Asked | None:
    """The question in a ContactFlowEvent; None if it is none of the call-back flow's, or not readable."""
    try:
        parameters, contact = event["Details"]["Parameters"], event["Details"]["ContactData"]
        endpoint = contact.get("CustomerEndpoint") or {}
        asked = Asked(str(parameters["event"]), str(endpoint.get("Address") or ""), str(parameters.get("mid") or ""))
    except (KeyError, TypeError, AttributeError):
        return None
    is_ours = asked.event in (CALLED, OPT_OUT) and parameters.get("protocol") == PROTOCOL
    return asked if is_ours else None


def _render(op: str, heard: Heard, mid: str = "") -> dict[str, str]:
    """A flat map of strings, none of them empty and none missing: see `conversation.render_next`.

    `op`: `ask` says `heard` and listens for the key, `tell` says it and ends the call. `mid`: the message of which the
    caller is told; empty: none.
    """
    return {
        "op": op,
        "mid": mid or "none",
        "text": heard.say.text,
        "voice": heard.say.voice,
        "engine": heard.say.engine.capitalize(),  # Polly's `neural` is `Neural` here
        "audio": "yes" if heard.audio_uri else "no",
        "promptUri": heard.audio_uri or NO_PROMPT,
    }
