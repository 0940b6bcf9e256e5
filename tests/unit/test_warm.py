"""Functions that are made ready while the phone rings, and for how long somebody waited."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from speechcall.calls.adapters.warm_functions import WARM, Warming, make_ready
from speechcall.calls.use_cases.report import LOST, Heard, Next, Op
from speechcall.shared.adapters.invocation_start import MOST_START_MSEC, Began, process_started_msec
from speechcall.shared.rules.errors import EngineUnavailable, StoreUnavailable
from speechcall.telephony.heard_metrics import tell_of
from tests.kit.samples import NOW


class Lambda:
    def __init__(self, error=None):
        self.error, self.invoked = error, []

    def invoke(self, **request):
        self.invoked.append(request)
        if self.error:
            raise self.error


def test_the_function_is_invoked_without_waiting_for_it():
    client: Any = Lambda()
    Warming(lambda: client, "connect-flow")()
    (request,) = client.invoked
    assert request["FunctionName"] == "connect-flow"
    assert request["InvocationType"] == "Event"
    assert json.loads(request["Payload"]) == WARM


@pytest.mark.parametrize(
    "error",
    [ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"), ConnectTimeoutError(endpoint_url="x")],
)
def test_a_lambda_that_cannot_be_asked_is_nobodys_trouble(error, caplog):
    client: Any = Lambda(error)
    Warming(lambda: client, "connect-flow")()
    assert "could not be made ready" in caplog.text


def test_being_made_ready_opens_both_connections_whatever_they_answer():
    asked = []

    class Away:
        def get(self, *key):
            asked.append("store")
            raise StoreUnavailable("x")

        def succeed(self, *answer):
            asked.append("engine")
            raise EngineUnavailable("x")

        fail = succeed

    away: Any = Away()
    make_ready(away, away)
    assert asked == ["store", "engine"]


@pytest.mark.parametrize(("age", "expected"), [(300, NOW - 300), (MOST_START_MSEC, NOW), (-1, NOW)])
def test_the_first_invocation_of_a_young_process_began_with_it(age, expected):
    began = Began(lambda: NOW, NOW - age)
    assert began() == expected
    assert began() == NOW


def test_when_this_process_was_started_is_known_or_said_not_to_be():
    started = process_started_msec()
    assert started == 0 or started > 1_600_000_000_000


@pytest.mark.parametrize(
    ("step", "event", "expected"),
    [
        (Next(Op.ASK, 2), "answered", {"AnswerToFirstCommandMsec": 250.0}),
        (Next(Op.ASK, 3), "key", {}),
        (Next(Op.HOLD, 1), "answered", {}),
        (LOST, "next", {"CallsLost": 1.0}),
    ],
)
def test_what_is_worth_a_number_is_one(step, event, expected, capsys):
    tell_of(step, Heard(event, 1, began_msec=NOW - 250), NOW)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ("AnswerToFirstCommandMsec", "CallsLost")
    assert {name: line[name][0] for line in found for name in names if name in line} == expected
