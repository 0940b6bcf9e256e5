"""What is said about a menu before anybody is called."""

import pytest

from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.menu_picture import draw, explain
from speechcall.menus.rules.menu_report import call_bounds, no_opt_out_key, report
from speechcall.menus.rules.speech import Say

HOOK = Webhook("https://user-api.example.com/secret?token=1")


def menu(idle=10_000, intro="ivr_1", **actions):
    return Menu(intro, idle, {key: tuple(steps) for key, steps in actions.items()})


GOOD = menu(d1=[HOOK, Hangup()], wrong=[Hangup()])


def codes(*menus):
    return {(found.code, found.path.removeprefix("m.")) for found in report(menus, "m")}


def test_nothing_is_said_about_a_good_menu():
    assert report((GOOD,), "m") == []


@pytest.mark.parametrize(
    ("menus", "expected"),
    [
        ((GOOD, GOOD), ("UNREACHABLE_MENU", "menu[1]")),
        ((menu(d1=[Hangup(), HOOK], wrong=[Hangup()]),), ("UNREACHABLE_ACTION", "menu[0].dtmfActions.d1[1]")),
        ((menu(wrong=[GotoMenu(0)]),), ("ENDLESS_SILENCE", "menu[0].dtmfActions.wrong")),
        (
            (menu(d1=[Hangup()], wrong=[GotoMenu(1)]), menu(wrong=[HOOK, GotoMenu(2)]), menu(wrong=[GotoMenu(1)])),
            ("ENDLESS_SILENCE", "menu[1].dtmfActions.wrong"),
        ),
        ((menu(d1=[GotoMenu(0)], wrong=[Hangup()]),), ("KEY_LEADS_BACK", "menu[0].dtmfActions.d1")),
        ((menu(d1=[Hangup()]),), ("NO_WRONG_LIST", "menu[0].dtmfActions")),
        ((menu(d1=[Hangup()], silence=[Hangup()]),), ("NO_WRONG_LIST", "menu[0].dtmfActions")),
        (
            (menu(d1=[Hangup()], silence=[Hangup()], invalid=[Hangup()], wrong=[Hangup()]),),
            ("UNREACHABLE_LIST", "menu[0].dtmfActions.wrong"),
        ),
        (
            (menu(d1=[Hangup()], silence=[GotoMenu(0)], wrong=[Hangup()]),),
            ("ENDLESS_SILENCE", "menu[0].dtmfActions.silence"),
        ),
        ((menu(d1=[HOOK], wrong=[Hangup()]),), ("LIST_WITHOUT_END", "menu[0].dtmfActions.d1")),
        ((menu(wrong=[]),), ("LIST_WITHOUT_END", "menu[0].dtmfActions.wrong")),
        ((menu(**{f"d{n}": [Hangup()] for n in range(7)}, wrong=[Hangup()]),), ("MANY_KEYS", "menu[0].dtmfActions")),
        ((menu(idle=10, wrong=[Hangup()]),), ("SHORT_IDLE_TIMEOUT", "menu[0].idleTimeoutMsec")),
    ],
)
def test_each_finding_has_its_code_and_its_place(menus, expected):
    assert codes(*menus) == {expected}


OPT_OUT = OptOutStep("news")


@pytest.mark.parametrize(
    "menus",
    [
        (GOOD,),
        (menu(d9=[Hangup(), OPT_OUT], wrong=[]),),
        (menu(d1=[Hangup()], wrong=[OPT_OUT]),),
        (GOOD, menu(d9=[OPT_OUT])),
    ],
)
def test_where_no_key_that_can_be_pressed_opts_out_it_is_said(menus):
    assert [(one.code, one.path) for one in no_opt_out_key(menus, "m")] == [("NO_OPT_OUT_KEY", "m.menu")]


def test_a_key_that_opts_out_needs_no_end_and_leads_nobody_back():
    good = menu(d1=[OPT_OUT], d2=[OptOutStep(""), GotoMenu(0)], wrong=[Hangup()])
    assert report((good,), "m") == []
    assert no_opt_out_key((menu(d1=[GotoMenu(1)]), good), "m") == []


def test_a_circle_that_a_key_leaves_but_silence_does_not_is_told_once():
    found = report((menu(wrong=[GotoMenu(1)]), menu(wrong=[GotoMenu(0)])), "m")
    assert [one.code for one in found] == ["ENDLESS_SILENCE"]
    assert "menu 0, menu 1" in found[0].message


def test_a_short_timeout_asks_what_was_meant():
    (found,) = report((menu(idle=10, wrong=[Hangup()]),), "m")
    assert "did you mean 10000?" in found.message


@pytest.mark.parametrize(
    ("menus", "prompts", "expected"),
    [
        ((GOOD,), {}, (1, 1, 10)),
        ((GOOD,), {"ivr_1": 3.6}, (1, 1, 14)),
        ((menu(wrong=[GotoMenu(1)]), GOOD), {"ivr_1": 5}, (2, 2, 30)),
        ((menu(wrong=[GotoMenu(0)]),), {}, (None, 50, 500)),
        ((menu(idle=60_000, wrong=[GotoMenu(0)]),), {}, (None, 50, 900)),
        ((menu(d1=[GotoMenu(1)], wrong=[Hangup()]), menu(idle=30_000, wrong=[Hangup()])), {}, (1, 2, 40)),
    ],
)
def test_how_short_and_how_long_a_call_can_be(menus, prompts, expected):
    bounds = call_bounds(menus, prompts)
    assert (bounds.shortest_menus, bounds.longest_menus, bounds.longest_seconds) == expected


def test_the_picture_shows_every_key_and_no_secret():
    text = draw((menu(d1=[HOOK, GotoMenu(1)], wrong=[GotoMenu(1)]), menu(**{"d#": [Hangup()]}), GOOD))
    assert text.splitlines()[0] == "flowchart TD"
    assert '  m0 -- "1" --> w0_0_0[/"webhook to user-api.example.com"/]' in text
    assert "  w0_0_0 --> m1" in text
    assert '  m0 -- "another key, or silence" --> m1' in text
    assert '  m1 -- "#" --> hangup' in text
    assert '  m1 -- "another key, or silence" --> hangup' in text
    assert "m2" not in text
    assert "token" not in text


def test_silence_and_a_key_without_a_list_are_drawn_and_explained_apart():
    both = menu(d1=[Hangup()], silence=[HOOK, GotoMenu(1)], invalid=[GotoMenu(0)], wrong=[GotoMenu(2)])
    menus = (both, menu(silence=[GotoMenu(0)]), GOOD)
    picture, words = draw(menus), explain(menus, {})
    assert '  m0 -- "silence" --> w0_1_0[' in picture
    assert '  m0 -- "another key" --> m0' in picture
    assert '  m1 -- "silence" --> m0' in picture
    assert '  m1 -- "another key" --> hangup' in picture
    assert "m2" not in picture  # only the `wrong` that never runs leads there
    assert "  No key: user-api.example.com is told, then menu 1 follows." in words
    assert "  Any other key: menu 0 follows." in words
    assert "  Any other key: the call is hung up." in words
    assert "menu 2 follows" not in words
    assert codes(both, menu(silence=[GotoMenu(0)])) >= {("UNREACHABLE_LIST", "menu[0].dtmfActions.wrong")}


def test_what_is_not_said_of_silence_and_wrong_keys_is_named():
    texts = {
        lists: report((menu(d1=[Hangup()], **{key: [Hangup()] for key in lists}),), "m")[0].message
        for lists in ((), ("silence",), ("invalid",))
    }
    assert texts == {
        (): "says nothing about wrong keys and silence: the call is hung up then",
        ("silence",): "says nothing about wrong keys: the call is hung up then",
        ("invalid",): "says nothing about silence: the call is hung up then",
    }


def test_an_opt_out_is_drawn_and_explained():
    menus = (menu(d9=[OPT_OUT, Hangup()], d8=[OptOutStep(""), GotoMenu(0)], wrong=[Hangup()]),)
    picture, words = draw(menus), explain(menus, {})
    assert '[/"opts out of news"/]' in picture
    assert '[/"opts out"/]' in picture
    assert "  Key 9: the number opts out of the list news, then the call is hung up." in words
    assert "  Key 8: the number opts out of all calls, then menu 0 follows." in words


def test_the_words_say_what_the_callee_meets():
    text = explain((menu(d1=[HOOK, Hangup()], d2=[HOOK], wrong=[GotoMenu(1)]), menu(wrong=[]), GOOD), {"ivr_1": 3.6})
    assert text == (
        "Menu 0: the callee hears ivr_1 (3.6 s), and then has 10 s to press a key.\n"
        "  Key 1: user-api.example.com is told, then the call is hung up.\n"
        "  Key 2: user-api.example.com is told, then the call is hung up.\n"
        "  Any other key, or none: menu 1 follows.\n"
        "\n"
        "Menu 1: the callee hears ivr_1 (3.6 s), and then has 10 s to press a key.\n"
        "  Any other key, or none: the call is hung up.\n"
        "\n"
        "Menu 2: the callee hears ivr_1 (3.6 s), and then has 10 s to press a key. "
        "No key leads here, so it is never heard.\n"
        "  Key 1: user-api.example.com is told, then the call is hung up.\n"
        "  Any other key, or none: the call is hung up."
    )


def test_of_spoken_text_the_voice_is_shown_and_not_the_text():
    say = Say("The code is 1234.", "en-GB", "Amy")
    text = explain((Menu(say.name, 10_000, {}, say),), {})
    assert "the callee hears Amy speak a text (en-GB), and then has 10 s" in text
    assert "1234" not in text + draw((Menu(say.name, 10_000, {}, say),)) + repr(say)


def test_digits_are_drawn_and_explained():
    lists = {"complete": (HOOK, Hangup()), "silence": (Hangup(),), "invalid": (GotoMenu(0),)}
    menus = (Menu("ivr", 10_000, lists, input=Input(4, 8)),)
    picture, words = draw(menus), explain(menus, {})
    assert '-- "4 to 8 digits, then #" -->' in picture
    assert '-- "other digits" -->' in picture
    assert "then has 10 s to begin with 4 to 8 digits, then # (3 s for each next key)." in words
    assert "  4 to 8 digits, then #: user-api.example.com is told, then the call is hung up." in words
    assert "  Any other digits: menu 0 follows." in words
    assert call_bounds(menus, {}, 1).longest_seconds == 10 + 7 * 3


def test_menus_that_silence_leads_round_say_how_such_a_call_ends():
    (found,) = report((menu(wrong=[GotoMenu(0)]),), "m")
    assert "for ever" not in found.message
    assert "after 2 repeats, or as many as silentRepeats says, the call is hung up" in found.message
