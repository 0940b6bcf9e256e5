"""What `.ci/run` has to try: every Python that is promised, and every benchmark."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(text("pyproject.toml"))
LOWEST = "3.11"
TRIED = re.search(r'^promised="([\d. ]+)"$', text(".ci/run"), re.MULTILINE)[1].split()


# ------------------------------------------------------------------- Pythons
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("requires-python", PROJECT["project"]["requires-python"].removeprefix(">=")),
        ("ruff", re.sub(r"py(\d)(\d+)", r"\1.\2", PROJECT["tool"]["ruff"]["target-version"])),
        ("mypy", PROJECT["tool"]["mypy"]["python_version"]),
        ("make lock", re.search(r"^LOCK_OPTIONS = .*--python-version (\S+)", text("Makefile"), re.MULTILINE)[1]),
        ("README", re.search(r"Python (\S+) or newer", text("README.md"))[1]),
        (
            "bin/find-python",
            re.sub(r"(\d+), (\d+)", r"\1.\2", re.search(r"version_info < \((.*)\)", text("bin/find-python"))[1]),
        ),
        (".ci/run", TRIED[0]),
    ],
)
def test_the_lowest_python_is_one_everywhere(place, said):
    assert said == LOWEST, place


def test_every_version_up_to_the_newest_is_tried():
    minors = [int(version.partition(".")[2]) for version in TRIED]
    assert minors == list(range(minors[0], minors[-1] + 1))
    (lambdas,) = set(re.findall(r"python3\.(\d+)", text("template.yaml")))
    assert int(lambdas) in minors


# ---------------------------------------------------------------- benchmarks
BENCHMARKS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").glob("*.py")}
MEASURED = {
    *re.search(r"^BENCHMARKS := (.*)$", text("Makefile"), re.MULTILINE)[1].split(),
    *re.findall(r"-m benchmarks\.(\w+)", text("Makefile")),
}


def test_every_file_of_the_benchmarks_is_measured_or_helps_one_that_is():
    helpers = {name for source in BENCHMARKS.values() for name in re.findall(r"from benchmarks\.(\w+) import", source)}
    assert BENCHMARKS.keys() - {"__init__"} == MEASURED | helpers
    assert not MEASURED & helpers


def test_every_benchmark_has_a_short_form_and_the_gate_runs_it():
    gate = re.search(r"^stage bench .*$", text(".ci/run"), re.MULTILINE)[0]
    for target in re.findall(r"^(bench[\w-]*):", text("Makefile"), re.MULTILINE):
        assert f'"make {target} BENCH=short"' in gate
    for name in MEASURED:  # what is only reckoned takes no time
        assert "in_short(" in BENCHMARKS[name] or "import time" not in BENCHMARKS[name], name
