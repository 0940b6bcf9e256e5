"""The state machines of the specification's examples stand in tests/golden, word for word."""

import pytest
from statelint.linter import Linter

from speechcall.menus.rules.compile_flow import compile_flow
from tests.golden.flows import NAMES, WIRING, as_text, example_menus, golden_path, golden_text
from tests.kit.definition_checks import faults_of


@pytest.mark.parametrize("name", NAMES)
def test_an_example_compiles_to_its_golden_file(name):
    assert golden_text(name) == golden_path(name).read_text(encoding="utf-8"), "if this is meant: make golden"


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_file_is_valid(name):
    definition = compile_flow(example_menus(name), WIRING)
    assert as_text(definition) == golden_text(name)
    assert [*Linter.validate(definition), *faults_of(definition)] == []


def test_examples_that_differ_in_their_data_alone_are_one_machine():
    assert golden_text("basic-structure") == golden_text("simple")
    assert golden_text("complex") == golden_text("curl")
    assert golden_text("simple") != golden_text("complex")
