"""What sending a webhook costs compared with bare httpx, and what one receiver that hangs costs the others."""

import heapq
import itertools
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx

from benchmarks.length import in_short
from benchmarks.receiver import receivers
from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.messages.rules.message import Message
from speechcall.outbound.adapters.http_clients import make_client
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.adapters.clock import SystemClock
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.webhook import WebhookTask, webhook_of, webhook_request
from speechcall.webhooks.use_cases.deliver_webhook import Sending
from speechcall.webhooks.use_cases.webhook_secrets import Signer, new_secret, rotate_secret
from tests.kit.samples import MESSAGE
from tests.kit.webhook_bench import task_of
from tests.stores.webhook_secrets import MemoryWebhookSecrets, seal, unseal
from tests.stores.webhooks import MemoryDeliveries, MemoryPlaces

ROUNDS, REQUESTS = in_short((15, 300), (1, 100))
AIM = 0.8
DESTINATIONS, WORKERS, IN_FLIGHT = 10, 50, 10
SECONDS, TURNS = in_short((2.0, 5), (0.5, 1))
AIM_WITH_ONE_HANGING = 0.9


def main() -> None:
    """Print both."""
    compare_with_bare_httpx()
    compare_with_one_hanging()


def message_to(port: int, mid: str = MESSAGE.mid) -> Message:
    """A message whose key 1 sends a webhook to a port here."""
    hook = Webhook(f"http://127.0.0.1:{port}/hook", '{"confirm":true}', {"X-Custom-Header": "value"})
    return replace(MESSAGE, mid=mid, menus=(Menu("ivr_651854", 10_000, {"d1": (hook, Hangup())}),))


def signer() -> Signer:
    """Signs with one secret, as a warm function does."""
    store, clock = MemoryWebhookSecrets(), SystemClock()
    rotate_secret("acme", new_secret(lambda size: b"x" * size), 0, store=store, seal=seal, now_msec=clock.now_msec())
    return Signer(store, unseal, clock)


# ------------------------------------------------------------- compared with bare httpx
def compare_with_bare_httpx() -> None:
    """One client each, the same requests, the same receiver, in turn."""
    sign = signer()
    with receivers(1) as (port,), httpx.Client(trust_env=False) as bare, make_client("loopback") as guarded:
        message, send = message_to(port), WebhookSender(guarded)
        task = task_of(message)
        hook = webhook_of(message, task)
        if hook is None:
            raise ValueError("the message has no webhook")

        def made(number: int) -> float:
            request = sign("acme", webhook_request(message, hook, f"{task.event_id}{number}", 1_790_000_000))
            return float(send(request).status)

        ready = sign("acme", webhook_request(message, hook, task.event_id, 1_790_000_000))
        headers = list(ready.headers)

        def floor(_number: int) -> float:
            return float(bare.post(ready.url, content=ready.body, headers=headers).status_code)

        ours, least = _measure(made, floor)
        signing = _each(lambda number: sign("acme", replace(ready, headers=ready.headers[:-1])) and number)
    print(f"\nSending a webhook: made, signed, guarded, sent (median of {ROUNDS} rounds of {REQUESTS}, in turn)")
    print(f"{'':>20}{'requests/s':>12}{'CPU, ms each':>15}")
    for name, (wall, cpu) in {"bare httpx": least, "ours": ours}.items():
        print(f"{name:>20}{1 / wall:>12.0f}{cpu * 1000:>15.3f}")
    print(f"{'ours / bare':>20}{least[0] / ours[0]:>12.2f}{ours[1] / least[1]:>15.2f}   (aim: at least {AIM} of it)")
    print(f"The signature takes {signing * 1e6:.0f} µs of that. {_writes()}")


def _measure(*works: Callable[[int], float]) -> list[tuple[float, float]]:
    """Median seconds by the clock and of CPU for one request of each, run in turn so that all see the same machine."""
    found: list[list[tuple[float, float]]] = [[] for _ in works]
    for turn in range(ROUNDS + 1):
        for work, times in zip(works, found, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            if {work(number) for number in range(REQUESTS)} != {200.0}:
                raise RuntimeError("a webhook was not received")
            if turn:  # connections are made, caches are warm
                times.append(((time.perf_counter() - wall) / REQUESTS, (time.process_time() - cpu) / REQUESTS))
    return [(statistics.median(w for w, _ in times), statistics.median(c for _, c in times)) for times in found]


def _each(work: Callable[[int], object]) -> float:
    begin = time.process_time()
    for number in range(2000):
        work(number)
    return (time.process_time() - begin) / 2000


def _writes() -> str:
    """Counted, not timed: they are DynamoDB's."""
    with receivers(1) as (port,), make_client("loopback") as client:
        traffic = Traffic([port], WebhookSender(client))
        traffic.sending.deliver(task_of(traffic.of[0]))
        found = traffic.deliveries.writes, traffic.places.writes, traffic.of_accounts.writes
    places = f"{found[1]} of its destination's places, {found[2]} of its account's"
    return f"Writes for each attempt: {found[0]} of the delivery, {places}."


# ------------------------------------------------------------- one that hangs
def compare_with_one_hanging() -> None:
    """What nine receivers get while the tenth answers, and while it hangs."""
    kinds = {"healthy": (0, IN_FLIGHT), "limited": (1, IN_FLIGHT), "unlimited": (1, WORKERS * DESTINATIONS)}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(TURNS):
        for kind, (hanging, most) in kinds.items():
            found[kind].append(_others_per_second(hanging, most))
    healthy, with_limit, without = (statistics.median(found[kind]) for kind in kinds)
    print(f"\nTen receivers, {WORKERS} workers: webhooks a second that the other nine get")
    print(f"(median of {TURNS} times {SECONDS:g} s, in turn)")
    print(f"{'the tenth answers':>36}{healthy:>8.0f}")
    aim = f"   (aim: at least {AIM_WITH_ONE_HANGING})"
    print(f"{f'it hangs, at most {IN_FLIGHT} in flight':>36}{with_limit:>8.0f}{with_limit / healthy:>8.2f}{aim}")
    print(f"{'it hangs, without that limit':>36}{without:>8.0f}{without / healthy:>8.2f}")


@dataclass
class Traffic:
    """As many webhooks for each receiver in turn as the workers can take; who must wait comes again in real time."""

    ports: list[int]
    send: WebhookSender
    most: int = IN_FLIGHT
    delivered: list[int] = field(default_factory=lambda: [0] * DESTINATIONS)
    waiting: list[tuple[float, int, WebhookTask]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.messages, self.deliveries, self.places = MemoryMessages(), MemoryDeliveries(), MemoryPlaces(self.most)
        self.of_accounts = MemoryPlaces(
            WORKERS
        )  # the receivers are those of one account, which is not what is measured
        self.of = [message_to(port, str(number + 1)) for number, port in enumerate(self.ports)]
        self.messages.add(self.of)
        self.sending = Sending(
            messages=self.messages,
            deliveries=self.deliveries,
            places=self.places,
            of_accounts=self.of_accounts,
            queue=self,
            post=self.send,
            sign=signer(),
            clock=SystemClock(),
            uniform=lambda low, high: (low + high) / 2,
        )

    def again(self, task: WebhookTask, delay_seconds: int) -> None:
        """The retry queue."""
        with self.lock:
            heapq.heappush(self.waiting, (time.monotonic() + delay_seconds, next(self.numbers), task))

    def work(self, until: float) -> None:
        """One worker."""
        while time.monotonic() < until:
            task = self._next()
            if self.sending.deliver(task).word == "delivered":
                self.delivered[int(task.mid) - 1] += 1

    def _next(self) -> WebhookTask:
        with self.lock:
            if self.waiting and self.waiting[0][0] <= time.monotonic():
                return heapq.heappop(self.waiting)[2]
            number = next(self.numbers)
        task = task_of(self.of[number % len(self.of)])
        return replace(task, event_id=f"{task.event_id}/{number}")


def _others_per_second(hanging: int, most: int) -> float:
    with receivers(DESTINATIONS, hanging) as ports, make_client("loopback", SECONDS) as client:
        traffic = Traffic(ports, WebhookSender(client), most)
        until = time.monotonic() + SECONDS
        workers = [threading.Thread(target=traffic.work, args=(until,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return sum(traffic.delivered[1:]) / SECONDS


if __name__ == "__main__":
    main()
