"""A message's menus, stored and loaded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.menu import KEYS, WRONG, GotoMenu, Hangup, Menu, OptOutStep, Webhook, dump_menus, load_menus

texts = st.text(st.characters(codec="utf-8"), max_size=20)
webhooks = st.builds(Webhook, texts, texts, st.dictionaries(texts, texts, max_size=3))
opt_outs = st.builds(OptOutStep, st.sampled_from(["", "news"]))
actions = st.one_of(webhooks, st.just(Hangup()), opt_outs, st.builds(GotoMenu, st.integers(0, 19)))
lists = st.dictionaries(st.sampled_from((*KEYS, WRONG)), st.lists(actions, max_size=4).map(tuple), max_size=5)
menus = st.lists(st.builds(Menu, texts, st.integers(1, 180_000), lists), max_size=4).map(tuple)


@given(menus)
def test_menus_come_back_as_they_were_stored(given_menus):
    loaded = load_menus(dump_menus(given_menus))
    assert loaded == given_menus
    assert [list(menu.actions) for menu in loaded] == [list(menu.actions) for menu in given_menus]


def test_a_body_is_stored_as_the_text_it_is():
    body = '{"b":1.10,"a":1180591620717411303424,"c":"№"}'
    stored = dump_menus((Menu("a", 1, {"d1": (Webhook("https://x.example/", body),)}),))
    assert json.loads(stored)[0]["on"]["d1"][0]["body"] == body


@pytest.mark.parametrize(
    ("heard", "has", "runs"),
    [("d1", ("d1", "wrong"), "d1"), ("d2", ("d1", "wrong"), "wrong"), ("", ("wrong",), "wrong"), ("d2", ("d1",), None)],
)
def test_a_key_selects_its_list_else_wrong_else_nothing(heard, has, runs):
    assert Menu("a", 1, {key: (Hangup(),) for key in has}).list_for(heard) == runs
