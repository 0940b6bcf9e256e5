"""What is owed when a state machine is over before it has come to all that was heard."""

import pytest

from speechcall.calls.rules.owed import opt_out_at, owed_opt_outs, owed_webhooks
from speechcall.menus.rules.call_log import Plan
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, OptOutStep
from speechcall.menus.rules.walk import table_of
from speechcall.shared.rules.outcome import End
from tests.kit.samples import CALL, HOOK, MID, NOW

NEWS = OptOutStep("news")
MENUS = (
    Menu(
        "intro",
        1000,
        {"d1": (HOOK, HOOK, GotoMenu(0)), "d9": (HOOK, NEWS, Hangup(), NEWS), "wrong": (HOOK, GotoMenu(0))},
    ),
)


def call(seq, *words):
    made = CALL._replace(plan=Plan(table_of(MENUS), 50, NOW + 900_000, 9))
    for word in ("answered", *words):
        event = "key" if word.startswith("d") else word
        made = made.with_entry(made.would_log(made.log_seq + 1, event, word if event == "key" else "", NOW))
    return made._replace(seq=seq)


def names(seq, *words, end=End.FAILED):
    return [task.event_id.removeprefix(f"{MID}-1-") for task in owed_webhooks(call(seq, *words), MENUS, end)]


def test_everything_from_the_question_on_that_the_machine_asked_last_is_owed_in_order():
    assert names(2, "d1", "idle", "d7") == ["2-m0-d1-0", "2-m0-d1-1", "3-m0-wrong-0", "4-m0-wrong-0"]
    assert names(4, "d1", "idle", "d7") == ["4-m0-wrong-0"]
    assert names(5, "d1", "idle", "d7") == []


def test_what_a_machine_that_never_heard_of_the_answer_did_not_come_to_is_owed():
    assert names(1, "d1") == ["2-m0-d1-0", "2-m0-d1-1"]
    assert names(1) == []


@pytest.mark.parametrize("end", [End.COMPLETED, End.CALLER_HUNG_UP])
def test_a_machine_that_ended_by_itself_owes_nothing(end):
    assert names(2, "d1", end=end) == []


def test_an_introduction_that_was_not_heard_owes_nothing():
    assert names(2, "prompt_error") == []


def test_an_opt_out_to_which_the_machine_did_not_come_is_owed_and_none_behind_the_end_of_its_list():
    assert owed_opt_outs(call(2, "d1", "d9"), MENUS, End.FAILED) == [NEWS]
    assert owed_opt_outs(call(3, "d1", "d9"), MENUS, End.LOST) == [NEWS]
    assert owed_opt_outs(call(4, "d1", "d9"), MENUS, End.FAILED) == []
    assert owed_opt_outs(call(2, "d9"), MENUS, End.COMPLETED) == []
    assert owed_opt_outs(call(2, "d1", "idle", "prompt_error"), MENUS, End.FAILED) == []
    assert owed_opt_outs(CALL._replace(seq=2), MENUS, End.FAILED) == []


def test_an_opt_out_is_found_at_its_place_and_nothing_else_is_taken_for_one():
    assert opt_out_at(MENUS, 0, "d9", 1) == NEWS
    for menu, key, step in [(0, "d9", 0), (0, "d8", 1), (0, "d9", 4), (1, "d9", 1)]:
        with pytest.raises(LookupError):
            opt_out_at(MENUS, menu, key, step)


def test_a_call_without_a_log_owes_nothing():
    assert owed_webhooks(CALL._replace(seq=2), MENUS, End.FAILED) == []
