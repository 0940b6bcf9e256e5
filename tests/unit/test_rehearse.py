"""A list is rehearsed by the real dialler: what is reckoned by hand comes out, and the real stack stays as it is."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.menus.rules.menu import OWN_LIST, Hangup, Menu, OptOutStep
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.rehearsal.adapters.copies import altered
from speechcall.rehearsal.adapters.virtual_stack import Standing, stores_of
from speechcall.rehearsal.rules.callees import Between, Callees, Fixed, Spread
from speechcall.rehearsal.rules.forecast import Range, Rehearsed, forecast, range_of
from speechcall.rehearsal.use_cases.rehearse import OTHERS, OTHERS_FIRST_ID, Situation, rehearse
from speechcall.rehearsal.use_cases.virtual_time import VirtualTime
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.ids import holder, new_ids
from tests.kit.samples import MESSAGE, NOW

THIRTY_SECONDS = Callees({"answered": 1.0}, Fixed(5), Fixed(25), handling_seconds=0)
MIXED = Callees(
    {"answered": 0.6, "noAnswer": 0.2, "busy": 0.15, "invalidNumber": 0.05}, Between(3, 15), Spread(30, 90), {"1": 0.4}
)
ACCOUNTS = {name: Account(name, ("*",), calls_per_day=10**6) for name in ("acme", "other")}
SITUATION = Situation(NOW, Pool(4, 100), ACCOUNTS)


def messages(count, at=0, **fields):
    """New ones, each to a number of its own."""
    list_id, *mids = new_ids(count + 1, NOW + at, lambda _bits: 0)
    base = replace(MESSAGE, list_id=list_id)
    return [replace(base, mid=mid, **{"number": f"+{mid[-14:]}", **fields}) for mid in mids]


def rehearsed(new, callees=THIRTY_SECONDS, situation=SITUATION, standing=Standing(), seed=1):  # noqa: B008 - immutable
    stores, clock = stores_of(standing), VirtualTime(situation.now_msec)
    return rehearse(situation, new, callees, stores, clock, seed)


def most_at_once(found, seconds):
    edges = sorted(
        [(moment, 1) for moment in found.begun_msec] + [(one + seconds * 1000, -1) for one in found.begun_msec]
    )
    live = most = 0
    for _, change in edges:
        live += change
        most = max(most, live)
    return most


def test_calls_of_one_length_take_as_many_rounds_as_there_are_lines_to_a_list():
    found = rehearsed(messages(40))
    assert found.outcomes == {"answered": 40}
    assert (len(found.begun_msec), found.talked_seconds) == (40, 1000)
    # Ten rounds, with a wake-up between each two.
    assert 300 <= found.seconds <= 300 + 10 * 0.5
    assert most_at_once(found, 30) == 4


def test_the_rate_holds():
    slow = SITUATION._replace(stack=Pool(100, 2))
    found = rehearsed(messages(60), situation=slow)
    moments = sorted(found.begun_msec)
    assert min(later - one for one, later in pairwise(moments)) >= 500
    assert 30 + 29 <= found.seconds <= 30 + 29 + 10


def test_the_same_seed_gives_the_same_and_another_one_others():
    first, again, other = (rehearsed(messages(20, redial=Redial(1, (60,))), MIXED, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.talked_seconds != other.talked_seconds


def test_whom_a_list_meets_depends_on_neither_lines_nor_order():
    new = messages(30, redial=Redial(1, (60,)))
    many = rehearsed(new, MIXED, SITUATION._replace(stack=Pool(30, 100)))
    few = rehearsed([*reversed(new)], MIXED)
    assert few.seconds > many.seconds
    assert (few.outcomes, few.keys, few.talked_seconds) == (
        many.outcomes,
        many.keys,
        pytest.approx(many.talked_seconds),
    )


def test_nobody_answers_and_all_are_dialled_again():
    nobody = Callees({"noAnswer": 1.0}, Fixed(5), Fixed(25), handling_seconds=0)
    found = rehearsed(messages(8, ring_seconds=20, redial=Redial(2, (300, 600))), nobody)
    assert found.outcomes == {"noAnswer": 8}
    assert len(found.begun_msec) == 24
    # Two rounds of 20 s; the second is dialled again after 300 s, and after 600 s, when a minute's tick finds it.
    assert 40 + 320 + 620 <= found.seconds <= 40 + 320 + 620 + 2 * 65


def test_who_presses_no_key_is_dialled_again_where_the_message_says_so():
    half = Callees({"answered": 1.0}, Fixed(5), Fixed(25), {"1": 0.5})
    found = rehearsed(messages(40, redial=Redial(1, (60,), ("noKey",))), half)
    assert found.outcomes == {"answered": 40}
    assert len(found.begun_msec) == found.keys["1"] + found.keys["none"] > 40


def test_what_cannot_be_dialled_in_its_time_expires():
    found = rehearsed(messages(40, ttl_seconds=100))
    assert found.outcomes == {"answered": 16, "expired": 24}
    assert max(found.begun_msec) < NOW + 100_000


def test_no_call_begins_outside_its_hours():
    # NOW is 14:13 in Berlin.
    evening = (Hours((Window(18 * 60, 18 * 60 + 5),), ("Europe/Berlin",)),)
    found = rehearsed(messages(100, hours=evening, ttl_seconds=86_400))
    opens = NOW - NOW % 86_400_000 + 16 * 3_600_000
    assert opens <= min(found.begun_msec) <= max(found.begun_msec) < opens + 300_000
    assert found.outcomes == {"answered": 40, "expired": 60}


def test_who_opts_out_by_a_key_is_not_called_by_the_next_message():
    menu = Menu("intro", 5000, {"d9": (OptOutStep(OWN_LIST), Hangup())})
    nine = Callees({"answered": 1.0}, Fixed(5), Fixed(25), {"9": 1.0})
    found = rehearsed(messages(3, number="+493012", number_digest="d", menus=(menu,)), nine)
    assert found.outcomes == {"answered": 1, "optedOut": 2}


# ------------------------------------------------------------- on top of a queue
def standing_of(waiting, calling=(), **turn):
    """Another account's messages, in the order, and its calls."""
    held = {one.number: holder(one.mid, one.attempt) for one in calling}
    made = Turn("other", is_waiting=True, woken_msec=NOW, live=frozenset(held.values()), **turn)
    queue = Queue("other", is_waiting=True, woken_msec=NOW)
    return Standing(PoolState(held=held), (made,), (queue,), (*waiting, *calling))


WAITING = messages(80, at=-5000, account_id="other", state=State.QUEUED, stands=True)


def test_a_queue_that_stands_takes_its_share_of_the_lines():
    alone = rehearsed(messages(20))
    shared = rehearsed(messages(20), standing=standing_of(WAITING))
    assert alone.seconds == pytest.approx(150, abs=5)
    # Two accounts of one share: each has half of the lines.
    assert shared.seconds == pytest.approx(300, abs=45)
    heavy = rehearsed(messages(20), standing=standing_of(WAITING, share=90))
    assert heavy.seconds > shared.seconds + 100


def test_what_waits_is_counted_for_nobody():
    found = rehearsed(messages(20), standing=standing_of(WAITING))
    assert sum(found.outcomes.values()) == len(found.begun_msec) == 20


def test_calls_that_are_up_hold_their_lines_until_they_end():
    calling = [
        replace(one, state=State.CALLING, attempt=1, claimed_msec=NOW - 10_000)
        for one in messages(4, at=-9000, account_id="other")
    ]
    found = rehearsed(
        messages(4), situation=SITUATION._replace(calling=calling), standing=standing_of((), calling, share=10)
    )
    assert min(found.begun_msec) >= NOW + 20_000
    assert found.outcomes == {"answered": 4}


def test_a_paused_campaign_keeps_its_lines_for_others():
    paused = [replace(one, campaign="spring") for one in WAITING]
    standing = standing_of(paused)._replace(
        queues=(Queue("other", "spring", is_waiting=True, woken_msec=NOW),),
        stopped={(Brake.CAMPAIGN, ("other", "spring")): "paused"},
    )
    assert rehearsed(messages(20), standing=standing).seconds == pytest.approx(150, abs=5)


def test_nothing_that_was_read_is_changed():
    calling = [replace(messages(1, at=-9000, account_id="other")[0], state=State.CALLING, attempt=1, claimed_msec=NOW)]
    standing = standing_of(WAITING, calling)
    before = repr(standing)
    situation = SITUATION._replace(calling=calling)
    assert rehearsed(messages(4), MIXED, situation, standing) == rehearsed(messages(4), MIXED, situation, standing)
    assert repr(standing) == before


# ---------------------------------------------------------------------- seeds
def test_percentiles_are_figures_of_some_seed():
    assert range_of([5, 1, 3, 2, 4]) == Range(3, 5)
    assert range_of(range(1, 101)) == Range(50, 95)
    assert range_of([7]) == Range(7, 7)


def test_a_forecast_tells_of_all_seeds():
    moments = [NOW + second * 1000 for second in (0, 1, 61, 130)]
    one = Rehearsed(1, NOW, NOW + 150_000, {"answered": 2, "busy": 1}, {"1": 2}, moments, 60)
    two = Rehearsed(2, NOW, NOW + 250_000, {"answered": 3}, {"none": 3}, moments[:2], 90)
    told = forecast([one, two])
    assert (told.seconds, told.calls) == (Range(150, 250), Range(2, 4))
    assert told.outcomes == {"answered": Range(2, 3), "busy": Range(0, 1)}
    assert (told.slot_seconds, sum(told.begun), told.begun[0]) == (30, 3, 2)
    assert Counter(one.begun_msec)[NOW] == 1


def test_a_fast_copy_is_what_replace_makes():
    copies = (altered(MESSAGE, attempt=3, is_held=True), altered(Turn("acme"), virtual=7), altered(Queue("acme")))
    assert copies == (replace(MESSAGE, attempt=3), replace(Turn("acme"), virtual=7), Queue("acme"))
    assert copies[0].is_held
    assert not MESSAGE.is_held
    with pytest.raises(KeyError):
        altered(MESSAGE, attempts=3)


# ------------------------------------------------------------ others, over the API
def others(share, calling=0):
    """All other accounts as one that never runs out, and its calls."""
    template = replace(messages(1, account_id=OTHERS)[0], ttl_seconds=10**7)
    calls = [
        replace(template, mid=str(OTHERS_FIRST_ID - 1 - at), number=f"#{at}", state=State.CALLING, attempt=1)
        for at in range(calling)
    ]
    calls = [replace(one, claimed_msec=NOW) for one in calls]
    held = {one.number: holder(one.mid, 1) for one in calls}
    turn = Turn(OTHERS, share=share, is_waiting=True, woken_msec=NOW, live=frozenset(held.values()))
    standing = Standing(PoolState(held=held), (turn,), (Queue(OTHERS),), calls)
    accounts = {**ACCOUNTS, OTHERS: Account(OTHERS, ("*",))}
    return standing, SITUATION._replace(accounts=accounts, others=template, calling=calls)


@pytest.mark.parametrize(("share", "part"), [(10, 1 / 2), (30, 1 / 4)])
def test_others_take_their_share_and_never_run_out(share, part):
    standing, situation = others(share)
    found = rehearsed(messages(60), situation=situation, standing=standing)
    assert found.outcomes == {"answered": 60}
    assert len(found.begun_msec) == 60
    assert found.seconds == pytest.approx(60 * 30 / (4 * part), rel=0.15)


def test_lines_that_others_hold_come_back():
    standing, situation = others(10, calling=4)
    found = rehearsed(messages(2), situation=situation._replace(others=None), standing=standing)
    assert min(found.begun_msec) >= NOW + 30_000


def test_others_do_nothing_while_the_list_sleeps():
    """Two days until its hours open: others' calls in between would be a hundred thousand."""
    standing, situation = others(10)
    hours = (Hours((Window(18 * 60, 19 * 60),), ("Europe/Berlin",), days_off=("2026-09-21", "2026-09-22")),)
    made = []

    def stores(standing):
        found = stores_of(standing)
        return found._replace(forget=lambda mid: (made.append(mid), found.forget(mid)))

    clock = VirtualTime(NOW)
    found = rehearse(
        situation, messages(8, hours=hours, ttl_seconds=3 * 86_400), THIRTY_SECONDS, stores(standing), clock, 1
    )
    assert found.outcomes == {"answered": 8}
    assert min(found.begun_msec) > NOW + 2 * 86_400_000
    assert len(made) < 200


def test_who_has_rested_begins_where_the_others_stand():
    """The other account was charged for long; this one has never waited. It does not go before all of them."""
    waiting = standing_of(WAITING, virtual=10**12)
    found = rehearsed(messages(20), standing=waiting)
    assert found.seconds == pytest.approx(300, abs=45)
