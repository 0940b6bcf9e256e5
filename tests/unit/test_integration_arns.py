"""The partition of Step Functions' integrations is the stack's."""

import json

import pytest

from speechcall.domain.message import GotoMenu, Hangup, Menu
from speechcall.statemachine.compile_flow import Wiring, compile_flow
from tests.fixtures.samples import HOOK, MENU

MENUS = (MENU, Menu("second", 5000, {"d*": (HOOK, GotoMenu(0)), "wrong": (HOOK, Hangup())}))


def wiring(partition: str) -> Wiring:
    function = f"arn:{partition}:lambda:us-gov-west-1:123456789012:function:"
    return Wiring(
        f"{function}control", f"{function}finish", "https://sqs.us-gov-west-1.amazonaws.com/123456789012/Q.fifo"
    )


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
def test_every_arn_of_a_definition_is_of_the_stacks_partition(partition: str) -> None:
    definition = compile_flow(MENUS, wiring(partition))
    arns = [state["Resource"] for state in definition["States"].values() if "Resource" in state]
    assert {arn.split(":")[5] for arn in arns} == {"lambda", "sqs"}
    assert {arn.split(":")[1] for arn in arns} == {partition}
    text = json.dumps(definition)
    assert text.count(f"arn:{partition}:") == text.count("arn:")


def test_a_shape_is_the_same_in_every_partition() -> None:
    plain = compile_flow(MENUS, wiring("aws"))
    other = json.loads(json.dumps(compile_flow(MENUS, wiring("aws-us-gov"))).replace("arn:aws-us-gov:", "arn:aws:"))
    assert other == plain
