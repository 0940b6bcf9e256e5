"""One account's receivers that hang leave room for another account's: queues and workers in made-up time."""

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from random import Random

import pytest
from greenlet import getcurrent, greenlet

from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.errors import Unreachable
from speechcall.webhooks.rules.delivery import places_of_an_account
from speechcall.webhooks.rules.webhook import WebhookAnswer, WebhookTask
from speechcall.webhooks.use_cases.deliver_webhook import Sending
from speechcall.webhooks.use_cases.work_webhooks import WebhookWork
from tests.kit.samples import NOW, FakeClock, message
from tests.kit.webhook_bench import task_of
from tests.stores.webhooks import MemoryDeliveries, MemoryPlaces

pytestmark = pytest.mark.slow

FUNCTION = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}).functions[
    "SendWebhookFunction"
]
FIRST, AGAIN = (int(event.properties["ScalingConfig"]["MaximumConcurrency"]) for event in FUNCTION.events)
TO_ONE, CONSUMERS = (int(FUNCTION.environment[name]) for name in ("WEBHOOKS_IN_FLIGHT", "WEBHOOK_CONCURRENCY"))
OF_ONE = places_of_an_account(CONSUMERS)
WORK_MSEC, HANG_MSEC, ANSWER_MSEC = 30, 10_000, 100


class World:
    """The two queues with their workers: each invocation is a coroutine that gives way while it waits."""

    def __init__(self, of_one: int = OF_ONE) -> None:
        self.clock = FakeClock()
        self._order = itertools.count()
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._first: deque[WebhookTask] = deque()
        self._again: deque[WebhookTask] = deque()
        self._groups: set[str] = set()
        self._free = {"first": FIRST, "again": AGAIN}
        self._main = getcurrent()
        self.delivered: dict[str, int] = {}
        self.in_flight: dict[str, int] = {}
        self.messages = MemoryMessages()
        self.deliveries = MemoryDeliveries()
        sending = Sending(
            messages=self.messages,
            deliveries=self.deliveries,
            places=MemoryPlaces(TO_ONE),
            of_accounts=MemoryPlaces(of_one),
            queue=self,
            post=self._post,
            sign=lambda _account, request: request,
            clock=self.clock,
            uniform=Random(1).uniform,
        )
        self._work = WebhookWork(sending)

    def call(self, mid: str, account: str, *hosts: str) -> None:
        """A key was pressed whose list has a webhook to each of these hosts."""
        hooks = [Webhook(f"https://{host}/") for host in hosts]
        stored = message(mid, account_id=account, menus=(Menu("a", 1000, {"d1": (*hooks, Hangup())}),))
        self.messages.add([stored])
        self._first.extend(task_of(stored, step) for step in range(len(hooks)))

    def again(self, task, delay_seconds: int) -> None:
        """The retry queue."""
        self._at(self.clock.msec + delay_seconds * 1000, lambda: self._again.append(task))

    def run(self, seconds: float) -> None:
        until = self.clock.msec + seconds * 1000
        self._give_work()
        while self._events and self._events[0][0] <= until:
            self.clock.msec, _, happen = heapq.heappop(self._events)
            happen()
            self._give_work()
        self.clock.msec = int(until)

    def _give_work(self) -> None:
        for task in [*self._first]:
            if self._free["first"] and task.mid not in self._groups:
                self._groups.add(task.mid)
                self._first.remove(task)
                self._start("first", task)
        while self._free["again"] and self._again:
            self._start("again", self._again.popleft())

    def _start(self, queue: str, task) -> None:
        self._free[queue] -= 1

        def invocation() -> None:
            self._wait(WORK_MSEC)
            if self._work.do(task, receives=1, is_first=queue == "first") == "delivered":
                self.delivered[task.event_id] = self.clock.msec
            self._free[queue] += 1
            if queue == "first":
                self._groups.discard(task.mid)

        greenlet(invocation).switch()

    def _post(self, request) -> WebhookAnswer:
        account = request.account_id
        self.in_flight[account] = self.in_flight.get(account, 0) + 1
        hangs = "hangs" in request.url
        self._wait(HANG_MSEC if hangs else ANSWER_MSEC)
        self.in_flight[account] -= 1
        if hangs:
            raise Unreachable("TIMEOUT")
        return WebhookAnswer(200)

    def _wait(self, msec: int) -> None:
        self._at(self.clock.msec + msec, getcurrent().switch)
        self._main.switch()

    def _at(self, msec: int, happen) -> None:
        heapq.heappush(self._events, (msec, next(self._order), happen))


def seconds_for_others(world: World, after_seconds: float, calls: int = 20) -> float:
    """How long the slowest webhook of another account's calls takes, which come after so long, five in a second."""
    world.run(after_seconds)
    begun = {}
    for number in range(calls):
        world.call(str(900 + number), "good", f"well{number % 4}.example")
        begun[str(900 + number)] = world.clock.msec
        world.run(0.2)
    while len(found := [name for name in world.delivered if name.startswith("9")]) < calls:
        world.run(1)
        assert world.clock.msec < NOW + 1000 * (after_seconds + 400)
    return max(world.delivered[name] - begun[name[:3]] for name in found) / 1000


def hanging(world: World, accounts: int = 1, hooks: int = 5) -> World:
    """60 calls of an account whose webhooks, so many each, go to 60 hosts that hang."""
    for account, number in itertools.product(range(accounts), range(60)):
        host = f"hangs{number}-{account}.example"
        world.call(str(100 + number + 1000 * account), f"bad{account}", *[host] * hooks)
    return world


@pytest.mark.parametrize("after_seconds", [0, 3, 15, 40, 100])
def test_hosts_that_hang_hold_up_no_other_account(after_seconds):
    assert seconds_for_others(hanging(World()), after_seconds) < 2


def test_without_the_limit_they_do():
    # … so that the test above can fail
    assert seconds_for_others(hanging(World(of_one=10**6)), 3) > 40


def test_two_accounts_that_hang_leave_room_for_a_third():
    assert seconds_for_others(hanging(World(), accounts=2), 15) < 2


def test_no_two_accounts_fill_the_workers_of_a_queue():
    assert int(FIRST) == CONSUMERS
    assert int(AGAIN) == CONSUMERS
    for consumers in range(3, 101):
        assert 2 * places_of_an_account(consumers) < consumers
    assert places_of_an_account(2) == 1


def test_the_hosts_that_hang_have_their_attempts_all_the_same_and_never_more_at_once():
    world = hanging(World(), hooks=1)
    for _ in range(20):
        world.run(59)
        assert world.in_flight.get("bad0", 0) <= OF_ONE
    tried = [kept.delivery for kept in world.deliveries._kept.values()]
    assert len(tried) == 60
    assert all(len(one.attempts) >= 1 for one in tried)
