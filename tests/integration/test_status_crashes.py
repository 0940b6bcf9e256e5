"""Whoever ends a message may be killed between any two steps: there is exactly one `final`, and its id never changes.

Each request to AWS is in turn the last thing that is done, and the last that is begun. Then what would come comes: the
message is ended again if it has not ended, and the minute's tick finds what was not queued.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from local.cloud.account import ACCOUNT, REGION
from local.cloud.template import Template
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.status_event import StatusEvent
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, End, Outcome
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.status.adapters.status_reader import DynamoNotices
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookTask, status_task
from speechcall.webhooks.use_cases.deliver_webhook import Sending
from speechcall.webhooks.use_cases.wake_webhooks import wake_webhooks
from tests.kit.registry import dynamodb_client, requests_for_tables
from tests.kit.samples import ASK, NOW, FakeClock, message
from tests.kit.store_samples import ANSWERED, CONNECT_ARN, EXPIRES, POOL, TEMPLATE
from tests.stores.webhooks import MemoryPlaces

BUSY = Outcome("busy", "busy")
TABLES = requests_for_tables(Template(TEMPLATE, {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"}))
MESSAGES, REGISTRY = TABLES


class Killed(BaseException):
    """The function was killed in this moment."""


@dataclass
class Steps:
    """Counts what is done, and kills whoever does it before or after one of them."""

    last: int = 10**9
    moment: str = "after"
    done: int = 0

    def step(self, work: Callable[[], Any]) -> Any:
        self.done += 1
        if self.done == self.last and self.moment == "before":
            raise Killed
        is_last = self.done == self.last
        try:
            return work()
        finally:
            if is_last:
                raise Killed


class Mortal:
    """A client of AWS, every request of which is a step."""

    def __init__(self, client: Any, steps: Steps) -> None:
        self._client, self._steps = client, steps

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda **given: self._steps.step(lambda: method(**given))


@dataclass
class World:
    """Messages in lists of one, in DynamoDB, and everything that tells of them."""

    client: Any
    clock: FakeClock = field(default_factory=FakeClock)
    queued: list[WebhookTask] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.messages, self.lists = DynamoMessages(self.client, MESSAGES, REGISTRY), DynamoLists(self.client, REGISTRY)
        self.deliveries = DynamoDeliveries(self.client, MESSAGES)

    def accept(self, campaign: str) -> Message:
        """A message of which everything is told; its list has no other. What was before is forgotten."""
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            table.items.clear()
        self.made += 1
        list_id, mid = str(self.made * 1000), str(self.made * 1000 + 1)
        answer: Any = {"messages": [], "messagelistId": list_id}
        url = f"https://shop{self.made}.example/status"
        made = MessageList(list_id, "acme", (mid,), NOW, EXPIRES, "f", answer, campaign, (), url)
        assert self.lists.add_list(made, None)
        given: Any = {"list_id": list_id, "campaign": campaign, "status_url": url, "counts_in_list": True}
        one = message(mid, status_events=("final", "attempt"), **given)
        self.messages.add([one])
        return one

    def queue(self, one: Message) -> Message:
        assert self.messages.queue(one, (ASK,), NOW)
        return self.read(one)

    def call(self, one: Message) -> Message:
        self.clock.msec += 1000
        one = self.queue(one)
        assert self.messages.claim_line(one, "arn:flow", POOL._replace(lines=1000), self.clock.msec) == LineTaken()
        return self.read(one)

    def settle(self, one: Message) -> Message:
        one = self.call(one)
        assert self.messages.settle(one, End.NOT_ANSWERED, BUSY, self.clock.msec)
        return self.read(one)

    def read(self, one: Message) -> Message:
        found = self.messages.get(one.mid)
        assert found
        return found

    def by(self, steps: Steps) -> DynamoMessages:
        """The store of a function that can be killed; it queues what it tells."""

        def tell(event: StatusEvent) -> None:
            steps.step(lambda: self.queued.append(status_task(event)))

        client: Any = Mortal(self.client, steps)
        store = DynamoMessages(client, MESSAGES, REGISTRY, tell)
        store.sleep = lambda _: None
        return store

    def deliver(self) -> list[str]:
        """What is queued is sent, and what the ticks of an hour find; the ids in their order."""
        sent: list[str] = []

        def post(request: Any) -> WebhookAnswer:
            sent.append(dict(request.headers)["webhook-id"])
            return WebhookAnswer(200)

        again = SimpleNamespace(again=lambda task, _delay: self.queued.append(task))
        sending = Sending(
            messages=self.messages,
            deliveries=self.deliveries,
            places=MemoryPlaces(),
            of_accounts=MemoryPlaces(),
            queue=again,
            post=post,
            sign=lambda _account, request: request,
            clock=self.clock,
            uniform=lambda low, high: (low + high) / 2,
            notice_of=DynamoNotices(self.client, *TABLES).find,
        )
        for _ in range(3):
            tasks, self.queued = self.queued, []
            for task in tasks:
                sending.deliver(task)
            self.clock.msec += QUEUE_LOST_SECONDS * 1000
            wake_webhooks(deliveries=self.deliveries, queue=again, clock=self.clock, time_left=lambda: 1)
        assert self.queued == []
        return sent


End_ = Callable[[DynamoMessages, Message, int], bool]
WAYS: dict[str, tuple[str, End_]] = {
    "not prepared in time": ("accept", lambda store, one, now: store.refuse(one, EXPIRED, "too late", now)),
    "expired": ("queue", lambda store, one, now: store.refuse(one, EXPIRED, None, now)),
    "cancelled": ("queue", lambda store, one, now: store.refuse(one, CANCELLED, None, now)),
    "its call has ended": ("call", lambda store, one, now: store.finish(one, ANSWERED, now)),
    "it has settled": ("settle", lambda store, one, now: store.finish(one, BUSY, now)),
    "it cannot be read": (
        "call",
        lambda store, one, now: store.refuse_unreadable(one.mid, State.CALLING, EXPIRED, now),
    ),
}
OFTEN = ("expired", "its call has ended", "it cannot be read")
"""Those that are in every `make test`: the others write in the same way as one of these."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with mock_aws():
        client = dynamodb_client()
        for name, request in TABLES.items():
            client.create_table(TableName=name, **request)
        yield World(client)


def end(world: World, way: str, campaign: str, steps: Steps) -> tuple[Message, list[str]]:
    """Ends a message with a crash, and again if need be; what is sent of it."""
    state, ends = WAYS[way]
    one = world.accept(campaign)
    one = one if state == "accept" else getattr(world, state)(one)
    try:
        assert ends(world.by(steps), one, world.clock.msec)
    except Killed:
        pass
    else:
        assert steps.done < steps.last
    now = world.read(one)
    if now.state is not State.FINISHED:
        assert now.state is one.state
        assert ends(world.by(Steps()), one, world.clock.msec)
    assert not ends(world.by(Steps()), one, world.clock.msec)
    return one, world.deliver()


def right(one: Message, way: str) -> list[str]:
    """What is told of a message that has ended so, in its order."""
    of_call = WAYS[way][0] in ("call", "settle") and "read" not in way
    return [*([f"{one.mid}-a1"] if of_call else []), f"{one.mid}-final", f"{one.list_id}-list"]


@pytest.mark.parametrize("campaign", ["", pytest.param("spring", marks=pytest.mark.long)])
@pytest.mark.parametrize("way", [way if way in OFTEN else pytest.param(way, marks=pytest.mark.long) for way in WAYS])
def test_a_crash_between_any_two_steps_leaves_one_final(world, way, campaign):
    whole = Steps()
    one, sent = end(world, way, campaign, whole)
    assert sent == right(one, way)
    assert whole.done > len(sent)
    for last in range(1, whole.done + 1):
        for moment in ("before", "after"):
            one, sent = end(world, way, campaign, Steps(last, moment))
            assert sorted(sent) == sorted(right(one, way)), (last, moment)
