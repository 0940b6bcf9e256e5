"""The CPU of one rehearsal: a list of 100,000 messages with redials, on lines that are full all the time.

The floor is what the stores in memory take alone for as many calls: each message is queued, takes a line, and gives it
back. What is above is the dialler, the clock, the callees and the end of calls.
"""

import logging
import time
from dataclasses import replace

from benchmarks.length import in_short
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.rehearsal.adapters.virtual_stack import Standing, stores_of, uncollected
from speechcall.rehearsal.rules.callees import Between, Callees, Spread
from speechcall.rehearsal.use_cases.rehearse import Situation, rehearse
from speechcall.rehearsal.use_cases.virtual_time import VirtualTime
from speechcall.shared.rules.ids import new_ids
from speechcall.shared.rules.outcome import Outcome
from tests.kit.samples import MESSAGE, NOW

LISTS = in_short((1000, 10_000, 100_000), (200,))
MOST_SECONDS = 60
"""CPU of the longest list."""
MOST_RATIO = 4
"""To the floor."""
POOL = Pool(lines=200, calls_per_second=20)
CALLEES = Callees({"answered": 0.7, "noAnswer": 0.2, "busy": 0.1}, Between(3, 15), Spread(30, 90), {"1": 0.4, "2": 0.1})


def main() -> None:
    """Print the CPU for each length of a list."""
    logging.disable(logging.INFO)
    print(f"\n{'messages':>9}{'calls':>9}{'CPU, s':>9}{'µs a message':>14}{'floor, s':>10}{'ratio':>7}{'hours':>8}")
    for count in LISTS:
        new = _messages(count)
        begin = time.process_time()
        with uncollected():
            found = rehearse(_situation(), new, CALLEES, stores_of(Standing()), VirtualTime(NOW), seed=1)
        cpu = time.process_time() - begin
        with uncollected():
            floor = _floor(new, len(found.begun_msec))
        hours = found.seconds / 3600
        print(
            f"{count:>9,}{len(found.begun_msec):>9,}{cpu:>9.2f}{cpu / count * 1e6:>14.0f}"
            f"{floor:>10.2f}{cpu / floor:>7.1f}{hours:>8.2f}"
        )
    print(f"(aim: at most {MOST_SECONDS} s for 100,000 messages; a ratio of at most {MOST_RATIO})")


def _messages(count: int) -> list[Message]:
    made: list[Message] = []
    for block in range(0, count, 100):
        list_id, *mids = new_ids(101, NOW + block, lambda _bits: 0)
        base = replace(MESSAGE, list_id=list_id, created_msec=NOW, ttl_seconds=172_800, redial=Redial(1, (600,)))
        made += [replace(base, mid=mid, number=f"+{mid[-14:]}") for mid in mids]
    return made[:count]


def _situation() -> Situation:
    return Situation(NOW, POOL, {"acme": Account("acme", ("*",), calls_per_day=10**9)})


def _floor(new: list[Message], calls: int) -> float:
    """Seconds for so many calls in the stores alone, without a rule that says which is next."""
    store, charge = MemoryMessages(), Charge(Turn("acme"), Queue("acme"))
    begin = time.process_time()
    store.add(new)
    for at in range(calls):
        one = new[at % len(new)]
        if at < len(new):
            store.queue(one, (), NOW)
        store.turns.change(charge.turn)
        waiting = store.get(one.mid) or one
        store.claim_line(waiting, "arn:flow", Pool(1, 1000), NOW + at * 2, charge)
        called = store.get(one.mid) or one
        if at + len(new) < calls:
            store.requeue(called, 1, NOW, NOW + at * 2 + 1)
        else:
            store.finish(called, Outcome("answered", "completed"), NOW + at * 2 + 1)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
