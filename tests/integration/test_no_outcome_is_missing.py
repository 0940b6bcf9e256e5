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

from collections.abc import Callable, Iterator

import pytest

from tests.fixtures.outcomes.cloud import MINUTE, NOW, VirtualCloud, running_cloud
from tests.fixtures.outcomes.faults import Looking, Once, Plan, Poison, Site, planned
from tests.fixtures.outcomes.story import Story

TELEPHONIES = ("connect", "chime")
OTHERS = ("neighbour", "stranger")
TTL_SECONDS = 600

RECORDS = frozenset(
    {
        *("DynamoMessages.get", "DynamoMessages.refuse", "DynamoMessages.finish", "DynamoMessages.requeue"),
        *("DynamoDeliveries.begin", "DynamoDeliveries.record"),
    }
)
"""Without these nothing can be written down, nor read whether it was. They are healed at last."""
NOT_POISONED = (
    "SystemClock.",  # no message's own
    "count",
    "DynamoAccounts.",  # the API's: who sends is answered 500, and knows it
    "DynamoLists.",
    "DynamoShapes.",
    "DynamoMessages.add",
)


@pytest.fixture(scope="module", params=TELEPHONIES)
def cloud(request) -> Iterator[VirtualCloud]:
    with running_cloud(request.param) as made:
        yield made


def told(cloud: VirtualCloud, plan: Callable[[Story], Plan], **story: object) -> tuple[Story, Plan, list[str]]:
    """A story under a plan, and what was not as it must be."""
    here = Story(cloud, **story)
    here.begin()
    with planned(plan(here)) as planned_:
        return here, planned_, here.violations(hours=16)


def sites(cloud: VirtualCloud) -> list[Site]:
    """Every call of a story in which nothing goes wrong, in the order of their first time."""
    _, plan, wrong = told(cloud, lambda _: Plan())
    assert wrong == []
    return list(plan.seen)


def test_where_nothing_goes_wrong_everybody_is_called_and_told(cloud):
    here, plan, wrong = told(cloud, lambda _: Plan(), names=("victim", *OTHERS))
    assert wrong == []
    assert here.kept_waiting("victim", *OTHERS) == []
    functions = {site.label.partition(" ")[0] for site in plan.seen}
    asked = {one for one, spec in cloud.template.functions.items() if spec.events or "Control" in one}
    assert len(functions) >= 10, sorted(asked - functions)


MOST_OF_A_LABEL = 3
"""Of calls that fail in one run for one reason to be called: more would only be the end of its tries."""
MOST_RUNS = 4


@pytest.mark.parametrize("moment", ["before", "after"])
def test_many_calls_fail_once(cloud, moment):
    """In each run several calls of each function, those that have not failed yet, as far as few runs go."""
    left = [site for site in sites(cloud) if site.moment == moment and not site.call.startswith(("SystemClock", "count"))]
    begun = len(left)
    for seed in range(1, MOST_RUNS + 1):
        chosen = frozenset(site for site in left if _place(site, left) < MOST_OF_A_LABEL)
        _, plan, wrong = told(cloud, lambda _, chosen=chosen: Once(sites=chosen), seed=seed)
        assert wrong == [], sorted(map(str, plan.failed))
        left = [site for site in left if not plan.failed[site]]
    assert len(left) < begun / 2
