"""What a menu means."""

from itertools import combinations

import pytest

from speechcall.menus.rules.call_log import ANSWERED, IDLE, Entry, Plan, Then, ThenKind, follows
from speechcall.menus.rules.menu import NO_KEY, GotoMenu, Hangup, Menu, Webhook
from speechcall.menus.rules.walk import Behaviour, Sent, react, table_of, walk
from speechcall.shared.rules.outcome import End

HOOK = Webhook("https://api.example.com/x")


def menu(**actions):
    return Menu("intro", 1000, {key: tuple(steps) for key, steps in actions.items()})


TWO = (menu(d1=[HOOK, HOOK, GotoMenu(1)], wrong=[GotoMenu(1)]), menu(d1=[HOOK], d2=[GotoMenu(0)], wrong=[Hangup()]))


@pytest.mark.parametrize(
    ("actions", "heard", "expected"),
    [
        ({"d1": [HOOK, Hangup()]}, "d1", ("d1", (0,), None)),
        ({"d1": [HOOK, HOOK, GotoMenu(3), HOOK]}, "d1", ("d1", (0, 1), 3)),
        ({"d1": [HOOK]}, "d1", ("d1", (0,), None)),
        ({"d1": []}, "d1", ("d1", (), None)),
        ({"d1": [], "wrong": [GotoMenu(2)]}, "d7", ("wrong", (), 2)),
        ({"d1": [], "wrong": [GotoMenu(2)]}, "idle", ("wrong", (), 2)),
        ({"d1": [GotoMenu(0)]}, "idle", (None, (), None)),
        ({}, "d1", (None, (), None)),
        ({"d*": [Hangup()]}, "d*", ("d*", (), None)),
        ({"silence": [GotoMenu(1)], "wrong": [GotoMenu(2)]}, "idle", ("silence", (), 1)),
        ({"silence": [GotoMenu(1)], "wrong": [GotoMenu(2)]}, "d7", ("wrong", (), 2)),
        ({"invalid": [GotoMenu(1)], "wrong": [GotoMenu(2)]}, "other", ("invalid", (), 1)),
        ({"invalid": [GotoMenu(1)], "wrong": [GotoMenu(2)]}, "d7", ("invalid", (), 1)),
        ({"invalid": [GotoMenu(1)], "wrong": [GotoMenu(2)]}, "idle", ("wrong", (), 2)),
        ({"d7": [], "invalid": [GotoMenu(1)]}, "d7", ("d7", (), None)),
        ({"silence": [GotoMenu(1)]}, "d7", (None, (), None)),
        ({"invalid": [GotoMenu(1)]}, "idle", (None, (), None)),
    ],
)
def test_a_key_selects_its_list_and_all_else_the_list_of_its_case(actions, heard, expected):
    reaction = react(menu(**actions), heard)
    assert (reaction.key, reaction.webhooks, reaction.target) == expected


@pytest.mark.parametrize("names", list(combinations(NO_KEY, 1)) + list(combinations(NO_KEY, 2)) + [NO_KEY, ()])
def test_what_is_heard_leads_where_the_table_says(names):
    """The table of the call's log knows only where something leads, and it is as the lists say."""
    lists = {name: [GotoMenu(number)] for number, name in enumerate(names)}
    menus = (menu(d1=[GotoMenu(3)], **lists), *TWO)
    plan = Plan(table_of(menus), 50, 1000)
    log = (Entry(1, None, ANSWERED, "", 0, Then(ThenKind.ASK, 0)),)
    for event, key in ((IDLE, ""), ("key", "d1"), ("key", "d2"), ("key", "other")):
        target = react(menus[0], key or event).target
        leads = Then(ThenKind.END) if target is None else Then(ThenKind.ASK, target)
        assert follows(plan, log, 0, event, key, 0) == leads, (event, key)


def test_a_release_that_knows_one_list_for_both_cases_leaves_them_to_the_machine():
    (row,) = table_of((menu(d1=[GotoMenu(0)], silence=[GotoMenu(0)], wrong=[Hangup()]),))
    assert row == {"d1": 0, "idle": 0, "other": "end", "wrong": "wait"}
    # As its `follows` reads it.
    assert [row.get(key, row["wrong"]) for key in ("", "d5")] == ["wait", "wait"]
    # And where both lead to one place, the row is what it always was.
    assert table_of((menu(silence=[HOOK], wrong=[Hangup()]),)) == ({"wrong": "end"},)


def test_a_call_goes_through_its_menus_and_sends_what_was_pressed():
    found = walk(TWO, [Behaviour("d1"), Behaviour("d2"), Behaviour("idle"), Behaviour("d1")])
    assert found.menus == (0, 1, 0, 1)
    assert found.webhooks == (Sent(1, 0, "d1", 0), Sent(1, 0, "d1", 1), Sent(4, 1, "d1", 0))
    assert found.end == End.COMPLETED
    assert found.limit is False


def test_a_callee_who_hangs_up_in_a_menu_starts_nothing():
    assert walk(TWO, [Behaviour("hang_up")]).webhooks == ()
    assert walk(TWO, []).end is End.CALLER_HUNG_UP


def test_a_list_runs_to_its_end_although_the_callee_has_hung_up_and_nothing_after_it_starts():
    found = walk(TWO, [Behaviour("d1", hangs_up_after=True), Behaviour("d1")])
    assert found.menus == (0,)
    assert len(found.webhooks) == 2
    assert found.end == End.CALLER_HUNG_UP
    ended = walk((menu(d1=[HOOK, Hangup()]),), [Behaviour("d1", hangs_up_after=True)])
    assert len(ended.webhooks) == 1
    assert ended.end == End.COMPLETED


def test_a_circle_is_left_at_the_limit():
    # Given somebody who presses a key that has no list, again and again
    found = walk((menu(wrong=[GotoMenu(0)]),), [Behaviour("d7")] * 60)
    assert len(found.menus) == 50
    assert found.end == End.COMPLETED
    assert found.limit is True
    assert found.silence is False


RING = tuple(menu(wrong=[HOOK, GotoMenu((index + 1) % 20)]) for index in range(20))
CHAIN = (*(menu(wrong=[GotoMenu(index + 1)]) for index in range(19)), menu(wrong=[Hangup()]))


@pytest.mark.parametrize(
    ("menus", "repeats", "asked"),
    [
        ((menu(wrong=[HOOK, GotoMenu(0)]),), 2, 3),
        ((menu(wrong=[HOOK, GotoMenu(0)]),), 0, 1),
        ((menu(wrong=[HOOK, GotoMenu(0)]),), 49, 50),
        (tuple(menu(wrong=[HOOK, GotoMenu(1 - index)]) for index in range(2)), 2, 4),
        (RING, 2, 22),
        # A lasso: what was asked once on the way to the circle is no repeat
        ((menu(wrong=[GotoMenu(1)]), menu(wrong=[GotoMenu(2)]), menu(wrong=[HOOK, GotoMenu(2)])), 2, 5),
    ],
)
def test_whoever_only_listens_is_hung_up_after_the_silent_repeats(menus, repeats, asked):
    found = walk(menus, [Behaviour("idle")] * 60, 60, repeats)
    assert len(found.menus) == asked
    assert found.end == End.COMPLETED
    assert found.silence is True
    assert found.limit is False
    # And the list of the last silence has run
    if any(HOOK in one.actions["wrong"] for one in menus):
        assert found.webhooks[-1].visit == asked


def test_a_chain_of_different_menus_is_no_repeat():
    found = walk(CHAIN, [Behaviour("idle")] * 60, silent_repeats=0)
    assert len(found.menus) == 20
    assert found.silence is False


@pytest.mark.parametrize("key", ["d1", "d9", "other"])
def test_a_key_gives_the_callee_all_repeats_again_also_one_without_a_list(key):
    menus = (menu(d1=[GotoMenu(0)], wrong=[GotoMenu(0)]),)
    found = walk(menus, [*[Behaviour("idle")] * 2, Behaviour(key), *[Behaviour("idle")] * 60])
    assert len(found.menus) == 6
    assert found.silence is True


def test_a_call_at_its_limit_ends_for_that_and_not_for_silence():
    found = walk((menu(wrong=[GotoMenu(0)]),), [Behaviour("idle")] * 60, 3)
    assert len(found.menus) == 3
    assert found.limit is True
    assert found.silence is False


def test_an_introduction_that_cannot_be_played_ends_the_call_and_runs_no_list():
    found = walk(TWO, [Behaviour("d1"), Behaviour("prompt_error"), Behaviour("d1")])
    assert found.menus == (0, 1)
    assert len(found.webhooks) == 2
    assert found.end == End.COMPLETED
    assert found.prompt_error is True
