"""Fifty accounts share the lines on a clock that nobody waits for, whatever goes wrong and whatever is stopped."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.ids import parse_holder
from tests.kit.dialling_world import NONE, TROUBLES
from tests.kit.fair_world import FairWorld
from tests.kit.samples import NOW

pytestmark = pytest.mark.slow

LONGEST = 150 + 30
"""Seconds for which a call may hold its line: the longest call, and what dialling and ending it take."""
WINDOW = 200
FAIR = 0.05
"""How far an account's part of the line time of 200 calls may be from its share."""


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "speechcall")


def assert_that_nothing_is_stranded(world: FairWorld) -> None:
    found = world.all()
    assert world.ledger.wrong == []
    assert Counter(one.state for one in found) == {State.FINISHED: len(found)}
    assert set(world.ledger.ends.values()) == {1}
    assert len(world.ledger.ends) == len(found)
    assert world.messages.held == set()
    assert {turn.live for account in world.accounts for turn in world.messages.turns.all_of(account)[0]} == {
        frozenset()
    }


def assert_that_what_is_stopped_rings_no_more(world: FairWorld) -> None:
    messages = {one.mid: one for one in world.all()}
    begun = {(messages[mid].list_id, moment) for moment, mid in world.ledger.claims}
    assert [list_id for list_id, moment in begun if moment > world.cancelled.get(list_id, moment)] == []
    accounts = [(messages[mid].account_id, moment) for moment, mid in world.ledger.claims]
    for account, begin, end in world.paused:
        assert [moment for name, moment in accounts if name == account and begin < moment < end] == []


def assert_that_who_has_opted_out_is_not_called(world: FairWorld) -> None:
    """Not a call of theirs began after the opt-out, whatever it was: the first one or a redial."""
    late = [(mid, moment) for moment, mid in world.ledger.claims if moment > world.opted_out.get(mid, moment)]
    assert late == []
    told = {one.mid for one in world.all() if one.outcome == "optedOut"}
    assert told <= world.opted_out.keys()


def _begun(world: FairWorld, mid: str) -> list[int]:
    return [moment for moment, claimed in world.ledger.claims if claimed == mid]


def windows(world: FairWorld, owner: Callable[[str], str] | None = None) -> Iterator[tuple[int, int]]:
    """From when to when 200 claims in a row went during which every owner of calls had something to dial; the owners
    are the accounts unless another `owner` is given.
    """
    names = list(world.lines.began)
    last = {(owner or world.account_of)(name): index for index, name in enumerate(names)}
    for first in range(WINDOW // 2, min(last.values()) - WINDOW, 20):
        yield world.lines.began[names[first]], world.lines.began[names[first + WINDOW]]


# ----------------------------------------------------------------------- fair
@pytest.mark.parametrize("lengths", [(60,), (15, 30, 60, 90, 150)], ids=["equal", "mixed"])
def test_line_time_follows_the_shares_whatever_the_lengths_of_queues_and_calls(lengths):
    world = FairWorld(3, Pool(20, 100), {"a": 10, "b": 20, "c": 30, "d": 40}, call_seconds=lengths)
    for account, count in (("a", 250), ("b", 700), ("c", 500), ("d", 600)):
        world.arrive(account, count)
    world.run()
    assert_that_nothing_is_stranded(world)
    checked = 0
    for window in windows(world):
        seconds = world.line_seconds(*window)
        total = sum(seconds.values())
        for account, share in world.shares.items():
            assert abs(seconds[account] / total - share / 100) <= FAIR, (account, seconds)
        checked += 1
    assert checked >= 20


def test_short_calls_have_as_much_line_time_as_long_ones():
    # Given two accounts of one share, of which one makes calls ten times as long as the other's
    world = FairWorld(5, Pool(10, 100), {"short": 10, "long": 10})
    world.phones.seconds_of = lambda name: 15.0 if world.account_of(name) == "short" else 150.0
    world.arrive("short", 1500)
    world.arrive("long", 300)
    world.run()
    assert_that_nothing_is_stranded(world)
    for window in windows(world):
        seconds = world.line_seconds(*window)
        assert abs(seconds["short"] / sum(seconds.values()) - 0.5) <= FAIR


@pytest.mark.parametrize("lag_msec", [3000, 0], ids=["all late", "queues late"])
def test_campaigns_of_an_account_have_equal_line_time_though_each_dialler_reads_late(lag_msec):
    # Given an account that works off two campaigns, which are seen seconds late, the account with them or at once
    world = FairWorld(15, Pool(10, 100), {"a": 10}, replace(NONE, lag_msec=lag_msec))
    world.messages.turns.queue_lag_msec = 3000
    for campaign in ("one", "two"):
        world.arrive("a", 600, campaign=campaign)
    world.run()
    assert_that_nothing_is_stranded(world)
    campaigns = {one.mid: one.campaign for one in world.all()}
    campaign_of = lambda name: campaigns[parse_holder(name)[0]]  # noqa: E731
    checked = 0
    for window in windows(world, campaign_of):
        seconds = world.line_seconds(*window, campaign_of)
        assert abs(seconds["one"] / sum(seconds.values()) - 0.5) <= FAIR, seconds
        checked += 1
    assert checked >= 20


def test_a_new_account_waits_for_the_shares_that_wait_and_not_for_their_queues():
    shares = {f"old{number}": 10 for number in range(8)} | {"new": 10}
    world = FairWorld(7, Pool(5, 100), shares)
    for account in world.accounts[:-1]:
        world.arrive(account, 60)
    arrives = 600
    world.arrive("new", 3, at_seconds=arrives)
    world.run()
    assert_that_nothing_is_stranded(world)
    first = min(moment for name, moment in world.lines.began.items() if world.account_of(name) == "new")
    bound = (sum(shares.values()) / 10 / 5 + 1) * LONGEST
    assert (first - NOW) / 1000 - arrives <= bound
    # Behind the whole backlog it would have come after all of it.
    assert sum(moment > first for moment in world.lines.began.values()) >= 200


def test_an_account_holds_no_more_lines_than_it_may():
    world = FairWorld(9, Pool(10, 100), {"big": 100, "small": 10}, max_lines={"big": 3})
    world.arrive("big", 60)
    world.arrive("small", 60)
    world.run()
    assert_that_nothing_is_stranded(world)
    events = sorted(
        [(moment, 1) for name, moment in world.lines.began.items() if world.account_of(name) == "big"]
        + [(moment, -1) for name, moment in world.lines.ended.items() if world.account_of(name) == "big"]
    )
    live = most = 0
    for _, change in events:
        live += change
        most = max(most, live)
    assert most == 3


# --------------------------------------------------------------------- urgent
def test_an_urgent_message_is_dialled_within_two_seconds_while_a_line_is_kept_free():
    world = FairWorld(11, Pool(10, 2, urgent_lines=3), {"loud": 10, "calm": 10}, replace(NONE, lag_msec=1000))
    world.arrive("loud", 300)
    for number in range(20):
        world.arrive("calm", 1, at_seconds=60 + number * 137, is_urgent=True)
    world.run()
    assert_that_nothing_is_stranded(world)
    urgent = [one for one in world.all() if one.is_urgent]
    assert len(urgent) == 20
    for one in urgent:
        (claimed, *_) = _begun(world, one.mid)
        assert claimed - world.ready[one.mid] <= 2000
    # The lines that are kept free are free: never more than seven others at once.
    others = [name for name in world.lines.began if not world.messages._messages[parse_holder(name)[0]].is_urgent]
    events = sorted(
        [(world.lines.began[name], 1) for name in others] + [(world.lines.ended[name], -1) for name in others]
    )
    live = [0]
    for _, change in events:
        live.append(live[-1] + change)
    assert max(live) == 7


# ------------------------------------------------- whatever goes wrong, whatever is stopped
def flow_through(accounts: int, most: int, seed: int, steepness: int = 1) -> FairWorld:
    """Accounts with queues from 1 to `most`, some urgent, some paused or cancelled at a random moment.

    The steeper their lengths grow from account to account, the fewer are long.
    """
    pool = Pool(20, 100, urgent_lines=2)
    shares = {f"a{number:02}": (10, 20, 50)[number % 3] for number in range(accounts)}
    world = FairWorld(seed, pool, shares, TROUBLES, call_seconds=(1, 3, 5, 15))
    random = world.random
    for number, account in enumerate(world.accounts):
        count = max(1, round(most ** (number / (accounts - 1)) ** steepness))
        world.arrive(
            account, count, at_seconds=random.uniform(0, 60), campaign=f"c{number % 2}" if number % 4 == 1 else ""
        )
        if number % 5 == 0:
            world.arrive(account, 2, at_seconds=random.uniform(0, 300), is_urgent=True, opt_out_lists=("news",))
    for account in random.sample(world.accounts, accounts // 5):
        world.play.after(random.uniform(20, 200), lambda account=account: world.pause(account, random.uniform(10, 200)))  # type: ignore[misc]
    for _ in range(accounts // 5):
        world.play.after(
            random.uniform(20, 200), lambda: world.cancel(random.choice([*world.messages._messages.values()]).list_id)
        )
    for _ in range(accounts * 2):
        world.play.after(
            random.uniform(5, 250), lambda: world.opt_out(random.choice([*world.messages._messages.values()]))
        )
    world.run()
    return world


def test_fifty_accounts_flow_through_whatever_goes_wrong_and_whatever_is_stopped():
    world = flow_through(50, 150, 13)
    assert_that_nothing_is_stranded(world)
    assert_that_what_is_stopped_rings_no_more(world)
    assert_that_who_has_opted_out_is_not_called(world)
    assert len(world.ledger.kills) >= 20
    assert world.paused
    assert world.cancelled
    outcomes = Counter(one.outcome for one in world.all())
    assert min(outcomes["cancelled"], outcomes["optedOut"]) >= 5


# ----------------------------------------------------------------------- hours
CLOCK_CHANGE = 1_790_431_200_000
"""2026-09-26T14:00Z: in Auckland it becomes 3 o'clock instead of 2."""
HOURS = {
    "over the change": (Hours((Window(110, 190),), ("Pacific/Auckland",)),),
    "over midnight": (Hours((Window(23 * 60 + 50, 10),), ("Pacific/Auckland",), ("2026-09-29",)),),
    "two clocks": (Hours((Window(540, 14 * 60 + 15),), ("Pacific/Auckland", "Australia/Perth")),),
    "narrowed": (Hours((Window(540, 1200),), ("Europe/Kyiv",)), Hours((Window(1190, 1320),), ("Europe/Kyiv",))),
    "every hour": (),
}


def is_open(hours: tuple[Hours, ...], moment_msec: int) -> bool:
    """By what the clocks on the wall show."""
    return all(
        _shows(one, datetime.fromtimestamp(moment_msec / 1000, ZoneInfo(zone))) for one in hours for zone in one.zones
    )


def _shows(hours: Hours, shown: datetime) -> bool:
    if f"{shown:%Y-%m-%d}" in hours.days_off:
        return False
    minute = shown.hour * 60 + shown.minute
    return any(
        one.start <= minute < one.until if one.start < one.until else minute >= one.start or minute < one.until
        for one in hours.windows
    )


def through_the_hours(most: int, seed: int) -> FairWorld:
    """Accounts with hours, of which one goes over a change of clocks, and messages that are to be sent later."""
    world = FairWorld(seed, Pool(3, 100), dict.fromkeys(HOURS, 10), TROUBLES, call_seconds=(30, 60, 150))
    world.play.msec = CLOCK_CHANGE - 7_200_000
    for account, hours in HOURS.items():
        fields = {"hours": hours, "redial": Redial(2, (60, 3600))}
        world.arrive(account, most, at_seconds=world.random.uniform(0, 60), **fields)
        later = world.play.msec + world.random.randrange(3_600_000, 40_000_000)
        world.arrive(account, most // 4, at_seconds=3, send_at_msec=later, campaign="later", **fields)
        world.arrive(account, 2, at_seconds=5000, is_urgent=True, **fields)
    # The sweeper ends two hundred a minute of those whose time is up while their hours are shut.
    world.run(hours=(CLOCK_CHANGE - NOW) / 3_600_000 + 47 + most / 2000)
    return world


def assert_that_no_phone_rings_outside_its_hours(world: FairWorld) -> None:
    found = {one.mid: one for one in world.all()}
    wrong = [
        (mid, moment)
        for moment, mid in world.ledger.claims
        if not is_open(found[mid].hours, moment) or moment < found[mid].send_at_msec
    ]
    assert wrong == []


def test_no_phone_rings_outside_its_hours_whatever_goes_wrong_and_whatever_the_clocks_do():
    world = through_the_hours(40, 23)
    assert_that_nothing_is_stranded(world)
    assert_that_no_phone_rings_outside_its_hours(world)
    # Its hours are too short for what an account has: some messages wait for the next day, and some for none.
    days = {zone_day for moment, _ in world.ledger.claims if (zone_day := moment // 86_400_000)}
    assert len(days) == 3
    assert {(one.outcome, one.reason) for one in world.all()} >= {("answered", "completed"), ("expired", "window")}
    assert sum(one.redials > 0 for one in world.all()) >= 5
    # What waits for its hours costs its queue a few writes.
    queues = [queue for account in HOURS for queue in world.messages.turns.all_of(account)[1] if queue.window]
    assert len(queues) >= 8
    assert max(one.revision for one in queues) <= 200


# ---------------------------------------------------------------------- limits
PER_NUMBER = {"two": 2, "one": 1}
MINUTES = {"short": 12}
STACK = 3
DAY = 86_400_000


def through_the_limits(most: int, seed: int) -> FairWorld:
    """Accounts that call the same few people again and again, at two moments seven hours apart, with redials.

    One of them may make few minutes a day, one has hours, one no limit but the stack's.
    """
    pool = Pool(5, 100, calls_per_number=STACK)
    shares = dict.fromkeys((*PER_NUMBER, *MINUTES, "any"), 10)
    world = FairWorld(seed, pool, shares, TROUBLES, (15, 30, 90), calls_per_number=PER_NUMBER, minutes_per_day=MINUTES)
    few = [f"+4930{number:07}" for number in range(max(most // 4, 1))]
    world.numbers = {account: few for account in shares if account not in MINUTES}
    fields = {"ttl_seconds": 26 * 3600, "redial": Redial(2, (60, 600))}
    for account in shares:
        hours = (Hours((Window(7 * 60, 22 * 60),), ("Europe/Kyiv",)),) if account == "one" else ()
        for hour in (0, 7):
            world.arrive(account, most, at_seconds=hour * 3600 + world.random.uniform(0, 60), hours=hours, **fields)
        world.arrive(account, 2, at_seconds=3, number="+49309", **fields)
    world.run(hours=7 + 26 + 1)
    return world


def assert_that_no_number_is_called_above_a_limit_in_any_24_hours(world: FairWorld) -> None:
    """By when phones began to ring."""
    found = {one.mid: one for one in world.all()}
    begun = [
        (moment, number, found[parse_holder(name)[0]].account_id) for moment, number, name in world.phones.rung.begun
    ]
    for moment, number, account in begun:
        within = [owner for when, to, owner in begun if to == number and moment - DAY < when <= moment]
        assert len(within) <= STACK, (number, moment)
        assert within.count(account) <= PER_NUMBER.get(account, STACK), (number, moment, account)


def assert_that_minutes_are_kept(world: FairWorld) -> None:
    """By the time from the answer to the end, on the days on which the calls took their lines."""
    for account, minutes in MINUTES.items():
        days = Counter[int]()
        lengths = [0]
        for name, began in world.lines.began.items():
            mid, attempt = parse_holder(name)
            call = world.calls.get(mid, attempt)
            if world.account_of(name) == account and call and call.answered_msec is not None:
                lengths.append((call.ended_msec or 0) - call.answered_msec)
                days[began // DAY] += lengths[-1]
        # What the last calls took longer than was reckoned with, of which five may be up.
        assert all(used <= minutes * 60_000 + 5 * max(lengths) for used in days.values()), days
        assert max(days.values()) >= (minutes - 4) * 60_000, days


def test_no_number_is_called_above_its_limit_in_any_24_hours_whatever_goes_wrong():
    world = through_the_limits(24, 37)
    assert_that_nothing_is_stranded(world)
    assert_that_no_number_is_called_above_a_limit_in_any_24_hours(world)
    assert_that_minutes_are_kept(world)
    ends = Counter((one.outcome, one.reason) for one in world.all())
    assert ends["expired", "capped"] >= 30
    assert ends["answered", "completed"] >= 20
    # The limits are used, and those that waited for a day are called then.
    numbers = Counter(number for _, number, _ in world.phones.rung.begun)
    assert max(numbers.values()) == 2 * STACK
    moments = [moment for moment, _, _ in world.phones.rung.begun]
    assert sum(moment > NOW + DAY for moment in moments) >= 20
    assert sum(one.redials > 0 for one in world.all()) >= 5


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(41, 51))
def test_limits_with_many_numbers(seed):
    world = through_the_limits(400, seed)
    assert_that_nothing_is_stranded(world)
    assert_that_no_number_is_called_above_a_limit_in_any_24_hours(world)
    assert_that_minutes_are_kept(world)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(29, 34))
def test_hours_with_queues_of_thousands(seed):
    world = through_the_hours(4000, seed)
    assert_that_nothing_is_stranded(world)
    assert_that_no_phone_rings_outside_its_hours(world)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [17, 19])
def test_fifty_accounts_with_queues_of_up_to_fifty_thousand(seed):
    world = flow_through(50, 50_000, seed, steepness=4)
    assert_that_nothing_is_stranded(world)
    assert_that_what_is_stopped_rings_no_more(world)
    assert_that_who_has_opted_out_is_not_called(world)
    hours, calls = (world.now_msec() - NOW) / 3_600_000, len(world.ledger.claims)
    print(f"{len(world.all())} messages, {calls} calls, {world.runs} runs of dialers, {hours:.1f} h")
