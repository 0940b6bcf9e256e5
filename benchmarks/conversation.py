"""What our own code adds between a key and the next command, and between the answer of a phone and the first command.

The parts of connect_flow and control_call run wired as they are deployed, on moto's DynamoDB. In the place of
Step Functions stands an engine that needs no time: it gives control_call its next task at once. Whatever is spent in a
request to DynamoDB (which is moto's time) is taken off; the looks into the mailbox and the waits between are ours.
"""

import itertools
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import boto3

from local.aws import LocalAws
from local.template import read_template
from speechcall.adapters.clock import SystemClock
from speechcall.adapters.dynamodb.calls import DynamoCalls
from speechcall.adapters.dynamodb.messages import DynamoMessages
from speechcall.adapters.dynamodb.pool import DynamoPool
from speechcall.adapters.telephony.connect_conversation import parse_report, render_next
from speechcall.application.control_call import Control
from speechcall.application.follow_call import follow_call
from speechcall.application.message_ports import LineTaken, Pool
from speechcall.domain.call import Bounds, Call
from tests.fixtures.samples import ASK, MESSAGE

ROOT = Path(__file__).parent.parent
ROUNDS, KEYS_A_CALL = 25, 8
FIRST_MID = 227_633_266_688_000_000
INSTANCE = "arn:aws:connect:eu-central-1:123456789012:instance/5eec4ca1-0000-4000-8000-00000000ca11"
CONTACT = "9dfb369b-ab13-4fae-a276-55daa05f1119"


class Store:
    """When requests to DynamoDB were under way, and what was asked."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        self.operations: Counter[str] = Counter()
        self._began = threading.local()

    def watch(self, client: Any) -> None:
        """Hears of every request of a client."""
        client.meta.events.register("before-call.dynamodb", self._before)
        client.meta.events.register("after-call.dynamodb", self._after)

    def _before(self, **_: Any) -> None:
        self._began.at = time.perf_counter()

    def _after(self, model: Any, **_: Any) -> None:
        self.spans.append((self._began.at, time.perf_counter()))
        self.operations[model.name] += 1

    def busy(self, begin: float, end: float) -> float:
        """For how long of this time some request was under way."""
        covered, last = 0.0, begin
        for start, stop in sorted(self.spans):
            first, after = max(start, last), min(stop, end)
            if after > first:
                covered, last = covered + after - first, after
        return covered


class Engine:
    """Step Functions without its time: an answered task is followed by the next one, in another thread."""

    def __init__(self, next_task: Callable[[], None]) -> None:
        self._next_task = next_task

    def succeed(self, _token: str, _output: Any) -> bool:
        threading.Thread(target=self._next_task).start()
        return True

    def fail(self, _token: str, _error: str, _cause: str) -> bool:
        raise AssertionError("nothing fails here")


class Bench:
    """The parts of connect_flow and control_call, wired as their handlers wire them; and the telephony, which dials."""

    dials_once = True

    def __init__(self, messages_table: str, registry_table: str) -> None:
        client = boto3.client("dynamodb")
        self.store = Store()
        self.store.watch(client)
        self.calls = DynamoCalls(client, messages_table)
        self.messages = DynamoMessages(boto3.client("dynamodb"), messages_table, registry_table)
        self.clock = SystemClock()
        self._tasks = itertools.count()
        self._numbers = itertools.count()

    def place(self, _call: Call, _ring_timeout_seconds: int) -> str:
        return CONTACT

    def dial(self) -> None:
        """A call that rings."""
        number = next(self._numbers)
        self.mid = str(FIRST_MID + number)
        self.messages.add([replace(MESSAGE, mid=self.mid, list_id=self.mid, number=f"+380{number:09}")])
        self.messages.queue(self.mid, (ASK,), self.clock.now_msec())
        pool = Pool(1_000_000, 1_000_000)
        while not isinstance(self._claim(pool), LineTaken):
            time.sleep(0.002)
        self._control("dial")

    def _claim(self, pool: Pool) -> object:
        message = self.messages.get(self.mid)
        assert message is not None
        return self.messages.claim_line(message, "arn:flow", pool, self.clock.now_msec())

    def _control(self, command: str) -> None:
        number = next(self._tasks)
        task = {"command": command, "mid": self.mid, "attempt": 1, "token": f"t{number}", "retry": 0}
        menu = {"menu": 0} if command == "ask" else {}
        bounds, lines = Bounds(10_000, 100_000), DynamoPool(boto3.client("dynamodb"), "unused")
        engine, side = Engine(lambda: self._control("ask")), cast("Any", self)
        control = Control(self.calls, self.messages, engine, side, self.clock, bounds, lines)
        control.handle(task | menu | {"visit": f"2026-11-23T00:00:00.{number:09}Z"})

    def report(self, **parameters: str) -> tuple[float, float]:
        """Reports as the contact flow does, until the next command is there: seconds in all, and those of our code."""
        data = {"ContactId": CONTACT, "Attributes": {"mid": self.mid, "attempt": "1"}}
        event = {"Details": {"ContactData": data, "Parameters": {"protocol": "1", "seq": self.seq, **parameters}}}
        begin = time.perf_counter()
        found = parse_report(event)
        assert found is not None
        engine = Engine(lambda: self._control("ask"))
        step = follow_call(
            found.mid, found.attempt, found.contact_id, found.heard, calls=self.calls, engine=engine, clock=self.clock
        )
        answer = render_next(step)
        end = time.perf_counter()
        if answer["op"] != "ask":
            raise RuntimeError(f"not asked, but told to {answer['op']}")
        self.seq = answer["seq"]
        return end - begin, end - begin - self.store.busy(begin, end)


def main() -> None:
    """Print p50 and p99 of both, and the requests of a key."""
    template = read_template(ROOT / "template.yaml", {"ConnectInstanceArn": INSTANCE, "CallerId": "+4930123456"})
    aws = LocalAws(template)
    aws.start()
    try:
        environment = template.functions["DialerFunction"].environment
        bench = Bench(environment["MESSAGES_TABLE"], environment["REGISTRY_TABLE"])
        answers, keys, requests = _measure(bench)
    finally:
        aws.stop()
    print(f"\nWhat our own code adds, ms ({len(answers)} answers, {len(keys)} keys; engine and DynamoDB taken off)")
    print(f"{'':<34}{'p50':>8}{'p99':>8}")
    print(f"{'answer to first command':<34}{_of(answers, 50):>8.1f}{_of(answers, 99):>8.1f}")
    print(f"{'key to next command':<34}{_of(keys, 50):>8.1f}{_of(keys, 99):>8.1f}")
    print("Most of it is the wait between two looks into the mailbox: 50 ms.")
    told = ", ".join(f"{name} {count / len(keys):.2f}" for name, count in sorted(requests.items()))
    print(
        f"Requests to DynamoDB for a key, with an engine that needs no time: {sum(requests.values()) / len(keys):.2f}"
    )
    print(f"({told}; each 50 ms that Step Functions takes is one GetItem more)")


def _measure(bench: Bench) -> tuple[list[float], list[float], Counter[str]]:
    answers: list[float] = []
    keys: list[float] = []
    requests: Counter[str] = Counter()
    for turn in range(ROUNDS + 1):
        bench.dial()
        bench.seq = "1"
        first = bench.report(event="answered")[1]
        bench.store.spans.clear()
        before = bench.store.operations.copy()
        pressed = [bench.report(event="key", key="1")[1] for _ in range(KEYS_A_CALL)]
        time.sleep(0.05)  # the marking of the last one may still be under way
        if turn:  # the first one is to warm up
            answers.append(first)
            keys += pressed
            requests += bench.store.operations - before
    return answers, keys, requests


def _of(seconds: list[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


if __name__ == "__main__":
    main()
