"""What the contract of the stores begins with: tickets, commands, messages and calls in each state."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechcall.calls.rules.call import Bounds, Command, Kind, Ticket
from speechcall.calls.use_cases.ports import CallStore
from speechcall.menus.rules.call_log import Entry, Plan, Table, Then, ThenKind
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_ports import LineTaken, MessageStore
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.outcome import End, Outcome
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, message

CONNECT_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa"
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
BOUNDS = Bounds(max_visits=3, max_seconds=60)
POOL = Pool(lines=2, calls_per_second=4)
EXPIRES = MESSAGE.expires_at
ANSWERED = Outcome("answered", "completed")


@dataclass
class Stores:
    """The stores of one kind, and where the laptop's tables are."""

    calls: CallStore
    messages: MessageStore
    lines: PoolStore
    client: Any = None
    messages_table: str = ""
    registry_table: str = ""


def ticket(second: int, retry: int = 0) -> Ticket:
    return Ticket(f"2026-09-21T12:00:{second:02}.000Z", retry, f"token-{second}-{retry}")


def ask(menu: int = 0) -> Command:
    return Command(Kind.ASK, menu)


def put(calls, given, command=None, now=NOW, bounds=BOUNDS):
    return calls.put_command(MID, 1, command or ask(), given, bounds, now)


TWO: Table = ({"d1": 1, "wrong": 0}, {"d1": "end", "d2": "wait", "wrong": 1})
LOGGED = CALL._replace(asks=(ASK, ASK), plan=Plan(TWO, 50, NOW + 900_000, 2))


def logged(calls, *words, contact="contact-1"):
    """Opens a call that heard these in its menus, one after the other."""
    calls.open(LOGGED, EXPIRES)
    for word in ("answered", *words):
        assert append(calls, word, contact=contact)[0]
    return calls.get(MID, 1)


def append(calls, word, seq=None, contact="contact-1", then=None):
    call = calls.get(MID, 1)
    event = "key" if word.startswith("d") else word
    entry = call.would_log(seq or call.log_seq + 1, event, word if event == "key" else "", NOW + call.log_seq)
    entry = entry or Entry(seq, 0, event, word, NOW, Then(ThenKind.ASK, 0))
    return calls.append(MID, 1, contact, entry)


def queued(messages, mid=MID, now=NOW, **more):
    messages.add([message(mid, **more)])
    assert messages.queue(messages.get(mid), (ASK,), now)
    return messages.get(mid)


def full(mid):
    """A message with everything that its sender may say."""
    said = {
        "customer_id": "order-7",
        "ttl_seconds": 60,
        "ring_seconds": 20,
        "redial": Redial(2, (60, 120), ("busy",)),
        "silent_repeats": 0,
        "is_simulated": True,
        "send_at_msec": NOW + 60_000,
        "hours": (Hours((Window(540, 1200, (0, 4)),), ("Europe/Kyiv",), ("2026-12-25",)), Hours((), ("UTC",))),
    }
    return message(mid, caller_id="+4930123456", **said)


def called(messages, mid=MID, now=NOW, pool=POOL):
    """A message that has a line."""
    assert messages.claim_line(queued(messages, mid), "arn:flow", pool, now) == LineTaken()
    return messages.get(mid)


def settling(messages, mid=MID, **more):
    found = called(messages, mid, **more)
    assert messages.settle(found, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
    return messages.get(mid)
