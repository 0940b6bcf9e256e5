"""What Amazon Connect is given for a simulated call: a callee who hears a prompt, presses 1, and hears the next.

Sources: Amazon Connect API reference, CreateTestCase; developer guide, "Testing language"; where the two say too
little, what others have run (`local/network/connect/testing_language.py` names them).
"""

import json
from typing import Any

FIRST_PROMPT, NEXT_PROMPT = "first-prompt", "next-prompt"
"""The observations of which Amazon Connect's records tell."""
KEY = 1


def content(first_uri: str, next_uri: str) -> str:
    """The test in the Testing language, by the URIs that the two menus play."""
    press = {
        "ActionType": "SendInstruction",
        "Actor": "Customer",
        "Instruction": {"Type": "DtmfInput", "Properties": {"Value": KEY}},
    }
    end = {"ActionType": "TestControl", "Command": {"Type": "EndTest"}}
    observations = [
        _observation("begin", {"Type": "TestInitiated", "Properties": {}}, None, FIRST_PROMPT),
        _observation(FIRST_PROMPT, _prompt(first_uri), press, NEXT_PROMPT),
        _observation(NEXT_PROMPT, _prompt(next_uri), end, None),
    ]
    return json.dumps({"Version": "2019-10-30", "Metadata": {}, "Observations": observations})


def initialization(mid: str, attempt: int) -> str:
    """The contact's attributes, by which our function knows the call. No other form reaches the flow."""
    return json.dumps({"Attributes": {"mid": mid, "attempt": str(attempt)}, "SegmentAttributes": {}})


def _prompt(uri: str) -> dict[str, Any]:
    media = {"Uri": uri, "SourceType": "S3", "MediaType": "Audio"}
    return {"Type": "MessageReceived", "Properties": {"Media": media, "MatchingCriteria": {"Type": "Inclusion"}}}


def _observation(name: str, event: dict[str, Any], does: dict[str, Any] | None, then: str | None) -> dict[str, Any]:
    """One step of the test: an event that is waited for, what is done then (None: nothing), and the step that follows.

    `then`: its name; None: it is the last.
    """
    actions = [{"Identifier": f"{name}-action", "Type": does["ActionType"], "Parameters": does}] if does else []
    return {
        "Identifier": name,
        "Event": {"Identifier": f"{name}-event", "Actor": "System", **event},
        "Actions": actions,
        "Transitions": {"NextObservations": [then] if then else []},
    }
