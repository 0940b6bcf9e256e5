"""The page of costs has the bill of 1,000 calls by the price list, and each price with its source."""

import re

from benchmarks import bill, idle
from benchmarks.bill import TYPICAL, USD, Happens, happens_in, invocations, predicted, usd
from local.cloud.template import TEMPLATE
from local.tools.demo_cases import CASES

PAGE = (TEMPLATE.parent / "docs" / "costs.md").read_text(encoding="utf-8")


def test_the_page_has_the_bill_of_a_thousand_calls():
    bills = [usd(predicted(happens)) for happens in TYPICAL.values()]
    for unit in USD:
        cells = " | ".join(f"{one[unit]:.3f}" for one in bills)
        assert re.search(rf"^\| {unit} \| \S+ \| {re.escape(cells)} \|$", PAGE, re.MULTILINE), (unit, cells)
    cells = " | ".join(f"{sum(one.values()):.3f}" for one in bills)
    assert f"| in all | | {cells} |" in PAGE


def test_each_price_stands_on_the_page():
    for unit, price in USD.items():
        (told,) = re.findall(rf"^\| {unit} \| (\S+) \|", PAGE, re.MULTILINE)
        assert float(told) == float(f"{price * 1e6:.6g}"), unit


def test_the_idle_bill_and_this_one_go_by_the_same_prices():
    assert (USD["Lambda invocations"], USD["Lambda GB-seconds"]) == (idle.USD_INVOCATION, idle.USD_GB_SECOND)
    assert (USD["DynamoDB reads"], USD["log bytes"]) == (idle.USD_READ, idle.USD_LOG_BYTE)
    assert idle.USD_SQS[True] == USD["SQS FIFO requests"]


def test_what_happens_in_the_demonstration():
    assert happens_in(CASES) == Happens(messages=35, answers=27, menus=36, heard=32, hang_ups=23, webhooks=18)
    # As docs/costs.md has it for Step Functions alone: 2, 4 and 6 transitions.
    assert predicted(Happens(1))["Step Functions transitions"] == 2
    assert predicted(Happens(1, 1, 1))["Step Functions transitions"] == 4
    assert predicted(Happens(1, 1, 1, 1, 1, 1))["Step Functions transitions"] == 6
    assert invocations(Happens(1, 1, 1, 1, 1, 1))["ConnectFlowFunction"] == 4
    assert bill.CLOCK.isdisjoint(invocations(Happens(1, 1, 1, 1, 1, 1)))
