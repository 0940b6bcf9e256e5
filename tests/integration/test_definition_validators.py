"""Definitions under two readers of the language that are no Python packages of ours: asl-validator and cfn-lint.

Each finds other faults than statelint, moto and our own checks do. Where one cannot be had, its tests are skipped and
say so; the folder build/ keeps asl-validator from one run to the next.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from speechcall.menus.rules.compile_flow import compile_flow
from tests.golden.flows import NAMES, WIRING, golden_path
from tests.kit.npm import node_package
from tests.kit.random_menus import random_menus

ROOT = Path(__file__).parents[2]
ASL_VALIDATOR = "asl-validator@4.0.0"
CFN_LINT = ROOT / ".venv-sam" / "bin" / "cfn-lint"
RUN_SECONDS = 300
RANDOM_DEFINITIONS = 30


def definitions() -> dict[str, Any]:
    """The golden files, and definitions by chance (always the same ones)."""
    random = Random(20261122)
    golden = {name: json.loads(golden_path(name).read_text(encoding="utf-8")) for name in NAMES}
    return golden | {
        f"random-{number}": compile_flow(random_menus(random), WIRING) for number in range(RANDOM_DEFINITIONS)
    }


def run(command: Sequence[str | Path], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=seconds, check=False, cwd=ROOT
    )


@pytest.fixture(scope="module")
def asl_validator() -> Path:
    home = node_package(ASL_VALIDATOR, "asl-validator has not read the definitions")
    return home / "node_modules" / ".bin" / "asl-validator"


def write(folder: Path, given: Mapping[str, Any]) -> list[Path]:
    """Each definition in a file of its own."""
    paths = [folder / f"{name}.json" for name in given]
    for path, definition in zip(paths, given.values(), strict=True):
        path.write_text(json.dumps(definition), encoding="utf-8")
    return paths


def test_asl_validator_has_nothing_to_say(asl_validator, tmp_path):
    paths = write(tmp_path, definitions())
    found = run([asl_validator, *(option for path in paths for option in ("--json-path", path))], RUN_SECONDS)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    "fault", [{"Default": "Nowhere"}, {"Type": "Choise"}, {"Choices": []}], ids=["target", "type", "no choices"]
)
def test_asl_validator_would_say_it(asl_validator, tmp_path, fault):
    definition = definitions()["simple"]
    definition["States"]["Menu 0 key?"] |= fault
    (path,) = write(tmp_path, {"faulty": definition})
    assert run([asl_validator, "--json-path", path], RUN_SECONDS).returncode != 0


# ---------------------------------------------------------------------- cfn-lint
def template(given: Mapping[str, Any]) -> dict[str, Any]:
    """A template that holds nothing but the state machines, as texts: read as definitions and as nothing else."""
    resources = {
        name.title().replace("-", ""): {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": "arn:aws:iam::123456789012:role/speechcall-flow",
                "StateMachineType": "STANDARD",
                "DefinitionString": json.dumps(definition),
            },
        }
        for name, definition in given.items()
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


@pytest.fixture(scope="module")
def cfn_lint() -> Path:
    if not CFN_LINT.exists():
        pytest.skip("there is no .venv-sam (make install-sam), so cfn-lint has not read the definitions")
    return CFN_LINT


def lint(tool: Path, folder: Path, given: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    path = folder / "template.json"
    path.write_text(json.dumps(template(given)), encoding="utf-8")
    # --config-file: not the project's own list of templates.
    config = folder / "cfnlintrc"
    config.write_text("{}", encoding="utf-8")
    return run([tool, "--config-file", config, "--regions", "eu-central-1", "--template", path], RUN_SECONDS)


def test_cfn_lint_has_nothing_to_say(cfn_lint, tmp_path):
    found = lint(cfn_lint, tmp_path, definitions())
    assert found.returncode == 0, found.stdout + found.stderr


def test_cfn_lint_would_say_it(cfn_lint, tmp_path):
    definition = definitions()["simple"] | {"StartAt": "Nowhere"}
    found = lint(cfn_lint, tmp_path, {"faulty": definition})
    assert found.returncode != 0
    assert "E3601" in found.stdout
