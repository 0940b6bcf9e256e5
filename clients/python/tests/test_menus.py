"""Menus and messages as objects become what the API takes."""

import pytest

from speechcall_client import (
    Digits,
    Menu,
    Message,
    Redial,
    Repeat,
    Say,
    Window,
    action,
    goto,
    hangup,
    lookup,
    opt_out,
    pause,
    recording,
    spell,
    webhook,
)


def test_a_menu_is_what_the_api_takes():
    menu = (
        Menu(audio="welcome", wait=1.5)
        .on(1, webhook("https://shop.example/1", headers={"X-Shop": "7"}, order=7), hangup())
        .on("*", goto(0))
        .otherwise(opt_out("offers"))
    )
    assert menu.to_json() == {
        "introUrl": "welcome",
        "idleTimeoutMsec": 1500,
        "dtmfActions": {
            "d1": [
                {
                    "action": "webhook",
                    "url": "https://shop.example/1",
                    "body": {"order": 7},
                    "headers": {"X-Shop": "7"},
                },
                {"action": "hangup"},
            ],
            "d*": [{"action": "gotoMenu", "menu": 0}],
            "wrong": [{"action": "optOut", "list": "offers"}],
        },
    }
    digits = Menu(audio="a", digits=Digits(8, least=4, wait=1.5)).on_digits(hangup())
    asked = {"minDigits": 4, "maxDigits": 8, "endKey": "#", "interDigitMsec": 1500}
    assert digits.to_json() == {"introUrl": "a", "input": asked, "dtmfActions": {"complete": [{"action": "hangup"}]}}
    assert Digits(4, sensitive=True).to_json()["sensitive"] is True
    apart = Menu(audio="a").on_silence(goto(0)).on_other_key(hangup())
    assert apart.to_json()["dtmfActions"] == {
        "silence": [{"action": "gotoMenu", "menu": 0}],
        "invalid": [{"action": "hangup"}],
    }
    code = Menu(play=[recording("your_code"), pause(0.3), Say("is", "en-GB"), spell("40", "uk_")]).on(1, hangup())
    assert code.to_json()["play"] == [
        {"audio": "your_code"},
        {"pauseMsec": 300},
        {"say": {"text": "is", "language": "en-GB"}},
        {"spell": "40", "recordings": "uk_"},
    ]
    assert set(code.to_json()) == {"play", "dtmfActions"}
    said = Menu(say=Say("Good morning.", "en-GB", "Amy")).to_json()
    assert said == {"say": {"text": "Good morning.", "language": "en-GB", "voice": "Amy"}, "dtmfActions": {}}


def test_an_action_that_the_client_does_not_know_yet_is_sent_as_it_is():
    assert action("record", url="https://a.example").to_json() == {"action": "record", "url": "https://a.example"}
    assert opt_out().to_json() == {"action": "optOut"}


def test_a_lookup_names_its_cases_and_where_everything_else_leads():
    asked = lookup("https://a.example", {"paid": 2}, 1, timeout=1.5, headers={"Authorization": "k"}, order=7)
    assert asked.to_json() == {
        "action": "lookup",
        "url": "https://a.example",
        "body": {"order": 7},
        "headers": {"Authorization": "k"},
        "timeoutMsec": 1500,
        "cases": {"paid": 2},
        "else": 1,
    }
    assert lookup("https://a.example", {"paid": 0}, 0).to_json().keys() == {"action", "url", "body", "cases", "else"}


def test_a_menu_is_a_value():
    start = Menu(audio="welcome").on(1, hangup())
    assert start.on(2, hangup()) != start
    assert start.to_json()["dtmfActions"].keys() == {"d1"}
    assert start == Menu(audio="welcome").on("1", hangup())
    assert len({start, Menu(audio="welcome").on(1, hangup())}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Menu(audio="a", say=Say("a", "en-GB")),
        lambda: Menu(audio="a", wait=0),
        lambda: Menu(audio="a", wait=181),
        lambda: Menu(audio="a").on(10, hangup()),
        lambda: Menu(audio="a").on("d1", hangup()),
        lambda: Menu(audio="a").on(True, hangup()),
        lambda: Menu(audio="a").on("", hangup()),
        lambda: Menu(audio="a").on(1, hangup()).on("1", hangup()),
        lambda: Menu(audio="a").otherwise(hangup()).otherwise(hangup()),
        lambda: Menu(audio="a").on_silence(hangup()).on_silence(hangup()),
        lambda: Menu(audio="a").on_digits(hangup()),
        lambda: Menu(audio="a", digits=Digits(4)).on(1, hangup()),
        lambda: Menu(audio="a", play=[pause(1)]),
        lambda: goto(-1),
        lambda: goto(True),
    ],
)
def test_a_mistake_is_told_where_it_is_made(wrong):
    with pytest.raises(ValueError, match=r"."):
        wrong()


def test_a_menu_is_asked_again_with_its_own_introduction_or_another():
    again = Menu(audio="a", repeat=Repeat(2, say=Say("Once more.", "en-GB"))).on(1, hangup()).to_json()
    assert again == {
        "introUrl": "a",
        "dtmfActions": {"d1": [{"action": "hangup"}]},
        "repeat": {"times": 2, "say": {"text": "Once more.", "language": "en-GB"}},
    }
    assert Menu(audio="a", barge_in=False).on(1, hangup()).to_json()["bargeIn"] is False
    assert "bargeIn" not in Menu(audio="a").to_json()
    assert Menu(audio="a", repeat=Repeat(1)).to_json()["repeat"] == {"times": 1}
    for wrong in (lambda: Repeat(0), lambda: Repeat(6), lambda: Repeat(1, audio="a", play=[pause(1)])):
        with pytest.raises(ValueError, match=r"repeat|again"):
            wrong()


def test_a_message_of_shared_menus_says_only_what_stands_in_them():
    shared = Message(to="+380671234567", sender="Shop", vars={"order": "4711"}).to_json()
    assert shared == {
        "from": "Shop",
        "to": "+380671234567",
        "text": "speechcall",
        "type": "speechcall",
        "vars": {"order": "4711"},
    }


def test_a_message_says_only_what_was_said():
    plain = Message(to="+380671234567", sender="Shop", menus=[Menu(audio="a")])
    assert plain.to_json() == {
        "from": "Shop",
        "to": "+380671234567",
        "text": "speechcall",
        "type": "speechcall",
        "menu": [{"introUrl": "a", "dtmfActions": {}}],
    }
    full = Message(
        to="+380671234567",
        sender="Shop",
        menus=(Menu(audio="a"),),
        text="order 7",
        customer_message_id="7",
        ttl=600,
        ring_timeout_sec=30,
        silent_repeats=0,
        redial=Redial(2, (300, 900), ("busy", "noKey")),
        priority="urgent",
        send_at="2026-12-01T09:00:00+02:00",
        windows=[Window("09:00", "20:00", ("mon",)), Window("10:00", "12:00")],
        time_zone="recipient",
        not_on=["2026-12-25"],
        opt_out_lists=["offers"],
        ignore_opt_out=True,
        consent={"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 7"},
        more={"statusUrl": "https://shop.example/status"},
    ).to_json()
    assert full.pop("menu")
    assert full == {
        "from": "Shop",
        "to": "+380671234567",
        "text": "order 7",
        "type": "speechcall",
        "customerMessageId": "7",
        "ttl": 600,
        "ringTimeoutSec": 30,
        "silentRepeats": 0,
        "redial": {"attempts": 2, "afterSec": [300, 900], "on": ["busy", "noKey"]},
        "priority": "urgent",
        "sendAt": "2026-12-01T09:00:00+02:00",
        "windows": [{"from": "09:00", "to": "20:00", "days": ["mon"]}, {"from": "10:00", "to": "12:00"}],
        "timeZone": "recipient",
        "notOn": ["2026-12-25"],
        "optOutLists": ["offers"],
        "ignoreOptOut": True,
        "consent": {"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 7"},
        "statusUrl": "https://shop.example/status",
    }
    assert plain.with_number("+4930123456", "8").to_json()["customerMessageId"] == "8"
