"""Identifiers."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import KEYS, WRONG, Hangup, Menu, Webhook
from speechcall.shared.rules.ids import SHARDS, event_id, holder, latest_msec, new_ids, parse_holder, shard_of

NOW = 1_790_000_000_000
LAST_MSEC = 1_735_689_600_000 + (1 << 41) - 1
times = st.integers(1_735_689_600_000, LAST_MSEC - 1)


def drawn(block, place=None):
    """A source of random bits that gives the same ones each time."""
    return lambda wanted: (block if wanted == 15 or place is None else place) % (1 << wanted)


bits = st.integers(0, (1 << 15) - 1)


@given(times, bits, st.integers(1, 101))
def test_the_ids_of_a_request_are_distinct_decimal_in_order_and_below_2_63(now, given_bits, count):
    ids = new_ids(count, now, drawn(given_bits))
    assert len(set(ids)) == len(ids) == count
    assert all(re.fullmatch("[0-9]+", one) and int(one) < 1 << 63 for one in ids)
    assert [int(one) for one in ids] == sorted(int(one) for one in ids)


@given(times, bits, st.integers(1, 101))
def test_an_id_tells_when_its_message_was_accepted(now, given_bits, count):
    assert {latest_msec(one) for one in new_ids(count, now, drawn(given_bits))} == {now + 1}


@given(times, st.integers(1, 10_000_000), bits, bits)
def test_a_later_millisecond_gives_greater_ids(now, later, first_bits, second_bits):
    first, second = new_ids(101, now, drawn(first_bits)), new_ids(1, now + later, drawn(second_bits))
    assert int(first[-1]) < int(second[0])


@given(times, st.tuples(bits, bits), st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(2, 101))
def test_two_requests_meet_at_the_lists_id_or_nowhere(now, blocks, places, count):
    # Given two requests of one millisecond
    first, second = (new_ids(count, now, drawn(block, place)) for block, place in zip(blocks, places, strict=True))
    # Then a message has an id of the other request only where the lists have the same
    assert (first[0] == second[0]) == (blocks[0] == blocks[1])
    assert first[0] == second[0] or not set(first) & set(second)


@given(times, bits)
def test_single_messages_are_spread_over_the_shards(now, block):
    shards = {shard_of(new_ids(2, now, drawn(block, place))[1]) for place in range(4)}
    assert shards == set(range(SHARDS))


@given(st.integers(1, (1 << 63) - 1).map(str), st.integers(1, 999))
def test_a_holder_names_message_and_attempt(mid, attempt):
    assert parse_holder(holder(mid, attempt)) == (mid, attempt)


@pytest.mark.parametrize("name", ["", "7748021", "a-1", "7748021-", "-1", "7748021-x", "²-1", "1b7f4d0e-6d5e-4f2b-1"])
def test_another_execution_name_is_no_holder(name):
    with pytest.raises(ValueError, match=r".+"):
        parse_holder(name)


@given(st.integers(1, (1 << 63) - 1).map(str))
def test_every_message_has_one_of_the_shards(mid):
    assert shard_of(mid) in range(SHARDS)


def test_the_longest_event_id_is_a_deduplication_id_that_sqs_takes():
    longest = event_id("9" * 19, 999, 999, 19, "wrong", 9)
    assert len(longest) <= 128
    for key in (*KEYS, WRONG):
        assert re.fullmatch(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}", event_id("1", 1, 2, 0, key, 0))


@pytest.mark.parametrize("key", [*KEYS, WRONG])
def test_the_state_machine_names_an_event_as_event_id_does(key):
    # Given a machine with one webhook, when its States.Format is filled in
    menus = (Menu("a", 1000, {key: (Webhook("https://x.example/"), Hangup())}),)
    states = compile_flow(menus, Wiring("arn:c", "arn:f", "https://q"))["States"]
    parameters = states[f"Menu 0 {key} 1 webhook"]["Parameters"]
    pattern = re.fullmatch(
        r"States\.Format\('(.*)', \$\.mid, \$\.attempt, \$\.heard\.seq\)", (parameters["MessageDeduplicationId.$"])
    )
    # Then it is the id that the domain gives
    assert pattern
    assert pattern[1].format("7748021", 1, 2) == event_id("7748021", 1, 2, 0, key, 0)
    assert json.dumps(parameters["MessageBody"]["event_id.$"]) == json.dumps(parameters["MessageDeduplicationId.$"])
