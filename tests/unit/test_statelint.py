"""The definitions under an independent reader of the language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statelint.linter import Linter

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import KEYS, WRONG, GotoMenu, Hangup, Menu, Webhook
from tests.kit.definition_checks import faults_of

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:"
WIRING = Wiring(ARN + "control", ARN + "finish", "https://sqs.eu-central-1.amazonaws.com/1/q.fifo")


@st.composite
def menus(draw):
    count = draw(st.integers(1, 5))
    action = st.one_of(
        st.just(Webhook("https://example.com/")), st.just(Hangup()), st.integers(0, count - 1).map(GotoMenu)
    )
    lists = st.dictionaries(st.sampled_from([*KEYS, WRONG]), st.lists(action, max_size=4).map(tuple), max_size=6)
    return tuple(Menu("intro", 1000, draw(lists)) for _ in range(count))


@pytest.mark.slow
@given(menus())
@settings(max_examples=60, deadline=None)
def test_every_definition_is_valid_and_every_state_reachable(drawn):
    definition = compile_flow(drawn, WIRING)
    assert Linter.validate(definition) == []
    assert faults_of(definition) == []
