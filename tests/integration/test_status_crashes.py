"""A function that ends a message may be killed between any two steps: there is one `final`, and its id never changes.

Each request to AWS is in turn the last thing that is done, and the last that is begun. Then what would come comes: the
message is ended again if it has not ended, and the minute's tick finds what was not queued.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from speechcall.evidence.adapters.person_jobs import DynamoPersonJobs
from speechcall.evidence.adapters.person_records import DynamoPersonRecords
from speechcall.evidence.rules.person_job import Kind, PersonJob
from speechcall.evidence.use_cases.work_for_people import PeopleWork
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.fallback import CAUSES, Fallback
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.status_event import StatusEvent, StatusKind
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.keys import message_key
from speechcall.shared.adapters.table import to_wire
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, OPTED_OUT, End, Outcome
from speechcall.shared.rules.time_bounds import QUEUE_LOST_SECONDS
from speechcall.status.adapters.status_reader import DynamoNotices
from speechcall.stopping.use_cases.stop_message import cancel_waiting
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookTask, status_task
from speechcall.webhooks.use_cases.deliver_webhook import Sending
from speechcall.webhooks.use_cases.wake_webhooks import wake_webhooks
from tests.kit.races.mortal import Killed, Mortal, Script
from tests.kit.races.tables import RaceTables
from tests.kit.registry import table_requests
from tests.kit.samples import ASK, NOW, FakeClock, message
from tests.kit.store_samples import ANSWERED, EXPIRES, POOL
from tests.stores.webhooks import MemoryPlaces

BUSY, DIGEST = Outcome("busy", "busy"), "d" * 64
MESSAGES, REGISTRY = table_requests()


@dataclass
class World:
    """Messages in lists of one, in DynamoDB, and everything that tells of them."""

    tables: RaceTables
    clock: FakeClock = field(default_factory=FakeClock)
    queued: list[WebhookTask] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.client = self.tables.client
        self.messages, self.lists = DynamoMessages(self.client, MESSAGES, REGISTRY), DynamoLists(self.client, REGISTRY)
        self.deliveries = DynamoDeliveries(self.client, MESSAGES)

    def accept(self, campaign: str, fallback: Fallback | None = None) -> Message:
        """A message of which everything is told; its list has no other. What was before is forgotten."""
        self.tables.clear()
        self.made += 1
        list_id, mid = str(self.made * 1000), str(self.made * 1000 + 1)
        answer: Any = {"messages": [], "messagelistId": list_id}
        url = f"https://shop{self.made}.example/status"
        made = MessageList(list_id, "acme", (mid,), NOW, EXPIRES, "f", answer, campaign, (), url)
        assert self.lists.add_list(made, None)
        given: Any = {"list_id": list_id, "campaign": campaign, "status_url": url, "counts_in_list": True}
        given |= {"number_digest": DIGEST, "fallback": fallback}
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

    def by(self, script: Script, kind: type[Mortal] = Mortal) -> DynamoMessages:
        """The store of a function that can be killed; it queues what it tells."""

        def tell(event: StatusEvent) -> None:
            script.step(lambda: self.queued.append(status_task(event)))

        client: Any = kind(self.client, script)
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
            notice_of=DynamoNotices(self.client, MESSAGES, REGISTRY).find,
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
    "its number has opted out": ("queue", lambda store, one, now: store.refuse(one, OPTED_OUT, None, now)),
    "cancelled": ("queue", lambda store, one, now: store.refuse(one, CANCELLED, None, now)),
    "its call has ended": ("call", lambda store, one, now: store.finish(one, ANSWERED, now)),
    "its call has ended, and an SMS follows": (
        "call",
        lambda store, one, now: store.finish(one, BUSY, now),
    ),
    "its time was up, and an SMS follows": (
        "queue",
        lambda store, one, now: store.refuse(one, EXPIRED, None, now),
    ),
    "it has settled": ("settle", lambda store, one, now: store.finish(one, BUSY, now)),
    "it cannot be read": (
        "call",
        lambda store, one, now: store.refuse_unreadable(one.mid, State.CALLING, EXPIRED, now),
    ),
}
OFTEN = ("expired", "its call has ended", "its time was up, and an SMS follows", "it cannot be read")
"""Those that are in every `make test`: the others write in the same way as one of these."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with RaceTables.made(is_direct=False) as tables:  # lists hold bytes
        yield World(tables)


def end(world: World, way: str, campaign: str, script: Script) -> tuple[Message, list[str]]:
    """Ends a message with a crash, and again if need be; what is sent of it."""
    state, ends = WAYS[way]
    one = world.accept(campaign, Fallback("Call us.", CAUSES) if "SMS" in way else None)
    one = one if state == "accept" else getattr(world, state)(one)
    try:
        assert ends(world.by(script), one, world.clock.msec)
    except Killed:
        pass
    else:
        assert script.done < script.kill_at
    now = world.read(one)
    if now.state is not State.FINISHED:
        assert now.state is one.state
        assert ends(world.by(Script()), one, world.clock.msec)
    assert not ends(world.by(Script()), one, world.clock.msec)
    return one, world.deliver()


def right(one: Message, way: str) -> list[str]:
    """What is told of a message that has ended so, in its order."""
    of_call = WAYS[way][0] in ("call", "settle") and "read" not in way
    return [*([f"{one.mid}-a1"] if of_call else []), f"{one.mid}-final", f"{one.list_id}-list"]


@pytest.mark.parametrize("campaign", ["", pytest.param("spring", marks=pytest.mark.long)])
@pytest.mark.parametrize("way", [way if way in OFTEN else pytest.param(way, marks=pytest.mark.long) for way in WAYS])
def test_a_crash_between_any_two_steps_leaves_one_final(world, way, campaign):
    whole = Script()
    one, sent = end(world, way, campaign, whole)
    assert sent == right(one, way)
    assert whole.done > len(sent)
    for last in range(1, whole.done + 1):
        for kills_before in (True, False):
            one, sent = end(world, way, campaign, Script(last, kills_before))
            assert sorted(sent) == sorted(right(one, way)), (last, kills_before)


def test_each_event_of_a_message_that_cannot_be_read_is_told_as_what_it_is(world):
    one = world.call(world.accept(""))
    assert world.messages.finish(one, BUSY, world.clock.msec)
    broken: Any = to_wire({":broken": "no menus"})
    world.client.update_item(
        TableName=MESSAGES,
        Key=to_wire(message_key(one.mid)),
        UpdateExpression="SET menus = :broken",
        ExpressionAttributeValues=broken,
    )
    told = []
    for kind in (StatusKind.ATTEMPT, StatusKind.FINAL):
        task = status_task(StatusEvent(kind, one.mid, 1))
        notice = DynamoNotices(world.client, MESSAGES, REGISTRY).find(task)
        assert notice
        told.append(json.loads(notice.body))
    names = ("event", "attempt", "messageId", "deliverystatus", "call")
    assert [tuple(body.get(name) for name in names) for body in told] == [
        ("attempt", 1, one.mid, "undeliverable", None),
        ("final", None, one.mid, "undeliverable", None),
    ]


class MortalInWrites(Mortal):
    """Only a write is a step: between two reads nothing can be left half done."""

    def __getattr__(self, name: str) -> Any:
        is_write = name.startswith(("put_", "update_", "delete_", "transact_write"))
        return super().__getattr__(name) if is_write else getattr(self._client, name)


def erase(world: World, script: Script) -> tuple[Message, list[str]]:
    """Erases the person of a message that waits, by workers of which the first is killed; what is sent of it."""
    one = world.queue(world.accept(""))
    client: Any = MortalInWrites(world.client, script)
    world.clock.msec += 1000
    DynamoPersonJobs(world.client, REGISTRY).add(PersonJob("7", Kind.ERASURE, "acme", DIGEST, world.clock.msec))
    sent: list[str] = []
    for minute in range(12):
        its = script if minute == 0 else Script()
        through = client if minute == 0 else world.client
        messages = world.by(its, MortalInWrites) if minute == 0 else world.by(Script())

        def cancel(found: Message, messages: DynamoMessages = messages) -> object:
            return cancel_waiting(found.mid, False, messages=messages, clock=world.clock)

        try:
            PeopleWork(
                jobs=DynamoPersonJobs(through, REGISTRY),
                records=DynamoPersonRecords(through, MESSAGES, DynamoLists(through, REGISTRY)),
                messages=world.messages,
                cancel=cancel,
                clock=world.clock,
                time_left=lambda: 9,
            ).do()
        except Killed:
            assert minute == 0
        sent += world.deliver()
        found = DynamoPersonJobs(world.client, REGISTRY).find("7")
        if found and found.finished_msec:
            assert world.messages.get(one.mid) is None
            return one, sent
    raise AssertionError("the erasure never ended")


OFTEN_KILLED_AT = 10
"""The write that ends the message: the job is taken, and the pages before are noted."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
def test_an_erasure_that_is_killed_between_any_two_steps_leaves_one_final_and_then_nothing(world, every):
    whole = Script()
    one, sent = erase(world, whole)
    assert sent == [f"{one.mid}-final", f"{one.list_id}-list"]
    for last in range(1, whole.done + 1) if every else (OFTEN_KILLED_AT,):
        for kills_before in (True, False):
            one, sent = erase(world, Script(last, kills_before))
            assert sorted(sent) == sorted([f"{one.mid}-final", f"{one.list_id}-list"]), (last, kills_before)
