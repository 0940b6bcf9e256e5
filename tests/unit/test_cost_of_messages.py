"""`cost`: what the calls of a message have cost, in its status, events and exports; left out where it is not known."""

import csv
import io
import json
from dataclasses import replace

import pytest

from speechcall.calls.rules.call import Cause
from speechcall.messages.rules.message import State
from speechcall.money.rules.rate import ONE, Prices, Rate
from speechcall.status.use_cases.export import COLUMNS, Format, render, row_of
from speechcall.status.use_cases.status import NOT_HELD, History, describe_message
from speechcall.status.use_cases.status_event import Facts, describe_event
from tests.kit.samples import CALL, MESSAGE, NOW

FINISHED = replace(MESSAGE, state=State.FINISHED, attempt=2, outcome="answered", reason="completed", finished_msec=NOW)
BEFORE, SINCE = Rate("380", 60, ONE // 10, 1, 1), Rate("380", 60, ONE // 4, 6, 20_000)
UNANSWERED = CALL._replace(ended_msec=NOW + 30_000, cause=Cause.NO_ANSWER)


def answered(attempt, seconds, **more):
    begins = NOW + 100_000 * attempt
    ends = {"answered_msec": begins, "ended_msec": begins + round(1000 * seconds), "cause": Cause.HUNG_UP}
    return CALL._replace(attempt=attempt, dialled_msec=begins, **(ends | more))


def cost(*calls, rates=None, **message):
    prices = Prices("EUR", {1: BEFORE, 2: SINCE} if rates is None else rates)
    told = describe_message(History(replace(FINISHED, **message), calls, (), prices=prices), NOW)
    return told.get("cost"), told.get("costCurrency")


@pytest.mark.parametrize(
    ("calls", "amount"),
    [
        ((), 0),
        ((UNANSWERED,), 0),
        ((answered(1, 59.9),), 0.1),
        ((UNANSWERED, answered(2, 60.001)), 0.27),
        ((answered(1, 61.5), answered(2, 72)), 0.390002),
        # The call is up: it has cost nothing yet.
        ((answered(1, 8), answered(2, 9, ended_msec=None, cause=None)), 0.1),
        # Nothing was dialled.
        ((answered(1, 8), answered(2, 9, stop_reason="notPlaced")), 0.1),
    ],
)
def test_all_attempts_count_each_under_its_own_rate(calls, amount):
    assert cost(*calls) == (amount, "EUR")


def test_what_is_not_known_is_left_out():
    assert cost(answered(1, 8), answered(2, 9), rates={1: BEFORE}) == (None, None)
    # A call that nobody answers costs nothing whatever its rate is.
    assert cost(UNANSWERED, rates={}) == (0, "EUR")
    told = describe_message(History(FINISHED, (answered(1, 8),), ()), NOW)
    assert not {"cost", "costCurrency"} & told.keys()


@pytest.mark.parametrize(
    ("kind", "attempt", "outcome", "amount"), [("attempt", 1, None, 0.1), ("final", 2, "answered", 0.35)]
)
def test_an_event_says_what_it_had_cost_then(kind, attempt, outcome, amount):
    history = History(FINISHED, (answered(1, 8), answered(2, 9)), (), prices=Prices("EUR", {1: BEFORE, 2: SINCE}))
    event = describe_event(history, Facts(kind, attempt, NOW, outcome, outcome))
    assert (event["cost"], event["costCurrency"]) == (amount, "EUR")
    assert json.loads(json.dumps(event))["cost"] == amount
    assert "cost" not in describe_event(replace(history, prices=None), Facts(kind, attempt, NOW, outcome, outcome))


def test_an_export_has_it_in_plain_digits():
    little = History(FINISHED, (answered(1, 61),), (), prices=Prices("EUR", {1: Rate("380", 60, 0, 1, 1)}))
    rows = [row_of(one, NOW, NOT_HELD) for one in (little, replace(little, calls=()), replace(little, prices=None))]
    _, *cells = csv.reader(io.StringIO(render(rows, Format.CSV, begins=True), newline=""))
    place = COLUMNS.index("cost")
    assert [row[place:] for row in cells] == [["0.000001", "EUR"], ["0", "EUR"], ["", ""]]
    (line, *_) = render(rows, Format.JSONL, begins=True).splitlines()
    assert json.loads(line)["cost"] == 0.000001
