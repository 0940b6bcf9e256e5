"""The callee hears the next menu while the state machine stands still. No clock is looked at."""

import threading

import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, press
from speechcall.calls.adapters import warm_functions as warm
from speechcall.calls.rules.call import Kind
from speechcall.calls.use_cases.control_call import Control
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

MENUS = (
    menu(d1=[webhook({"menu": 0}), goto(1)], wrong=[HANGUP]),
    menu(d2=[webhook({"menu": 1}), goto(2)], wrong=[HANGUP]),
    menu(d3=[webhook({"menu": 2}), HANGUP], wrong=[HANGUP]),
)


@pytest.mark.parametrize("telephony", RINGING)
def test_three_keys_are_heard_in_three_menus_before_the_machine_has_asked_the_first(telephony, monkeypatch):
    # Given a state machine whose every question is held up, for as long as this test likes
    may_ask, held_up = threading.Event(), []
    command = Control._command

    def late(control, mid, attempt, asked, ticket):
        if asked.kind is Kind.ASK:
            held_up.append(asked.menu)
            assert may_ask.wait(25)
        command(control, mid, attempt, asked, ticket)

    monkeypatch.setattr(Control, "_command", late)
    with running(Script([answer(), press("1"), press("2"), press("3")]), telephony=telephony) as cloud:
        try:
            (mid,) = Client(cloud.url).send([message(*MENUS)])
            # When the callee presses a key in each menu, then all three are heard
            cloud.journal.wait_for(lambda one: one["kind"] == "key" and one["mid"] == mid and one["key"] == "3", 25)
            assert held_up == [0]
            assert [one for one in cloud.journal.entries(mid) if one["kind"] == "webhook"] == []
        finally:
            may_ask.set()
        # And when the machine may go on, it comes to the same
        assert finished(cloud, mid)["outcome"] == "answered"
        for number in range(3):
            cloud.journal.wait_for(
                lambda one, number=number: one["kind"] == "webhook" and f'{{"menu":{number}}}' in one["body"], 20
            )
    assert held_up == [0, 1, 2]


@pytest.mark.parametrize("kept_ready", ["0", "2"])  # the function itself, or its alias
@pytest.mark.parametrize("telephony", RINGING)
def test_what_will_hear_the_callee_is_made_ready_while_the_phone_rings(telephony, kept_ready, monkeypatch):
    ready = threading.Event()

    def make_ready(*parts):
        warm_up(*parts)
        ready.set()

    warm_up = warm.make_ready
    monkeypatch.setattr(warm, "make_ready", make_ready)
    # Given a phone that rings until the function is ready
    with running(Waits(ready), telephony=telephony, parameters={"ReadyForCallees": kept_ready}) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(d1=[HANGUP]))])
        assert finished(cloud, mid)["reason"] == "callerHungUp"
        attempt = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=(seed.USER, seed.PASSWORD)).json()["call"][
            "attempts"
        ]
        failures = [one for one in cloud.journal.entries() if one["kind"] == "failure"]
    assert ready.is_set()
    assert failures == []
    assert 0 <= attempt[0]["answerToFirstCommandMsec"] < 10_000


class Waits:
    """A callee who takes the call when somebody is ready for it, hears the first menu, and hangs up."""

    def __init__(self, ready):
        self._ready = ready

    def take(self, phone):
        phone.wait_until_ringing(20)
        assert self._ready.wait(20)
        phone.answer()
        phone.wait_for_input(0, 20)
        phone.hang_up()
