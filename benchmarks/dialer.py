"""What it takes to dial a message: DynamoDB requests, and the CPU of our code, from a short backlog to a long one.

As it goes all day: the lines are full, a call ends, its record wakes a dialer, which begins one call. The requests
of each operation of the store are counted on moto, the operations and the CPU on the stores in memory.
"""

import gc
import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from benchmarks.length import in_short
from local.cloud.simulated_providers import parameters_of
from local.cloud.template import read_template
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import State
from speechcall.messages.use_cases.message_ports import Pool
from speechcall.shared.rules.ids import new_ids, parse_holder
from speechcall.shared.rules.outcome import Outcome
from speechcall.telephony.provider import ProviderName
from tests.kit.registry import requests_for_tables
from tests.kit.samples import ASK, MESSAGE, NOW, FakeClock
from tests.stores.memory import MemoryMessages

ROOT = Path(__file__).parent.parent
BACKLOGS = in_short((100, 1000, 10_000, 100_000), (100, 1000))
DIALLED = 90
ROUNDS = in_short(3, 1)
POOL = Pool(lines=10, calls_per_second=1000)
AIM = 1.5
"""The most that a message may cost behind the longest backlog, in units of the shortest."""


class Counting:
    """A port that counts its operations."""

    def __init__(self, port: Any, counts: Counter[str]) -> None:
        self._port, self._counts = port, counts

    def __getattr__(self, name: str) -> Any:
        work = getattr(self._port, name)

        def counted(*given: Any) -> Any:
            self._counts[name] += 1
            return work(*given)

        return counted


class Flows:
    """Machines that are there, and executions that start."""

    def publish(self, _menus: Any) -> str:
        return "arn:flow"

    def start(self, _flow_arn: str, _name: str, _given: Any) -> bool:
        return True


def main() -> None:
    """Print requests and CPU for each backlog."""
    requests = _requests_of_operations()
    print(f"\nDialling one message when a line comes free (CPU: best of {ROUNDS} rounds of {DIALLED} messages)")
    print(f"{'backlog':>9}{'requests':>10}{'CPU, µs':>9}{'ratio':>7}   operations")
    first = 0.0
    for backlog in BACKLOGS:
        cpu, operations = min(_dial_through(backlog) for _ in range(ROUNDS))
        first = first or cpu
        each = {name: count / DIALLED for name, count in operations}
        total = sum(requests[name] * count for name, count in each.items())
        told = ", ".join(f"{name} {count:.2f} × {requests[name]}" for name, count in each.items())
        print(f"{backlog:>9,}{total:>10.2f}{cpu * 1e6:>9.0f}{cpu / first:>7.2f}   {told}")
    print(f"(aim: a ratio of at most {AIM}, and as many requests behind the longest backlog as behind the shortest)")


def _dial_through(backlog: int) -> tuple[float, tuple[tuple[str, int], ...]]:
    """CPU seconds a message, and the operations of all of them."""
    store, clock, counts = MemoryMessages(), FakeClock(), Counter[str]()
    mids = [mid for block in range(backlog // 100 + 1) for mid in new_ids(101, NOW + block, lambda _bits: 0)[1:]]
    for mid in mids[:backlog]:
        store._put(replace(MESSAGE, mid=mid, number=f"+{mid[-14:]}", state=State.QUEUED, asks=(ASK,)), NOW)
    ports: Any = {"messages": Counting(store, counts), "flows": Flows(), "lines": Counting(store.pool, counts)}

    def dial() -> None:
        clock.msec += 1000
        dial_messages((), **ports, stack=POOL, clock=clock, time_left=lambda: 55.0)

    dial()
    counts.clear()
    gc.collect()
    gc.freeze()  # a table is not in the memory of who asks it
    cpu = 0.0
    for name in [*store.held, *(f"{mid}-1" for mid in mids[POOL.lines : DIALLED])][:DIALLED]:
        store.finish(store.get(parse_holder(name)[0]), Outcome("answered", "completed"), clock.msec)  # type: ignore[arg-type]
        begin = time.process_time()
        dial()
        cpu += time.process_time() - begin
    gc.unfreeze()
    return cpu / DIALLED, tuple(sorted(counts.items()))


def _requests_of_operations() -> dict[str, int]:
    """How many requests each operation of the stores makes of DynamoDB."""
    template = read_template(ROOT / "template.yaml", parameters_of(ProviderName.CONNECT))
    environment = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "eu-central-1"}
    with patch.dict(os.environ, environment), mock_aws():
        client = boto3.client("dynamodb")
        tables = requests_for_tables(template)
        for name, request in tables.items():
            client.create_table(TableName=name, **request)
        names = [*tables]
        made = Counter[str]()
        client.meta.events.register("before-call.dynamodb", lambda **_: made.update(["all"]))
        messages, lines = DynamoMessages(client, *names), DynamoPool(client, names[1])
        messages.add([MESSAGE])
        messages.queue(messages.get(MESSAGE.mid), (ASK,), NOW)
        message: Any = messages.get(MESSAGE.mid)
        found = {}
        for name, work in {
            "get": lambda: messages.get(MESSAGE.mid),
            "due": lambda: messages.due(State.QUEUED, NOW, 10),
            "read": lines.read,
            "tell_stack": lambda: lines.tell_stack(POOL),
            "claim_line": lambda: messages.claim_line(message, "arn:flow", POOL, NOW),
            "postpone": lambda: messages.postpone(MESSAGE.mid, State.QUEUED, NOW),
        }.items():
            made.clear()
            work()
            found[name] = made["all"]
    return found


if __name__ == "__main__":
    main()
