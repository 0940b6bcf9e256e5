"""What an idle stack costs stays below twelve dollars a month, and the page says what it is."""

import re

from benchmarks.idle import AIM_USD, Item, bill
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template


def of_template() -> list[Item]:
    return bill(read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}))


def test_an_idle_stack_costs_at_most_twelve_dollars_a_month() -> None:
    assert 0 < sum(item.usd for item in of_template()) <= AIM_USD
    assert all(item.usd > 0 for item in of_template())


def test_the_page_of_costs_has_the_same_bill() -> None:
    page = (TEMPLATE.parent / "docs" / "costs.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([\w' ]+) \| (\d+\.\d\d) \|$", page, re.MULTILINE))
    assert {item.what: f"{item.usd:.2f}" for item in of_template()} | {
        "in all": f"{sum(item.usd for item in of_template()):.2f}"
    } == told
