"""What calls cost: the longest prefix, begun steps, exact sums; and files of rates, taken whole or not at all."""

import json
from decimal import ROUND_CEILING, Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rates_file import HEADER, MOST_RATES, read_rates, write_rates
from speechcall.menus.rules.call_log import HOLD_SECONDS
from speechcall.menus.rules.call_space import all_that_happens
from speechcall.menus.rules.longest_call import longest_call_seconds
from speechcall.menus.rules.menu import MAX_LOOKUP_MSEC, Lookup, Menu
from speechcall.menus.rules.walk import Behaviour, CallLimits, walk
from speechcall.money.rules.rate import MOST_PRICE, MOST_SECONDS, ONE, Rate, as_number, as_text, price
from speechcall.money.rules.rate_table import rate_at, rates_in, stretches_of
from speechcall.shared.rules.time_bounds import HANG_UP_SECONDS, WAIT_PROMPT_SECONDS
from tests.kit.random_menus import random_menus

HEAD = ",".join(HEADER)
HEARD = [*(f"d{number}" for number in range(10)), "idle", "other"]
LONGEST_LOOKUP = MAX_LOOKUP_MSEC // 1000 + WAIT_PROMPT_SECONDS
MINUTE = Rate("380", 60, 500_000, 1, 8_333)

prefixes = st.text("0123459", min_size=1, max_size=5).filter(lambda text: text[0] != "0")
amounts = st.integers(0, MOST_PRICE)
rates = st.builds(Rate, prefixes, st.integers(0, MOST_SECONDS), amounts, st.integers(1, MOST_SECONDS), amounts)
tables = st.lists(rates, unique_by=lambda rate: rate.prefix, max_size=30)


# ------------------------------------------------------------------------ prices
@pytest.mark.parametrize(
    ("talked_msec", "costs"),
    [(0, 500_000), (60_000, 500_000), (60_001, 508_333), (61_000, 508_333), (61_001, 516_666), (120_000, 999_980)],
)
def test_the_first_seconds_are_paid_whole_and_then_each_step_that_has_begun(talked_msec, costs):
    assert price(MINUTE, talked_msec) == costs


def test_an_answer_alone_may_have_a_price():
    assert price(Rate("1", 0, 20_000, 6, 100), 0) == 20_000
    assert price(Rate("1", 0, 20_000, 6, 100), 1) == 20_100
    assert price(Rate("1", 0, 20_000, 6, 100), 6_001) == 20_200


@given(rates, st.integers(0, 4_200_000))
def test_a_price_is_that_of_a_carriers_bill_in_decimals(rate, talked_msec):
    seconds = Decimal(talked_msec) / 1000
    behind = max(seconds - rate.first_seconds, Decimal(0))
    steps = (behind / rate.step_seconds).to_integral_value(ROUND_CEILING)
    assert Decimal(price(rate, talked_msec)) / ONE == (
        Decimal(rate.first_price) / ONE + steps * (Decimal(rate.step_price) / ONE)
    )


@given(st.integers(0, 10**15 - 1))
def test_what_json_says_of_an_amount_is_exact(amount):
    told = json.loads(json.dumps(as_number(amount)), parse_float=Decimal)
    assert told == Decimal(amount) / ONE == Decimal(as_text(amount))
    assert "E" not in as_text(amount).upper()


def test_no_call_costs_more_digits_than_json_keeps():
    dearest = Rate("1", 0, MOST_PRICE, 1, MOST_PRICE)
    assert price(dearest, 4_200_000) < 10**15


# ------------------------------------------------------------------------ tables
@given(tables, st.text("0123459", min_size=1, max_size=8))
def test_the_longest_prefix_wins(table, digits):
    fitting = [rate for rate in table if digits.startswith(rate.prefix)]
    wanted = max(fitting, key=lambda rate: len(rate.prefix), default=None)
    stretches = stretches_of(table)
    assert rate_at(stretches, digits) == rate_at(stretches, f"+{digits}") == wanted
    assert [one.start for one in stretches] == sorted({one.start for one in stretches})
    assert len(stretches) <= 2 * len(table)
    assert rates_in(stretches) == sorted(table)


# ------------------------------------------------------------------------- files
@given(tables.filter(bool))
def test_what_is_written_is_read_again(table):
    assert read_rates(write_rates(table).encode()) == (table, [])


@pytest.mark.parametrize(
    "content",
    [
        f"{HEAD}\n380,60,0.5,1,0.008333\n",
        f"{HEAD}\r\n\r\n+380,60,0.500000000,1,0.0083330\r\n,,,,\r\n",
        f"\ufeff{HEAD}\n380,60,0.5,1,0.008333",
        "prefix;firstSeconds;firstPrice;stepSeconds;stepPrice\n380; 60 ;0.5;1;0.008333\n",
        f'{HEAD}\n"380","60","0.5","1","0.008333"\n',
    ],
)
def test_a_file_may_be_written_as_spreadsheets_do(content):
    assert read_rates(content.encode()) == ([MINUTE], [])


LINES = [
    ("*,60,1,1,1", "prefix", "stands for every number"),
    (",60,1,1,1", "prefix", "stands for every number"),
    ("+0380,60,1,1,1", "prefix", "not the beginning of a number"),
    ("0038,60,1,1,1", "prefix", "not the beginning of a number"),
    ("١٢٣,60,1,1,1", "prefix", "not the beginning of a number"),
    ("1234567890123456,60,1,1,1", "prefix", "not the beginning of a number"),
    ("=1+1,60,1,1,1", "prefix", "not the beginning of a number"),
    ("3 80,60,1,1,1", "prefix", "not the beginning of a number"),
    ("380,1.5,1,1,1", "firstSeconds", "is a fraction"),
    ("380,60,1,0.5,1", "stepSeconds", "is a fraction"),
    ("380,60,1,0,1", "stepSeconds", "whole number from 1 to 3600"),
    ("380,-1,1,1,1", "firstSeconds", "whole number from 0 to 3600"),
    ("380,3601,1,1,1", "firstSeconds", "whole number from 0 to 3600"),
    ("380,1e2,1,1,1", "firstSeconds", "whole number"),
    ("380,,1,1,1", "firstSeconds", "whole number"),
    ("380,60,-0.1,1,1", "firstPrice", "is negative"),
    ("380,60,1,1,- 1", "stepPrice", "is negative"),
    ("380,60,0.0000001,1,1", "firstPrice", "has 7 decimals; at most 6 can be"),
    ('380,60,"0,35",1,1', "firstPrice", "has a comma"),
    ("380,60,1000.000001,1,1", "firstPrice", "is more than 1000"),
    *((f"380,60,{price},1,1", "firstPrice", "is not a price") for price in ("", "NaN", "Infinity", "1e3", "1_0", ".5")),
    *(
        (f"380,60,1,1,{price}", "stepPrice", "is not a price")
        for price in ("5.", "+1", "€1", "1 000", "0x10", "=1", "٣")
    ),
    ("380,60,1,1", "", "has 4 cells"),
    ("380,60,1,1,1,", "", "has 6 cells"),
    ("39,60,1,1,1", "prefix", "39 stands on line 2 already"),
    ("+39,6,2,1,1", "prefix", "39 stands on line 2 already"),
]


@pytest.mark.parametrize(("line", "column", "why"), LINES)
def test_a_wrong_line_is_named(line, column, why):
    _, wrong = read_rates(f"{HEAD}\n39,60,1,1,1\n\n{line}\n".encode())
    (one,) = wrong
    assert (one.line, one.column) == (4, column)
    assert why in str(one)


def test_all_that_is_wrong_is_said_at_once():
    text = f'{HEAD}\n380,x,-1,0,9.1234567\n"39",60,1,1,1\n"\n*",60,1,1,1\n39,60,1,1,1\n'
    _, wrong = read_rates(text.encode())
    assert [(one.line, one.column) for one in wrong] == [
        *((2, name) for name in HEADER[1:]),
        (4, "prefix"),
        (6, "prefix"),
    ]


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (b"", 1, "is not the header"),
        (b"\xef\xbb\xbf", 1, "is not the header"),
        (b"\n\n", 1, "is not the header"),
        (b"380,60,1,1,1\n", 1, "is not the header"),
        (b"\nprefix,price\n380,1\n", 2, "is not the header"),
        (HEAD.lower().encode(), 1, "is not the header"),
        (f"{HEAD}\n\n,,,,\n".encode(), 1, "no rate stands under it"),
        (f"{HEAD}\n380,60,1,1,1\n\xff".encode("latin-1"), 3, "is not UTF-8"),
        (HEAD.encode("utf-16"), 1, "is not UTF-8"),
        (f"{HEAD}\n380\0,60,1,1,1\n".encode(), 2, "NUL"),
        (f'{HEAD}\n380,60,"1,1,1\n'.encode(), 3, "is no CSV"),
        (f'{HEAD}\n380,60,"1"x,1,1\n'.encode(), 3, "is no CSV"),
    ],
)
def test_a_file_that_is_none_says_where(content, line, why):
    found, (wrong,) = read_rates(content)
    assert (found, wrong.line) == ([], line)
    assert why in str(wrong)


def test_a_file_has_a_most():
    lines = [f"1{number:05},60,1,1,1" for number in range(MOST_RATES + 1)]
    _, (wrong,) = read_rates("\n".join([HEAD, *lines]).encode())
    assert "at most 20000" in wrong.why


@given(st.binary(max_size=80), st.text(max_size=40))
def test_whatever_a_file_holds_it_is_taken_or_refused(raw, text):
    for content in (
        raw,
        f"{HEAD}\n{text}\n".encode("utf-8", "surrogatepass"),
        f"{HEAD}\n{text},1,1,1,1".encode("utf-8", "surrogatepass"),
    ):
        found, wrong = read_rates(content)
        assert found or wrong
        assert all(one.line >= 1 and one.why for one in wrong)


# -------------------------------------------------------------- the longest call
@pytest.mark.parametrize("seed", range(40))
def test_no_callee_is_longer_in_a_call_than_is_reserved_for(seed):
    random = Random(seed)
    menus, visits, most_seconds = random_menus(random), random.randint(1, 12), random.randint(60, 1200)
    limits = CallLimits(visits, most_seconds, 3)
    waits = [random.randint(1, 400) for _ in menus]
    longest = longest_call_seconds(menus, waits, limits)
    for _ in range(20):
        behaviours = [Behaviour(random.choice(HEARD)) for _ in range(visits)]
        seconds = 0
        for index, behaviour in zip(walk(menus, behaviours, visits, 3).menus, behaviours, strict=False):
            if seconds >= most_seconds:
                break  # no menu begins any more
            happens = all_that_happens(menus[index], behaviour.heard)
            seconds += waits[index] + max(one.looks_up_msec for one in happens) // 1000
        assert seconds + HOLD_SECONDS + HANG_UP_SECONDS <= longest
        assert longest <= most_seconds + max(waits) + LONGEST_LOOKUP + HOLD_SECONDS + HANG_UP_SECONDS


def test_the_last_menu_may_look_something_up_when_no_other_menu_may_begin():
    again = Lookup("https://api.example.com/lookup", {}, 0, timeout_msec=MAX_LOOKUP_MSEC)
    seconds = longest_call_seconds([Menu("intro", 1000, {"d1": (again,)})], [53], CallLimits(100, 60, 3))
    # Each menu takes 53 s and the lookup's 6, so the second one begins at 59.
    assert seconds - HOLD_SECONDS - HANG_UP_SECONDS >= 2 * (53 + LONGEST_LOOKUP)
