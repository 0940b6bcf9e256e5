"""Whatever goes wrong, known or not, every message, webhook and introduction comes to a recorded end.

A rule, not a list: an exception that no part of the product knows is raised at every call of every adapter, as the
deployed functions make them, and then time runs: retries, redeliveries, minute ticks. Three ways to fail:

    once      the call fails the first time, before it has done anything, or after it (its answer is lost)
    poison    every call fails that has to do with one message, or with one of its webhooks, for ever
    healed    the same where the record itself cannot be written or read: until an hour after the message's time

Then the message has an outcome and each webhook a state; no line is held, no phone is up, no queue holds work; nobody
is called twice for one attempt, nor after the message's time; and the messages and webhooks behind it go their way.
A few runs, in which many calls fail, belong to every `make test`; each call by itself to `make test-long`.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest

from tests.kit.outcomes.cloud import MINUTE, VirtualCloud, running_cloud
from tests.kit.outcomes.faults import Everything, Looking, Once, Plan, Poison, Site, planned
from tests.kit.outcomes.found import KINDS, Found
from tests.kit.outcomes.story import Story
from tests.kit.samples import NOW

TELEPHONIES = ("connect", "chime")
OTHERS = ("neighbour", "stranger")
TTL_SECONDS = 600

RECORDS = frozenset(
    {
        *("DynamoMessageReader.get", "DynamoMessages.refuse", "LeavingMessages.finish", "LeavingMessages.requeue"),
        *("LeavingMessages.redial", "DynamoDeliveries.begin", "DynamoDeliveries.record"),
        *("dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.TransactWriteItems"),
    }
)
"""Without these nothing can be written down, nor read whether it was. They are healed at last."""
HEALED_MSEC = NOW + TTL_SECONDS * 1000 + 60 * MINUTE
NO_WORK = ("SystemClock.", "count")
HOURS = 24
"""A webhook that is never answered, and is replayed when it was given up, ends in the seventeenth or eighteenth."""
PARTS = 4
"""In which the long tests are shared out."""

Concern = Callable[[Any], Callable[[str], bool]]


@pytest.fixture(scope="module", params=TELEPHONIES)
def cloud(request) -> Iterator[VirtualCloud]:
    with running_cloud(request.param) as made:
        yield made


def told(cloud: VirtualCloud, plan: Callable[[Story], Plan], **story: Any) -> tuple[Story, Plan, list[str]]:
    """A story under a plan, and what was not as it must be."""
    here = Story(cloud, **story)
    here.begin()
    with planned(plan(here)) as planned_:
        return here, planned_, here.violations(HOURS)


def once(sites: frozenset[Site]) -> Callable[[Story], Plan]:
    """Each of these calls fails the first time."""
    return lambda _: Once(sites=sites)


def calls_of(seen: Iterable[Site]) -> list[Site]:
    """Every call by itself, in the order of their first time; the clock's and the metrics' are no work."""
    return [site for site in seen if not site.call.startswith(NO_WORK)]


# ------------------------------------------------------------ in every `make test`
BESIDE = {"RetireFlowsFunction", "RehearseFunction"}
"""What has to do with no message."""
MOST_OF_A_FUNCTION = 3
"""Of calls that fail in one run: more would only be the end of a task's tries."""
SEEDS = range(3, 8)
"""Of the stories in which many calls fail. The first one that goes far is enough: some end early, since a message whose
call cannot be placed, say, is finished."""


def test_many_calls_fail_once(cloud):
    """A story of which nothing is wrong, and then some in which several calls of each function fail."""
    here, plan, wrong = told(cloud, lambda _: Plan())
    assert wrong + here.kept_waiting("victim", "stranger") == []
    sites = calls_of(plan.seen)
    driven = {name for name, spec in cloud.template.functions.items() for one in spec.events if one.type != "HttpApi"}
    assert driven - BESIDE - {site.label.partition(" ")[0] for site in sites} == set()
    for seed in SEEDS:
        chosen = some_of(sites, Random(seed))
        _, plan, wrong = told(cloud, once(chosen), seed=seed)
        assert wrong == [], (seed, sorted(map(str, plan.failed)))
        if len(plan.failed) > len(chosen) / 2:
            return
    pytest.fail("no story went far: see SEEDS")


def some_of(sites: list[Site], random: Random) -> frozenset[Site]:
    """Of each function some, in a mixed order; of that which a call hangs on one alone, or no other would be made."""
    chosen: dict[str, list[Site]] = {}
    for site in random.sample(sites, len(sites)):
        is_the_call = site.label.startswith("ControlCall")
        of_it = chosen.setdefault("ControlCall" if is_the_call else site.label, [])
        if len(of_it) < (1 if is_the_call else MOST_OF_A_FUNCTION):
            of_it.append(site)
    return frozenset(site for of_it in chosen.values() for site in of_it)


def test_what_cannot_be_swept_is_in_nobodys_way(cloud):
    """Whatever the sweeper asks about one message of each kind fails, for a while: those behind end in time."""
    here = Found(cloud)
    here.begin()
    stuck = [here.made[kind][0] for kind in KINDS]
    with planned(_all_about(cloud, stuck, minutes=10)) as plan:
        assert here.violations() == []
    assert plan.failed
    assert here.late([here.made[kind][1] for kind in KINDS]) == []
    outcomes = {one["mid"]["S"]: one["outcome"]["S"] for one in cloud.items("MESSAGE")}
    assert [outcomes[mid] for mid in here.made["expired"]] == ["expired"] * 2


def _all_about(cloud: VirtualCloud, mids: list[str], minutes: int) -> Everything:
    end = NOW + minutes * MINUTE
    concerns = lambda given: any(mid in given for mid in mids)  # noqa: E731
    return Everything(label="SweepFunction aws.events", concerns=concerns, ended=lambda: cloud.play.msec > end)


# ------------------------------------------------------------- in `make test-long`
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_that_cannot_be_swept_is_in_nobodys_way(cloud, kind):
    here = Found(cloud)
    here.begin()
    stuck = here.made[kind][0]
    with planned(_all_about(cloud, [stuck], minutes=90)):
        assert here.violations() == []
    assert here.late([mid for made in here.made.values() for mid in made if mid != stuck]) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("part", range(PARTS))
def test_each_call_fails_once_by_itself(cloud, moment, part):
    told(cloud, lambda _: Plan())  # what functions remember of it, they ask for no more
    _, plan, _ = told(cloud, lambda _: Plan())
    sites = [site for site in plan.seen if site.moment == moment][part::PARTS]
    wrong: dict[str, list[str]] = {}
    not_reached = []
    for site in sites:
        _, plan, found = told(cloud, once(frozenset({site})))
        if not plan.failed[site]:  # what one minute's tick has seen to, the next one need not
            not_reached.append(str(site))
        if found:
            wrong[str(site)] = found
    assert wrong == {}
    assert len(not_reached) <= len(sites) // 20, not_reached


POISONED: dict[str, Concern] = {
    "message": lambda here: here.concerns("victim"),
    "message whose end nobody hears of": lambda here: here.concerns("victim"),
    "first webhook": lambda here: here.concerns("victim", "a"),
    "last webhook": lambda here: here.concerns("victim", "c"),
}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("what", POISONED)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_every_call_about_one_message_fails_for_ever(cloud, what, part, moment):
    """By the adapter's method, whichever function calls it."""
    concern, is_unheard = POISONED[what], "nobody hears" in what
    looked_at(cloud, concern, is_unheard)  # what functions remember of it, they ask for no more
    looked = looked_at(cloud, concern, is_unheard)
    if is_unheard:  # the others are those of any message
        looked -= looked_at(cloud, concern, not is_unheard)
    wrong: dict[str, list[str]] = {}
    not_reached = []
    for call in sorted({site.call for site in looked if site.moment == moment})[part::PARTS]:
        found = poisoned(cloud, call, moment, concern, is_unheard)
        if found is None:
            not_reached.append(call)
        elif found:
            wrong[call] = found
    assert wrong == {}
    assert len(not_reached) <= 1, not_reached  # a webhook that has to wait for its turn, say: that is chance


def looked_at(cloud: VirtualCloud, concern: Concern, is_unheard: bool) -> set[Site]:
    """Every call in which the poison would be, where nothing is poisoned."""
    more = {"names": ("victim", *OTHERS), "unheard": is_unheard, "ttl_seconds": TTL_SECONDS}
    _, plan, _ = told(cloud, lambda here: Looking(concerns=concern(here)), **more)
    assert isinstance(plan, Looking)
    return {site for site in plan.concerned if "/bat/" not in site.label and not site.call.startswith(NO_WORK)}


def poisoned(cloud: VirtualCloud, call: str, moment: str, concern: Concern, is_unheard: bool) -> list[str] | None:
    """What a poison leads to that must not be: at the message itself, or at those behind it. None: nothing met it."""
    late_msec = HEALED_MSEC - NOW if call in RECORDS else 0

    def poison(here: Story) -> Poison:
        ended = _healed(cloud) if call in RECORDS else lambda: False
        return Poison(call=call, moment=moment, concerns=concern(here), ended=ended)

    more = {"ttl_seconds": TTL_SECONDS, "late_msec": 3 * MINUTE + late_msec, "unheard": is_unheard}
    here, plan, wrong = told(cloud, poison, names=("victim", *OTHERS), **more)
    return wrong + here.kept_waiting(*OTHERS) if plan.failed else None


def _healed(cloud: VirtualCloud) -> Callable[[], bool]:
    return lambda: cloud.play.msec > HEALED_MSEC
