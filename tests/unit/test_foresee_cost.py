"""What calls would cost, in the check and before `list send` calls."""

import json
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from cli.list_send import _told_costs
from speechcall.accounts.rules.account import Account
from speechcall.api.rules import answers
from speechcall.menus.rules.walk import CallLimits
from speechcall.money.rules.rate import ONE, Rate
from speechcall.requests.use_cases.accept_messages import check_messages
from speechcall.requests.use_cases.foresee_cost import Costs
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

ACME = Account("acme", ("*",))
RATES = {"+380671234567": Rate("380", 60, ONE // 20, 1, 100), "+49301234567": Rate("49", 1, 3, 60, ONE)}
END = {"d1": [{"action": "hangup"}], "wrong": [{"action": "hangup"}]}
MENU = {"introUrl": "ivr_651854", "idleTimeoutMsec": 10_000, "dtmfActions": END}
AGAIN = MENU | {"dtmfActions": END | {"wrong": [{"action": "gotoMenu", "menu": 0}]}}
SECONDS = 300 + 10 + 40 + 40
"""The longest introduction, ten seconds for a key, the machine's patience; then the telephony's, and the end."""


def check(*messages, account=ACME, spent=0, costs=True, **stack):
    sent = [
        {"from": "B", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU], **one}
        for one in messages
    ]
    told = check_messages(
        account,
        json.dumps({"messages": sent}).encode(),
        prompts=MemoryLists({("acme", "ivr_651854")}),
        clock=FakeClock(),
        costs_of=lambda *_: Costs("EUR", RATES.get, spent) if costs else None,
        limits=CallLimits(50, 900),
        **stack,
    )
    TypeAdapter(answers.Checked).validate_python(told)
    return told


def codes(told):
    return [one["code"] for one in told["messages"][0]["warnings"] if one["code"] in ("SPEND_PER_DAY", "NO_RATE")]


def test_each_message_and_all_together_are_priced():
    redial = {"redial": {"attempts": 2}}
    told = check({}, redial, {"menu": [AGAIN]}, {"to": "+49301234567"}, {"to": "+48221234567"}, {"to": "no"})
    once = (50_000 + 100 * (SECONDS - 60)) / ONE
    found = [one.get("cost") for one in told["messages"]]
    assert found == [
        {"ifAnswered": 0.05, "atMost": once, "currency": "EUR"},
        {"ifAnswered": 0.05, "atMost": round(3 * once, 6), "currency": "EUR"},
        {"ifAnswered": 0.05, "atMost": (50_000 + 100 * (900 + SECONDS - 60)) / ONE, "currency": "EUR"},
        {"ifAnswered": 0.000003, "atMost": 7.000003, "currency": "EUR"},
        None,
        None,
    ]
    priced = [one for one in found if one]
    assert told["cost"] == {
        "ifAnswered": 0.150003,
        "atMost": round(sum(one["atMost"] for one in priced), 6),
        "currency": "EUR",
        "unpriced": 1,
    }


def test_repeats_count_as_they_do_when_it_is_reserved():
    repeated = MENU | {"repeat": {"times": 2}}
    digits = {"introUrl": "ivr_651854", "idleTimeoutMsec": 121_000, "input": {"maxDigits": 1}, "repeat": {"times": 1}}
    digits |= {"dtmfActions": {"complete": END["d1"], "wrong": END["d1"]}}
    for menu, seconds in ((repeated, 3 * (300 + 10 + 40) + 40), (digits, 2 * (300 + 180 + 40) + 40)):
        assert check({"menu": [menu]})["cost"]["atMost"] == (50_000 + 100 * (seconds - 60)) / ONE


def test_the_machine_waits_for_the_grace_of_the_stack():
    assert check({}, grace_seconds=100)["cost"]["atMost"] == (50_000 + 100 * (SECONDS + 60 - 60)) / ONE


def test_a_stack_without_rates_and_a_check_of_nothing_good_say_nothing():
    assert "cost" not in check({}, costs=False) | check({}, costs=False)["messages"][0]
    assert "cost" not in check({"to": "no"})


@pytest.mark.parametrize(
    ("most", "spent", "to", "code", "says"),
    [
        (None, 0, "+48221234567", None, ""),
        (ONE, 0, "+380671234567", None, ""),
        (ONE, ONE - 49_999, "+380671234567", "SPEND_PER_DAY", "waits: this account has spent what it may"),
        (
            83_000 - 1,
            0,
            "+380671234567",
            "SPEND_PER_DAY",
            "may cost 0.083 EUR, and this account may spend 0.082999 a day",
        ),
        (49_999, 0, "+380671234567", "SPEND_PER_DAY", "would not be called"),
        (ONE, 0, "+48221234567", "NO_RATE", "would not be called"),
    ],
)
def test_who_may_spend_so_much_is_told_what_comes_of_it(most, spent, to, code, says):
    told = check({"to": to}, account=replace(ACME, spend_per_day=most), spent=spent)
    assert codes(told) == ([code] if code else [])
    assert says in json.dumps(told)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ([], "What they cost is not known here."),
        (
            [
                {"ifAnswered": 0.1, "atMost": 1.1, "currency": "EUR"},
                {"ifAnswered": 0.2, "atMost": 2.2, "currency": "EUR"},
            ],
            "They cost 0.3 EUR if each is answered for a moment, and 3.3 at most.",
        ),
        (
            [{"ifAnswered": 0, "atMost": 0, "currency": "EUR", "unpriced": 1}],
            "They cost 0 EUR if each is answered for a moment, and 0 at most; 1 call without a price not counted.",
        ),
    ],
)
def test_the_command_tells_the_sum_of_all_parts(costs, told):
    assert _told_costs(costs) == told
