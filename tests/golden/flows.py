"""The state machines of the specification's four examples: `make golden` writes them anew, a test compares.

One file for each, indented, so that a change of the compiler is read as a change of these files.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.requests.use_cases.read_messages import check_message, to_menus

HERE = Path(__file__).parent
EXAMPLES = Path(__file__).parents[2] / "events" / "spec"
NAMES = ("basic-structure", "complex", "curl", "simple")
_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:speechcall-"
WIRING = Wiring(
    control_call_arn=_ARN + "control",
    finish_call_arn=_ARN + "finish",
    webhook_queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/speechcall-webhooks.fifo",
)


def example_menus(name: str) -> Any:
    """The menus of an example of the specification."""
    (given,) = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))["messages"]
    # Two of the examples leave the number to the reader.
    model, problems = check_message({**given, "to": "+380936670003"}, "messages[0]")
    if model is None:
        raise ValueError(problems)
    return to_menus(model)


def golden_path(name: str) -> Path:
    """Where an example's state machine stands."""
    return HERE / f"{name}.json"


def golden_text(name: str) -> str:
    """An example's state machine as it is compiled now."""
    return as_text(compile_flow(example_menus(name), WIRING))


def as_text(definition: Mapping[str, Any]) -> str:
    """A definition for reading: the states in the order in which they were compiled."""
    return json.dumps(definition, indent=2) + "\n"


if __name__ == "__main__":
    for example in NAMES:
        golden_path(example).write_text(golden_text(example), encoding="utf-8")
