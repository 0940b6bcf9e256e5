"""The contact flow that Amazon Connect runs for who calls the caller ID back.

It asks the function call_backs who has called them, plays that, and hears one key:

    called ─► keep ─► voice ─► op ─┬─ ask ──► audio? ─► play or say, twice ─┬─ 9 ──► opt-out ─► done: play or say ─► bye
                                   ├─ tell ─► tell ─► bye                   └─ silence, or another key ──► bye
                                   └─ else ─► sorry ─► bye

An invocation that fails is made again after a second, three times (`flow_language.invoke`); then the flow says so, in
words of its own: it is never silent. Which message the caller was told of is kept in the contact's attributes, until
the key names it; a number never is.

Sources: Amazon Connect API reference, "Flow language actions": UpdateContactTextToSpeechVoice (voice and engine may be
dynamic; an invalid one is an error), GetParticipantInput, MessageParticipant (Text may hold references).
"""

from typing import Any

from speechcall.callbacks.rules.call_back import NOT_NOW, NOT_STORED, OPT_OUT_KEY, PLAYS, WAIT_SECONDS
from speechcall.telephony.connect.flow_language import action, compare, flow, invoke, media

PROTOCOL = "1"
"""The conversation between this flow and its function; a call in progress keeps the flow it began with."""
CALLED, OPT_OUT = "called", "optOut"
"""What the flow reports: somebody calls; they have pressed the key."""

_KEEP = {"Attributes": {"mid": "$.External.mid"}, "TargetContact": "Current"}
_VOICE = {"TextToSpeechVoice": "$.External.voice", "TextToSpeechEngine": "$.External.engine"}
_TEXT, _AUDIO = "$.External.text", "$.External.promptUri"


def build_call_back_flow(function_arn: str, flow_logging: str = "Disabled") -> dict[str, Any]:
    """The flow's content, asking the function at `function_arn`; whether it logs, `Enabled` or `Disabled`."""
    asks = {"event": CALLED, "protocol": PROTOCOL}
    opts_out = {"event": OPT_OUT, "mid": "$.Attributes.mid", "protocol": PROTOCOL}
    return flow(
        [
            action("log", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": flow_logging}, "called"),
            *invoke("called", function_arn, asks, "keep", "sorry"),
            action("keep", "UpdateContactAttributes", _KEEP, "voice", {"NoMatchingError": "sorry"}),
            # In another voice it is still heard.
            action("voice", "UpdateContactTextToSpeechVoice", _VOICE, "op", {"NoMatchingError": "op"}),
            *compare("op", "$.External.op", {"ask": "audio", "tell": "tell"}, "sorry"),
            *compare("audio", "$.External.audio", {"yes": "play-1"}, "say-1"),
            *(_listen("play", number, {"Media": media(_AUDIO)}, f"say-{number}") for number in range(1, PLAYS + 1)),
            *(_listen("say", number, {"Text": _TEXT}, "sorry") for number in range(1, PLAYS + 1)),
            _say("tell", _TEXT, "sorry"),
            *invoke("opt-out", function_arn, opts_out, "done", "not-stored"),
            *compare("done", "$.External.op", {"tell": "done-audio"}, "not-stored"),
            *compare("done-audio", "$.External.audio", {"yes": "done-play"}, "done-say"),
            action("done-play", "MessageParticipant", {"Media": media(_AUDIO)}, "bye", {"NoMatchingError": "done-say"}),
            _say("done-say", _TEXT, "bye"),
            _say("sorry", NOT_NOW, "bye"),
            _say("not-stored", NOT_STORED, "bye"),
            {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
        ]
    )


def _listen(name: str, number: int, prompt: dict[str, Any], unplayable: str) -> dict[str, Any]:
    """Plays, and hears one key. If none comes, or another than the opt-out key, the next play follows, or the end."""
    again = f"{name}-{number + 1}" if number < PLAYS else "bye"
    parameters = {**prompt, "StoreInput": "False", "InputTimeLimitSeconds": str(WAIT_SECONDS)}
    errors = {"InputTimeLimitExceeded": again, "NoMatchingCondition": again, "NoMatchingError": unplayable}
    return action(f"{name}-{number}", "GetParticipantInput", parameters, again, errors, {OPT_OUT_KEY: "opt-out"})


def _say(name: str, text: str, unplayable: str) -> dict[str, Any]:
    return action(name, "MessageParticipant", {"Text": text}, "bye", {"NoMatchingError": unplayable})
