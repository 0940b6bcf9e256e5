"""Simulated calls, whole: every script of docs/telephony.md against the compiled machine, on a clock of its own."""

import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from speechcall.telephony.simulated.callees import KNOWN, callee_of, script_of
from speechcall.telephony.simulated.moments import Moment, NoMoment, What, attempt_of, contact_of, dump, parse
from tests.kit.races.simulated_side import SimulatedSide
from tests.kit.races.world import HOOK, PROMPT_SECONDS, Faults, World, world
from tests.kit.samples import MESSAGE

PAGE = Path(__file__).parents[2] / "docs" / "telephony.md"
MENUS = (
    Menu("intro", 5000, {"d1": (HOOK, GotoMenu(1)), "d2": (HOOK, Hangup()), "wrong": (HOOK, GotoMenu(1))}),
    Menu("intro", 5000, {"d1": (HOOK, Hangup()), "d#": (HOOK, Hangup()), "wrong": (GotoMenu(0),)}),
)
DONE = ("answered", "completed")
COMES_TO: dict[str, tuple[str, str, str]] = {
    "01": ("d1 idle idle idle idle", "answered", "silence"),
    "02": ("d2", *DONE),
    "05": ("d5 idle idle idle idle", "answered", "silence"),
    "10": ("d0 " * 49 + "d0", "answered", "limit"),
    "11": ("d1 d1", *DONE),
    "12": ("d2", *DONE),
    "20": ("idle idle idle idle", "answered", "silence"),
    "21": ("d* idle idle idle idle", "answered", "silence"),
    "22": ("d# idle idle idle idle", "answered", "silence"),
    "23": ("d9 d1", *DONE),
    "24": ("idle d1", *DONE),
    "30": ("", "busy", "busy"),
    "31": ("", "noAnswer", "noAnswer"),
    "32": ("", "busy", "busy"),
    "33": ("", "invalidNumber", "invalidNumber"),
    "34": ("", "blocked", "blocked"),
    "35": ("", "failed", "failed"),
    "36": ("", "failed", "telephonyMisconfigured"),
    "37": ("", "expired", "expired"),
    "40": ("", "answered", "callerHungUp"),
    "41": ("", "answered", "callerHungUp"),
    "42": ("", "answered", "callerHungUp"),
    "43": ("d1", "answered", "callerHungUp"),
    "44": ("d1", "answered", "callerHungUp"),
    "45": ("prompt_error", "failed", "notPlayed"),
    "46": ("d1 prompt_error", "answered", "promptUnavailable"),
    "261": ("d2", *DONE),
    "1162": ("d1 d1", *DONE),
    "1972": ("d1 d#", *DONE),
    "99": ("d1 idle idle idle idle", "answered", "silence"),
}
"""By the end of a number: what is heard, and the message's outcome and reason."""


def called(ending: str, faults: Faults | None = None, seed: int = 7, **more: Any) -> World:
    """One message to a number that ends so, to its end."""
    here = world(Random(seed), SimulatedSide, faults, menus=MENUS)
    number = f"+38067{ending:0>7}"
    with patch("tests.kit.races.world.MESSAGE", replace(MESSAGE, number=number, recipient=number, **more)):
        here.run(lambda: None)
    return here


def heard(here: World) -> str:
    return " ".join(step.heard for step in here.last_call.path) if here.last_call else ""


@pytest.mark.parametrize("ending", COMES_TO)
def test_each_script_comes_to_its_end(ending: str) -> None:
    here = called(ending)
    here.check()
    assert (heard(here), here.message.outcome, here.message.reason) == COMES_TO[ending]


@pytest.mark.parametrize(
    ("ending", "comes_to"),
    [("04", "complete idle idle idle"), ("25", "other " * 49 + "other"), ("24", "idle complete idle idle idle")],
)
def test_who_presses_a_key_enters_as_many_digits_as_are_asked_for(ending: str, comes_to: str) -> None:
    menus = (Menu("intro", 5000, {"complete": (HOOK, GotoMenu(0)), "wrong": (GotoMenu(0),)}, input=Input(4, 8)),)
    with patch(f"{__name__}.MENUS", menus):
        here = called(ending)
    here.check()
    assert heard(here) == comes_to


def key_msec(here: World) -> int:
    """How long behind the answer the first key was heard."""
    answered, key, *_ = here.last_call.log if here.last_call else ()
    return key.at_msec - answered.at_msec


def test_a_key_is_not_pressed_before_it_can_be_heard() -> None:
    menus = (Menu("intro", 5000, {"d1": (), "wrong": ()}),)
    with patch(f"{__name__}.MENUS", menus):
        at_once = called("1")
    with patch(f"{__name__}.MENUS", (menus[0]._replace(barge_in=False),)):
        behind = called("1")
    assert heard(at_once) == heard(behind) == "d1"
    assert key_msec(behind) - key_msec(at_once) >= PROMPT_SECONDS * 1000 / 2


@pytest.mark.parametrize(("script", "first"), [("50", "30"), ("51", "31"), ("52", "35"), ("53", "20")])
def test_who_is_not_reached_at_first_presses_1_in_the_next_call(script: str, first: str) -> None:
    assert callee_of(script, 1) == callee_of(first, 1)
    assert callee_of(script, 2) == callee_of("01", 1)


def test_a_call_whose_message_is_cancelled_is_ended() -> None:
    here = world(Random(3), SimulatedSide, menus=MENUS)
    here.play.after(6, here.cancel_soon)
    with patch("tests.kit.races.world.MESSAGE", replace(MESSAGE, number="+380670000020")):
        here.run(lambda: None)
    here.check()
    assert (here.message.outcome, here.message.reason) == ("answered", "cancelled")
    assert here.call is not None
    assert here.call.ended_msec is not None
    assert here.call.ended_msec < here.call.dialled_msec + 10_000


ENDINGS = ("02", "11", "20", "23", "30", "31", "41", "43", "44", "46")


def faults_of(random: Random) -> Faults:
    """What SQS, Lambda, DynamoDB and Step Functions may do to a call, none of which may change what it comes to."""
    failing = random.choice((0.0, 0.05))
    return Faults(
        doubled=random.choice((0.0, 0.3)),
        answered_twice=random.choice((0.0, 0.4)),
        failing=lambda actor, _operation: actor == "follow_call" and random.random() < failing,
        failing_after=lambda actor, operation: (
            actor == "follow_call" and operation == "append" and random.random() < failing
        ),
    )


def test_moments_that_come_twice_late_or_fail_change_nothing() -> None:
    for seed in range(60):
        random = Random(seed)
        ending = random.choice(ENDINGS)
        here = called(ending, faults_of(random), seed)
        try:
            here.check()
            assert (heard(here), here.message.outcome, here.message.reason) == COMES_TO[ending]
        except AssertionError as error:
            pytest.fail(f"seed {seed}, number …{ending}: {error}")


def test_a_chain_that_breaks_off_does_not_keep_its_line() -> None:
    here = world(Random(1), SimulatedSide, menus=MENUS)
    side = here.side
    deliver = side._deliver
    side._deliver = lambda body, *given: None if parse(body).what is What.HEARS else deliver(body, *given)
    with patch("tests.kit.races.world.MESSAGE", replace(MESSAGE, number="+380670000001")):
        here.run(lambda: None)
    here.check()
    assert (here.message.outcome, here.message.reason) == ("noAnswer", "noAnswer")


# ------------------------------------------------------------------- callees
def test_every_script_is_on_the_page_that_explains_them_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^|]+)` \| ", page.split("### Who answers")[1].split("\n## ")[0], re.MULTILINE)
    told: set[str] = set()
    for row in rows:
        for one in row.replace("`", "").split(", "):
            first, _, last = one.partition(" to ")
            told |= {f"{number:02}" for number in range(int(first), int(last or first) + 1)}
    assert told == KNOWN | {f"{tens}{count}" for tens in "67" for count in range(6)}


@pytest.mark.parametrize(
    ("number", "script"),
    [("+380671234501", "01"), ("+380671234562", "4562"), ("+380671234565", "1234565"), ("+380671234566", "66")],
)
def test_only_so_much_of_a_number_is_its_script(number: str, script: str) -> None:
    assert script_of(number) == script


def test_keys_before_the_last_two_digits_may_be_star_and_hash() -> None:
    assert [callee_of("10273", 1).deed(ordinal).key for ordinal in (1, 2, 3, 4)] == ["1", "*", "2", ""]


# ------------------------------------------------------------------- moments
def test_a_moment_comes_out_of_the_queue_as_it_went_in() -> None:
    moment = Moment("1", 2, What.HEARS, "01", 45, 3, 4, "key", 5, "*", leaves=True, tries=1)
    assert parse(dump(moment)) == moment
    assert parse(dump(Moment("1", 2, What.STOPPED))) == Moment("1", 2, What.STOPPED)
    assert moment.contact_id == contact_of("1", 2)
    assert attempt_of(moment.contact_id) == ("1", 2)
    assert attempt_of("7f2b1c0e-aaaa-bbbb-cccc-1234567890ab") is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"mid": "1", "attempt": 1}',
        '{"mid": "x", "attempt": 1, "what": "rings"}',
        '{"mid": "1", "attempt": 1, "what": "sings"}',
        '{"mid": "1", "attempt": 1, "what": "ends", "cause": "boredom"}',
        '{"mid": "1", "attempt": 1, "what": "hears", "seq": -1}',
        '{"mid": "1", "attempt": 1, "what": "hears", "seq": true}',
        '{"mid": "1", "attempt": 1, "what": "hears", "key": 5}',
        '{"mid": "1", "attempt": 1, "what": "hears", "leaves": "yes"}',
    ],
)
def test_what_is_no_moment(body: str) -> None:
    with pytest.raises(NoMoment):
        parse(body)
