"""The partition of every ARN is the stack's, that of Step Functions' integrations too."""

import json
import re
from pathlib import Path

import pytest

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from tests.kit.samples import HOOK, MENU

ROOT = Path(__file__).parents[2]
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


ONE_PARTITION = re.compile(r"arn:aws(-[a-z-]+)?:")


def deployed_files() -> list[Path]:
    """What is deployed, or deploys: the templates, the functions and the layers, and the command."""
    folders = [path for name in ("telephony", "functions", "layers", "cli") for path in (ROOT / name).rglob("*")]
    kinds = {".py", ".yaml", ".yml", ".json", ".toml", ".txt", ""}
    return [ROOT / "template.yaml", *(path for path in folders if path.is_file() and path.suffix in kinds)]


def test_nothing_that_is_deployed_names_a_partition() -> None:
    """`${AWS::Partition}`, or that of an ARN which the stack was given; in words, PARTITION."""
    files = deployed_files()
    assert {"template.yaml", "chime.template.yaml", "app.py", "integration.py"} < {path.name for path in files}
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ONE_PARTITION.search(line)
    ]
    assert lines == []


@pytest.mark.parametrize("text", ["arn:aws:iam::aws:policy/A", '"arn:aws-us-gov:s3:::b"', "f'arn:aws-cn:sqs:{region}'"])
def test_such_a_name_is_found(text: str) -> None:
    assert ONE_PARTITION.search(text)


@pytest.mark.parametrize("text", ["arn:${AWS::Partition}:s3:::b", "^arn:aws[a-z-]*:connect:", "arn:(aws[a-z-]*):"])
def test_what_fits_every_partition_is_none(text: str) -> None:
    assert not ONE_PARTITION.search(text)
