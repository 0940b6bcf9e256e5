"""However runs overlap, are killed and are late, a fallback is sent at most once, and comes to one end.

An order is drawn from a seed: runs one after the other and inside each other, each killed at any of its requests or
not; answers of every kind; opt-outs, pauses, cancelling; and hours that pass.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.fallbacks.adapters.fallbacks_store import DynamoFallbacks
from speechcall.fallbacks.use_cases.fallback_ports import Answer, End
from speechcall.fallbacks.use_cases.send_fallbacks import Fallbacks
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.fallback import CAUSES, Fallback, FallbackStatus
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.status_event import StatusEvent, StatusKind
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.optouts.adapters.opt_outs_store import OptOutEntries
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.shared.adapters.keys import fallback_key, sms_key
from speechcall.shared.adapters.table import read_item
from speechcall.shared.rules.outcome import EXPIRED
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.adapters.status_reader import DynamoNotices
from speechcall.status.use_cases.status import describe_message
from speechcall.webhooks.rules.webhook import status_task
from tests.kit.races.mortal import Killed, Mortal, Script
from tests.kit.races.tables import RaceTables
from tests.kit.registry import table_requests
from tests.kit.samples import ASK, NOW, FakeClock, message

MESSAGES, REGISTRY = table_requests()
DIGEST = "a" * 64
TEXT = "ж" * 100  # two parts
DAY = 3
MINUTE, HOUR = 60_000, 3_600_000
ORDERS, FEW = 200, 12


@dataclass
class World:
    """One message that has ended, and everything that may happen to its fallback."""

    tables: RaceTables
    clock: FakeClock = field(default_factory=FakeClock)
    asked: list[Answer] = field(default_factory=list)
    told: list[StatusEvent] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    account: Account | None = None

    @property
    def client(self) -> Any:
        return self.tables.client

    def begin(self, **changes: Any) -> Message:
        self.tables.clear()
        self.clock, self.asked, self.told, self.ends = FakeClock(), [], [], []
        self.account = Account("acme", ("+38",), sms_per_day=DAY)
        store = DynamoMessages(self.client, MESSAGES, REGISTRY)
        given: dict[str, Any] = {
            "fallback": Fallback(TEXT, CAUSES),
            "status_url": "https://shop.example/status",
            "status_events": ("fallback",),
            "number_digest": DIGEST,
        }
        one = message("227633266688000007", **(given | changes))
        store.add([one])
        assert store.queue(one, (ASK,), NOW)
        queued = store.get(one.mid)
        assert queued
        assert store.refuse(queued, EXPIRED, None, NOW)
        return one

    def run(self, script: Script | None = None, answer: Answer = Answer.TAKEN) -> None:
        script = script or Script()
        client: Any = Mortal(self.client, script)

        def send(_number: str, text: str, _mid: str) -> Answer:
            assert text == TEXT
            script.step(lambda: self.asked.append(answer))
            return answer

        sms: Any = type("Service", (), {"send": staticmethod(send)})()
        store = DynamoFallbacks(client, MESSAGES, REGISTRY, lambda event: script.step(lambda: self.told.append(event)))
        work = Fallbacks(store, sms, lambda _id: self.account, self.clock, lambda _mid, end: self.ends.append(end))
        work.send_due(lambda: 1)

    def opt_out(self) -> None:
        OptOutEntries(self.client, REGISTRY).add("acme", OptOut("", DIGEST, "03", self.clock.msec, By.API))

    @property
    def stops(self) -> DynamoStops:
        return DynamoStops(self.client, REGISTRY)

    def state(self, one: Message) -> Any:
        item = read_item(self.client, MESSAGES, fallback_key(one.mid))
        assert item
        return item

    def parts(self) -> int:
        """Those of all days."""
        days = [f"2026-09-{day}" for day in range(21, 26)]
        items = [read_item(self.client, REGISTRY, sms_key("acme", day)) for day in days]
        return sum(item["parts"] for item in items if item)

    def shown(self, one: Message) -> Any:
        history = DynamoHistory(self.client, MESSAGES).read(one.mid)
        assert history
        return describe_message(history, self.clock.msec)["fallbacks"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with RaceTables.made() as tables:
        yield World(tables)


def play(world: World, one: Message, draw: Random) -> None:
    """One order of runs and of what happens between and inside them."""
    list_of = Stopped(Brake.LIST, "acme", one.list_id)
    events: list[Callable[[], object]] = [
        world.opt_out,
        lambda: world.stops.pause(list_of, world.clock.msec, one.expires_at),
        lambda: world.stops.resume(list_of),
        lambda: world.stops.cancel(list_of, world.clock.msec, one.expires_at, hangs_up=False),
    ]

    def pass_time() -> None:
        world.clock.msec += draw.choice((0, 0, MINUTE, 6 * MINUTE, 6 * HOUR))

    def run(depth: int) -> None:
        def meanwhile() -> None:
            pass_time()
            if draw.random() < 0.15:
                draw.choice(events)()
            if depth:
                run(depth - 1)

        script = Script(draw.randrange(14), draw.random() < 0.5, draw.randrange(10), meanwhile)
        with suppress(Killed):
            world.run(script, draw.choice((Answer.TAKEN, Answer.TAKEN, *Answer)))

    for _ in range(draw.randrange(1, 5)):
        run(draw.randrange(3))
        pass_time()
        if draw.random() < 0.1:
            draw.choice(events)()


@pytest.mark.parametrize("seeds", [range(FEW), pytest.param(range(FEW, ORDERS), marks=pytest.mark.long)])
def test_in_any_order_it_is_sent_at_most_once_and_comes_to_one_end(world, seeds):
    found = set()
    for seed in seeds:
        one = world.begin()
        play(world, one, Random(seed))
        # Whatever has happened, it is at an end a day later.
        for _ in range(2):
            world.clock.msec += 25 * HOUR
            world.run(answer=Answer.NOT_NOW)
        status = world.state(one)["state"]
        found.add(status)
        may_be_out = sum(answer in (Answer.TAKEN, Answer.LOST) for answer in world.asked)
        assert may_be_out <= 1, seed
        least, most = {"sent": (1, 1), "unknown": (0, 1)}.get(status, (0, 0))
        assert least <= may_be_out <= most, (seed, status)
        assert status in {*FallbackStatus} - {"pending"}, seed
        assert "due_at" not in world.state(one), seed
        assert len(world.ends) <= 1, seed
        assert world.parts() in ((2,) if status in ("sent", "unknown") else (0,)), (seed, status)
        # Its sender is told once, at the latest by the minute's tick, and always the same.
        notice = DynamoNotices(world.client, MESSAGES, REGISTRY).find(
            status_task(StatusEvent(StatusKind.FALLBACK, one.mid))
        )
        assert notice, seed
        assert f'"status":"{status}"' in notice.body
        assert len(world.told) <= 1, seed
    assert {"sent", "unknown"} <= found


# ------------------------------------------------------------------ one by one
def test_one_is_sent_in_the_parts_of_its_day_and_its_sender_is_told(world):
    one = world.begin()
    assert world.shown(one) == [{"type": "sms", "status": "pending"}]
    world.run()
    assert world.asked == [Answer.TAKEN]
    assert world.shown(one) == [{"type": "sms", "status": "sent", "at": "2026-09-21T14:13:20.000Z"}]
    assert world.parts() == 2
    assert [event.event_id for event in world.told] == [f"{one.mid}-fallback"]
    world.clock.msec += 30 * HOUR
    world.run()
    assert world.asked == [Answer.TAKEN]


@pytest.mark.parametrize(
    ("answer", "shown", "parts"),
    [
        (Answer.LOST, {"status": "unknown", "reason": "lost"}, 2),
        (Answer.REFUSED, {"status": "failed", "reason": "refused"}, 0),
        (Answer.OPTED_OUT, {"status": "not_used", "reason": "optedOut"}, 0),
    ],
)
def test_each_answer_is_an_end_and_what_was_not_sent_costs_nothing(world, answer, shown, parts):
    one = world.begin()
    world.run(answer=answer)
    world.clock.msec += HOUR
    world.run()
    assert world.asked == [answer]
    assert world.shown(one) == [{"type": "sms", **shown, "at": "2026-09-21T14:13:20.000Z"}]
    assert world.parts() == parts


class Late(DynamoFallbacks):
    """A run that has read its page before."""

    def due(self, now_msec: int, limit: int) -> list[str]:
        return ["227633266688000007"]


@pytest.mark.parametrize(("answer", "state"), [(Answer.TAKEN, "sent"), (Answer.NOT_NOW, "pending")])
def test_a_run_leaves_one_alone_that_another_run_is_just_sending(world, answer, state):
    one = world.begin()

    def run(store: type[DynamoFallbacks], send: Callable[..., Answer]) -> int:
        sms: Any = type("Service", (), {"send": staticmethod(send)})()
        kept = store(world.client, MESSAGES, REGISTRY)
        return Fallbacks(kept, sms, lambda _id: world.account, world.clock).send_due(lambda: 1)

    def send(*_: str) -> Answer:
        world.clock.msec += MINUTE
        assert run(Late, lambda *_: Answer.TAKEN) == 0
        return answer

    assert run(DynamoFallbacks, send) == (answer is Answer.TAKEN)
    assert world.state(one)["state"] == state


def test_a_busy_service_is_asked_again_each_minute_for_a_day(world):
    one = world.begin()
    world.run(answer=Answer.NOT_NOW)
    world.run()  # within the minute: not yet
    assert (world.asked, world.parts()) == ([Answer.NOT_NOW], 0)
    world.clock.msec += MINUTE
    world.run()
    assert world.shown(one)[0]["status"] == "sent"
    one = world.begin()
    world.clock.msec += 24 * HOUR - MINUTE
    world.run(answer=Answer.NOT_NOW)
    assert world.shown(one)[0] == {"type": "sms", "status": "failed", "reason": "unavailable"} | {
        "at": "2026-09-22T14:12:20.000Z"
    }


def test_who_opts_out_before_it_is_sent_gets_none(world):
    one = world.begin()
    world.opt_out()
    world.run()
    assert world.asked == []
    assert (world.state(one)["state"], world.state(one)["reason"]) == ("not_used", "optedOut")
    one = world.begin(ignores_opt_out=True)
    world.opt_out()
    world.run()
    assert world.state(one)["state"] == "sent"


@pytest.mark.parametrize("campaign", ["", "spring"])
def test_what_is_paused_waits_and_what_is_cancelled_is_not_used(world, campaign):
    one = world.begin(campaign=campaign)
    what = Stopped(Brake.CAMPAIGN, "acme", campaign) if campaign else Stopped(Brake.LIST, "acme", one.list_id)
    if campaign:
        world.client.put_item(
            TableName=REGISTRY, Item={"pk": {"S": f"CAMPAIGN#acme#{campaign}"}, "sk": {"S": "CAMPAIGN"}}
        )
    world.stops.pause(what, NOW, one.expires_at)
    world.run()
    assert (world.asked, world.state(one)["state"]) == ([], "pending")
    world.stops.cancel(what, NOW, one.expires_at, hangs_up=False)
    world.clock.msec += MINUTE
    world.run()
    assert (world.asked, world.state(one)["reason"]) == ([], "cancelled")


def test_an_account_that_is_paused_or_cancelled_as_a_whole_sends_none(world):
    one = world.begin()
    account = Stopped(Brake.ACCOUNT, "acme")
    world.stops.pause(account, NOW, one.expires_at)
    world.run()
    assert world.state(one)["state"] == "pending"
    world.stops.resume(account)
    world.stops.cancel_queue("acme", int(one.mid), NOW)
    world.clock.msec += MINUTE
    world.run()
    assert (world.asked, world.state(one)["reason"]) == ([], "cancelled")


def test_the_parts_of_a_day_are_an_end_to_it(world):
    one = world.begin()
    world.client.put_item(
        TableName=REGISTRY, Item={"pk": {"S": "SMS#acme#2026-09-21"}, "sk": {"S": "SMS"}} | {"parts": {"N": "2"}}
    )
    world.run()
    assert (world.asked, world.state(one)["reason"]) == ([], "smsPerDay")
    one = world.begin()
    world.account = Account("acme", ("+38",), sms_per_day=1)  # fewer than it has parts
    world.run()
    assert (world.asked, world.state(one)["reason"]) == ([], "smsPerDay")


def test_one_whose_message_cannot_be_read_ends_when_its_time_is_up_and_is_in_nobodys_way(world):
    one = world.begin()
    world.client.update_item(
        TableName=MESSAGES,
        Key={"pk": {"S": f"M#{one.mid}"}, "sk": {"S": "MESSAGE"}},
        UpdateExpression="REMOVE menus",
    )
    world.run()
    assert world.state(one)["state"] == "pending"
    world.clock.msec += 25 * HOUR
    world.run()
    assert (world.state(one)["state"], world.state(one)["reason"]) == ("failed", "internal")
