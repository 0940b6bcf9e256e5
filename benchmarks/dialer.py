"""What it takes to dial a message: DynamoDB requests, write units and the CPU of our code, from a short backlog of one
account to a long one of a thousand.

As it goes all day: the lines are full, a call ends, its record wakes a dialer, which begins one call. The requests
of each operation of the stores are counted on moto, the operations and the CPU on the stores in memory. A lost claim
is one that another dialer was quicker with: it costs the claim and the next message.
"""

import gc
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.length import in_short
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.dialling.use_cases.dial_messages import dial_messages
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.ids import new_ids, parse_holder
from speechcall.shared.rules.outcome import Outcome
from tests.kit.registry import empty_tables
from tests.kit.samples import ASK, MESSAGE, NOW, FakeClock

BACKLOGS = in_short(((100, 1), (1000, 10), (10_000, 100), (100_000, 1000), (100_000, 1)), ((100, 1), (1000, 10)))
"""Messages that wait, and accounts whose they are."""
MOST_REQUESTS = 8
"""For a message, with one lost claim."""
MOST_UNITS = 40
"""Write units of a claim, without those of the pool and of the message, which are two for each of their kilobytes."""
DIALLED = 90
ROUNDS = in_short(3, 1)
POOL = Pool(lines=10, calls_per_second=1000)
LIMITED_POOL = POOL._replace(calls_per_number=9)
LIMITED = Account(MESSAGE.account_id, ("*",), calls_per_number=3, minutes_per_day=600)
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
    """Print requests, write units and CPU for each backlog."""
    requests = _requests_of_operations()
    print(f"\nDialling one message when a line comes free (CPU: best of {ROUNDS} rounds of {DIALLED} messages)")
    print(
        f"{'messages':>9}{'accounts':>9}{'requests':>10}{'+ a lost claim':>15}{'CPU, µs':>9}{'ratio':>7}   operations"
    )
    first = 0.0
    for backlog, accounts in BACKLOGS:
        cpu, operations = min(_dial_through(backlog, accounts) for _ in range(ROUNDS))
        first = first or cpu
        each = {name: count / DIALLED for name, count in operations}
        total = sum(requests[name] * count for name, count in each.items())
        lost = total + requests["get"] + requests["claim_line"]
        told = ", ".join(f"{name} {count:.2f} × {requests[name]}" for name, count in each.items())
        print(f"{backlog:>9,}{accounts:>9,}{total:>10.2f}{lost:>15.2f}{cpu * 1e6:>9.0f}{cpu / first:>7.2f}   {told}")
    print(f"(aim: at most {MOST_REQUESTS} requests with a lost claim, behind any backlog; a ratio of at most {AIM})")
    print()
    for title, account, pool in (("", None, POOL), (" that limits count", LIMITED, LIMITED_POOL)):
        made, units = _units_of_a_claim(account, pool)
        told = ", ".join(f"{name} {number}" for name, number in units.items())
        rest = sum(number for name, number in units.items() if name not in ("pool", "message"))
        print(f"A claim{title}: {made} request, write units: {told}; without pool and message {rest}")
    print(f"(aim: at most {MOST_UNITS} without pool and message)")


def _dial_through(backlog: int, accounts: int) -> tuple[float, tuple[tuple[str, int], ...]]:
    """CPU seconds a message, and the operations of all of them."""
    store, clock, counts = MemoryMessages(), FakeClock(), Counter[str]()
    mids = [mid for block in range(backlog // 100 + 1) for mid in new_ids(101, NOW + block, lambda _bits: 0)[1:]]
    for number, mid in enumerate(mids[:backlog]):
        made = replace(MESSAGE, mid=mid, account_id=f"a{number % accounts}", number=f"+{mid[-14:]}")
        store.add([made])
        store.queue(made, (ASK,), NOW)
    ports: Any = {
        "messages": Counting(store, counts),
        "turns": Counting(store.turns, counts),
        "flows": Flows(),
        "lines": Counting(store.pool, counts),
    }

    def dial() -> None:
        clock.msec += 1000
        dial_messages((), **ports, stack=POOL, clock=clock, time_left=lambda: 55.0, brings_back=False)

    dial()
    counts.clear()
    gc.collect()
    gc.freeze()  # a table is not in the memory of who asks it
    cpu = 0.0
    for _ in range(DIALLED):
        name = next(iter(store.pool.state.held.values()))
        store.finish(store.get(parse_holder(name)[0]), Outcome("answered", "completed"), clock.msec)  # type: ignore[arg-type]
        begin = time.process_time()
        dial()
        cpu += time.process_time() - begin
    gc.unfreeze()
    return cpu / DIALLED, tuple(sorted(counts.items()))


@contextmanager
def _tables() -> Iterator[tuple[Any, list[str]]]:
    """A client of moto's DynamoDB, and the names of the template's tables."""
    with empty_tables() as (client, messages, registry):
        yield client, [messages, registry]


def _queued(client: Any, names: list[str], account: Account | None = None) -> tuple[DynamoMessages, Any, Charge]:
    """A message of a campaign that waits, and at what charge it takes a line."""
    if account:
        DynamoAccounts(client, names[1]).add(account, {})
    messages = DynamoMessages(client, names[0], names[1])
    made = replace(MESSAGE, campaign="spring")
    messages.add([made])
    messages.queue(made, (ASK,), NOW)
    (turn,) = messages.turns.waiting(1)
    return messages, messages.get(made.mid), Charge(turn, messages.turns.queues(turn, 1)[0])


def _requests_of_operations() -> dict[str, int]:
    """How many requests each operation of the stores makes of DynamoDB."""
    with _tables() as (client, names):
        made = Counter[str]()
        client.meta.events.register("before-call.dynamodb", lambda **_: made.update(["all"]))
        messages, message, charge = _queued(client, names)
        lines, turns = DynamoPool(client, names[1]), messages.turns
        found = {}
        for name, work in {
            "get": lambda: messages.get(MESSAGE.mid),
            "to_promote": lambda: messages.to_promote(NOW, 10),
            "read": lines.read,
            "tell_stack": lambda: lines.tell_stack(POOL),
            "waiting": lambda: turns.waiting(10),
            "queues": lambda: turns.queues(charge.turn, 10),
            "heads": lambda: turns.heads(charge.queue, 10),
            "claim_line": lambda: messages.claim_line(message, "arn:flow", POOL, NOW, charge),
            "postpone": lambda: messages.postpone(MESSAGE.mid, State.QUEUED, NOW),
        }.items():
            made.clear()
            work()
            found[name] = made["all"]
    return found


def _units_of_a_claim(account: Account | None, pool: Pool) -> tuple[int, dict[str, int]]:
    """Requests, and write units by item.

    Two for each kilobyte in a transaction, and those of the indexes (DynamoDB's price list).
    What stands in an index and moves is deleted there and written again.
    """
    with _tables() as (client, names):
        messages, message, charge = _queued(client, names, account)
        before, made = _items(client, names), Counter[str]()
        client.meta.events.register("before-call.dynamodb", lambda **_: made.update(["all"]), unique_id="count")
        messages.claim_line(message, "arn:flow", pool, NOW, charge)
        client.meta.events.unregister("before-call.dynamodb", unique_id="count")
        after = _items(client, names)
    units = {}
    for key, item in after.items():
        if item != before.get(key):
            places = [one.get(name) for one in (before.get(key, {}), item) for name in ("order_sk", "due_at")]
            moves = sum(place is not None for place in places)
            units[_name_of(key)] = 2 * _kilobytes(item) + moves * _kilobytes(item)
    return made["all"], {**units, "list": 2}


def _items(client: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    items = [item for name in names for item in client.scan(TableName=name)["Items"]]
    return {f"{item['pk']['S']} {item['sk']['S']}": item for item in items}


def _name_of(key: str) -> str:
    names = {"POOL": "pool", "M#": "message", "CAMPAIGN#": "campaign", "NUMBER##": "calls to the number"}
    names |= {"NUMBER#": "the account's", "MINUTES#": "minutes"}
    if "QUEUE#" in key:
        return "queue"
    return next((name for start, name in names.items() if key.startswith(start)), "turn")


def _kilobytes(item: dict[str, Any]) -> int:
    return -(-max(len(json.dumps(item)), 1) // 1024)


if __name__ == "__main__":
    main()
