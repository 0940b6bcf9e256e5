"""Two sets of menus, side by side: every difference in behaviour, by a shortest call."""

import secrets
from dataclasses import replace
from random import Random

import pytest

from speechcall.menus.rules.call_space import happenings
from speechcall.menus.rules.compare_menus import Kind, compare
from speechcall.menus.rules.difference_words import steps_in_words, tell
from speechcall.menus.rules.menu import ENTRIES, WRONG, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.replayed_path import Otherwise, replay
from speechcall.menus.rules.walk import AS_DEPLOYED, Behaviour, CallLimits, react, walk
from tests.kit.promise_meaning import SOME_KEYS, small_menus

YES, NO = Webhook("https://shop.example/yes", '{"a":1}'), Webhook("https://shop.example/no?secret=1")


def menu(intro="intro", idle=10, **lists):
    return Menu(intro, idle * 1000, {key: tuple(steps) for key, steps in lists.items()})


def test_an_opt_out_that_is_missing_is_a_difference():
    old, new = (menu(d9=[OptOutStep("news"), NO]),), (menu(d9=[NO]),)
    (found,) = compare(old, new, AS_DEPLOYED).differences
    rest = "https://shop.example/no {}"
    assert tell(found, old, new) == f"sends an opt-out on the list news, then {rest}; the new ones send {rest}"


def heard_in(*menus):
    """What can be heard: the keys with a list anywhere, silence, and one key that stands for all others.

    Each as often as lookups may be answered: with the one case that they have here, or with none.
    """
    keys = (*(key for key in ENTRIES if any(key in one.actions for one in menus)), "idle", "other")
    lists = (steps for one in menus for steps in one.actions.values())
    looks_up = any(isinstance(action, Lookup) for steps in lists for action in steps)
    return [(key, case) for key in keys for case in (("paid", "") if looks_up else ("",))]


def renumbered(random, menus):
    """The same menus in another order, behind the first; and one that nothing leads to."""
    order = [0, *random.sample(range(1, len(menus)), len(menus) - 1)]
    place = {old: new for new, old in enumerate(order)}

    def changed(action):
        if isinstance(action, Lookup):
            cases = {case: place[target] for case, target in action.cases.items()}
            return replace(action, cases=cases, otherwise=place[action.otherwise])
        return GotoMenu(place[action.menu]) if isinstance(action, GotoMenu) else action

    moved = [
        menus[old]._replace(actions={key: tuple(map(changed, steps)) for key, steps in menus[old].actions.items()})
        for old in order
    ]
    return (*moved, Menu("never", 1000, {}))


def seen_from_outside(action):
    """Without the menus that a lookup may lead to: how menus are numbered makes no difference."""
    return replace(action, cases={}, otherwise=0) if isinstance(action, Lookup) else action


def a_little_changed(random, menus):
    """The menus with one thing otherwise; it may make no difference."""
    index = random.randrange(len(menus))
    one = menus[index]
    kind = random.random()
    if kind < 0.15:
        one = one._replace(intro="another")
    elif kind < 0.3:
        one = one._replace(idle_timeout_msec=7000)
    else:
        key = random.choice((*SOME_KEYS, WRONG))
        asks = Lookup("https://shop.example/later", {"paid": 0}, len(menus) - 1, 1000)
        steps = random.choice(((), (YES,), (NO, GotoMenu(0)), (GotoMenu(len(menus) - 1),), (Hangup(), YES), (asks,)))
        one = one._replace(actions={**one.actions, key: steps})
    return (*menus[:index], one, *menus[index + 1 :])


def told_apart(old, new, limits):
    """By brute force: every difference that some call shows, with the number of steps of its shortest call."""
    found = {}
    sound = [[(one.intro, one.idle_seconds, one.input) for one in menus] for menus in (old, new)]
    if sound[0][0] != sound[1][0]:
        found[Kind.PLAYED, 0, 0, "", None] = 0

    def note(*name, steps):
        found[name] = min(found.get(name, steps), steps)

    def look(heard):
        does = [Behaviour(one, case=case) for one, case in heard]
        walks = [walk(one, does, limits.visits, limits.silent_repeats) for one in (old, new)]
        at = len(heard) - 1
        places = walks[0].menus[at], walks[1].menus[at]
        sent = [
            [
                seen_from_outside(menus[one.menu].actions[one.key][one.step])
                for one in sorted((*went.webhooks, *went.opt_outs, *went.lookups), key=lambda one: one.step)
                if one.visit == at + 1
            ]
            for menus, went in zip((old, new), walks, strict=True)
        ]
        last, case = heard[-1]
        has_list = last in old[places[0]].actions or last in new[places[1]].actions
        name = last if has_list or last == "idle" else "other"
        looks_up = react(old[places[0]], last).lookup or react(new[places[1]], last).lookup
        requests, kept = (
            [[one for one in all_sent if isinstance(one, OptOutStep) is is_kept] for all_sent in sent]
            for is_kept in (False, True)
        )
        if requests[0] != requests[1] or {*kept[0]} != {*kept[1]}:
            note(Kind.SENT, *places, name, None, steps=len(heard))
        goes_on = [len(went.menus) > len(heard) for went in walks]
        if goes_on != [True, True]:
            if any(goes_on) or walks[0][2:6] != walks[1][2:6]:  # the end, and why
                note(Kind.LEADS, *places, name, case if looks_up else None, steps=len(heard))
            return
        nexts = walks[0].menus[at + 1], walks[1].menus[at + 1]
        if sound[0][nexts[0]] != sound[1][nexts[1]]:
            note(Kind.PLAYED, *nexts, "", None, steps=len(heard))
        for one in heard_in(*old, *new):
            look((*heard, one))

    for one in heard_in(*old, *new):
        look((one,))
    return found


def pair(random):
    old = small_menus(random, SOME_KEYS[: random.randint(1, 2)])
    new = renumbered(random, old) if random.random() < 0.4 else old
    return old, a_little_changed(random, new) if random.random() < 0.8 else new


def held_against_brute_force(random):
    """Draws two sets of menus; whether they are equivalent. What is found is what some call shows, and no more."""
    old, new = pair(random)
    limits = CallLimits(random.randint(1, 5), silent_repeats=random.randint(0, 2))
    found = compare(old, new, limits)
    expected = told_apart(old, new, limits)
    named = {}
    for one in found.differences:
        where = (one.old.menu, one.new.menu, "", None) if one.kind is Kind.PLAYED else one.steps[-1]
        named[one.kind, *where] = len(one.steps)
        assert steps_in_words(one.steps)
        assert tell(one, old, new)
    assert found.is_whole
    assert len(named) == len(found.differences)
    # At the last menu that is allowed a list that hangs up differs from one that leads on; elsewhere it does too.
    assert named == expected, f"{old}\n{new}\n{limits}"
    return not expected


def test_the_differences_are_those_that_calls_show():
    random = Random(seed := secrets.randbits(32))
    results = [held_against_brute_force(random) for _ in range(40)]
    assert set(results) == {True, False}, seed


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_differences_of_many_menus_are_those_that_calls_show():
    random = Random(secrets.randbits(32))
    for _ in range(600):
        held_against_brute_force(random)


def test_menus_in_another_order_are_equivalent():
    random = Random(3)
    for _ in range(30):
        menus = small_menus(random)
        assert compare(menus, renumbered(random, menus), AS_DEPLOYED).differences == ()


def test_introductions_of_another_name_are_another_sound_unless_it_is_said_that_they_are_not():
    old, new = (menu("ivr_1", wrong=[Hangup()]),), (menu("ivr_2", wrong=[Hangup()]),)
    assert [one.kind for one in compare(old, new, AS_DEPLOYED).differences] == [Kind.PLAYED]
    assert compare(old, new, AS_DEPLOYED, renamed={"ivr_1": "ivr_2"}).differences == ()


def test_a_difference_is_told_in_words_without_what_may_be_secret():
    old = (menu(d1=[YES, GotoMenu(1)], wrong=[Hangup()]), menu(d1=[NO], wrong=[GotoMenu(0)]))
    new = (menu(d1=[YES, GotoMenu(2)], wrong=[Hangup()]), menu(), menu(d1=[], wrong=[GotoMenu(0)], d2=[YES]))
    told = [(steps_in_words(one.steps), tell(one, old, new)) for one in compare(old, new, AS_DEPLOYED).differences]
    assert told == [
        ("menu 0: 1 → menu 1 (new 2): 1", "sends https://shop.example/no {}; the new ones send nothing"),
        (
            "menu 0: 1 → menu 1 (new 2): 2",
            'sends nothing; the new ones send https://shop.example/yes {"a":1}',
        ),
        ("menu 0: 1 → menu 1 (new 2): 2", "menu 0 follows; with the new ones the call is hung up"),
    ]


def test_other_silent_repeats_are_a_difference():
    loop = (menu(d1=[Hangup()], wrong=[GotoMenu(0)]),)
    assert compare(loop, loop, AS_DEPLOYED, new_repeats=2).differences == ()
    (one,) = compare(loop, loop, AS_DEPLOYED, new_repeats=3).differences
    assert [step.heard for step in one.steps] == ["idle"] * 3
    assert tell(one, loop, loop) == "the call is ended for silence; with the new ones menu 0 follows"


@pytest.mark.parametrize(
    ("new", "heard", "otherwise"),
    [
        ((menu(d1=[YES], wrong=[GotoMenu(0)]),), ["idle", "d1"], Otherwise()),
        ((menu(d1=[NO], wrong=[GotoMenu(0)]),), ["idle", "d1"], Otherwise(1, 1, 1, 0, 0)),
        ((menu(d1=[YES], wrong=[Hangup()]),), ["idle", "d1"], Otherwise(1, 1, 0, 1, 0)),
        ((menu(d1=[YES, GotoMenu(0)], wrong=[GotoMenu(0)]),), ["d1"], Otherwise(1, 0, 0, 0, 1)),
        ((menu("other", d1=[YES], wrong=[GotoMenu(0)]),), ["d1"], Otherwise(1, 0, 0, 0, 0)),
        ((menu(d1=[YES], wrong=[GotoMenu(0)]),), ["prompt_error"], Otherwise()),
        ((menu(d1=[YES], wrong=[Hangup()]),), [], Otherwise()),
    ],
)
def test_a_call_that_was_made_goes_through_other_menus(new, heard, otherwise):
    assert replay((menu(d1=[YES], wrong=[GotoMenu(0)]),), new, heard, AS_DEPLOYED) == otherwise


def test_whatever_is_heard_in_a_menu_is_what_the_walk_does():
    random = Random(4)
    for _ in range(20):
        for one in small_menus(random):
            found = {(happens.heard, happens.case): happens.target for happens in happenings(one)}
            reactions = {heard: react(one, heard) for heard in (*one.may_hear(), "idle", "other")}
            assert found == {
                (heard, case if reaction.lookup else None): reaction.leads(case)
                for heard, reaction in reactions.items()
                for case in reaction.cases
            }


def test_nobody_can_tell_whether_an_opt_out_is_kept_before_or_behind_a_webhook_of_its_list():
    hook = Webhook("https://shop.example/confirmed")
    old, new = (
        (Menu("intro", 5000, {"d1": actions}),) for actions in ((OptOutStep("news"), hook), (hook, OptOutStep("news")))
    )
    found = compare(old, new, CallLimits(5))
    assert found.differences == ()
    assert found.is_whole
    assert compare(old, (Menu("intro", 5000, {"d1": (hook,)}),), CallLimits(5)).differences
