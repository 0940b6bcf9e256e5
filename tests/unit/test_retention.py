"""How long things are kept: nothing that has not ended goes, whatever DynamoDB's time to live does at every step.

The real acceptance, dialer, sweeper and finish_call on a made-up clock, with the troubles of a bad day.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.calls.rules.call import Call
from speechcall.messages.adapters import message_items
from speechcall.messages.rules.message import UNFINISHED_SECONDS, State, kept_after_end
from speechcall.messages.rules.pool import Pool
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.timing import utc_text
from tests.kit.dialling_world import TROUBLES, World
from tests.kit.samples import ASK, CALLING, MESSAGE, NOW
from tests.stores.lists import MemoryLists

DAY_MSEC = 86_400_000
MONTH = NOW + 30 * DAY_MSEC
MENU = {"introUrl": "https://a.example/1.wav", "dtmfActions": {"d1": [{"action": "hangup"}]}}
KEPT = Account("acme", ("*",), keep_days=1, calls_per_day=10**9, status_url="https://shop.example/s")


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Of what goes wrong here each thing is logged."""
    caplog.set_level(logging.CRITICAL, "speechcall")


class Calls(MemoryCalls):
    """The calls, and until when they are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.until: dict[str, int] = {}

    def open(self, call: Call, expires_at: int) -> Call:
        self.until[call.mid] = min(expires_at, self.until.get(call.mid, expires_at))
        return super().open(call, expires_at)


class Keeping(World):
    """A world in which what has expired is deleted at every step."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Pool(lines=2, calls_per_second=2), TROUBLES)
        self.kept = Calls()
        self.calls = self.phones.calls = self.machines.calls = self.kept
        self.lists = MemoryLists(campaigns=self.messages.campaigns, ends=self.messages.ends)
        self.deleted: dict[str, int] = {}
        self.gone: list[str] = []
        later = self.play.after

        def after(seconds: float, work: Callable[[], None]) -> None:
            def step() -> None:
                self.delete()
                work()

            later(seconds, step)

        self.play.after = after

    def delete(self) -> None:
        """What DynamoDB does: at once, which is the earliest that it can."""
        now = self.now_msec()
        for mid, message in [*self.messages._messages.items()]:
            if message.leaves_at * 1000 <= now:
                assert message.state is State.FINISHED, mid
                assert now >= (message.finished_msec or now) + DAY_MSEC - 1000
                assert self.kept.until.get(mid, message.leaves_at) >= message.leaves_at
                del self.messages._messages[mid]
                self.deleted[mid] = now
        kept = self.messages._messages.values()
        for list_id, made in [*self.lists.lists.items()]:
            if made.expires_at * 1000 <= now:
                assert not [one.mid for one in kept if one.list_id == list_id]
                del self.lists.lists[list_id]
                self.gone.append(list_id)
        for name, campaign in [*self.messages.campaigns.campaigns.items()]:
            if campaign.expires_at * 1000 <= now:
                assert campaign.unfinished == 0
                assert not [one.mid for one in kept if one.campaign == name[1]]
                del self.messages.campaigns.campaigns[name]
                self.gone.append(name[1])

    def send(self, *entries: dict[str, Any], key: str) -> Any:
        """A request; its messages are ready to be dialled then."""
        one = {"from": "Shop", "to": "+380936670003", "text": "ivr", "type": "speechcall", "menu": [MENU]}
        body = json.dumps(
            {"campaign": "spring", "statusEvents": ["final", "list"], "messages": [one | e for e in entries]}
        )
        bits, before = Random(key).getrandbits, {*self.messages._messages}
        stores: Any = {"messages": self.messages, "lists": self.lists, "clock": self, "random_bits": bits}
        answer = accept_messages(KEPT, body.encode(), key, **stores)
        for mid in self.messages._messages.keys() - before:
            self.messages.queue(self.messages.get(mid), (ASK,), self.now_msec())
            self._ids.append(mid)
        self.wake()
        return answer

    def _tick(self) -> None:
        """Each minute while something happens, else each hour: a month of minutes tells nothing more."""
        self._dial(())
        self.play.spawn("sweeper", self._sweep)
        waiting = [one for one in self.messages._messages.values() if one.state is not State.FINISHED]
        if waiting:
            is_near = any(one.send_at_msec <= self.now_msec() + 2 * 3_600_000 for one in waiting)
            self.play.after(60 if is_near else 3600, self._tick)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 9))])
def test_at_thirty_days_ahead_and_one_day_of_keeping_nothing_unfinished_is_deleted(seed):
    world = Keeping(seed)
    times = (None, NOW + DAY_MSEC, MONTH - 7 * DAY_MSEC, MONTH)
    redial = {"attempts": 4, "afterSec": [3600]}
    # Calls that begin at once and in a month, some with redials, in lists of all and of one kind
    entries = [
        {"to": f"+38093667{number:04}", "ttl": 172_800, **({"sendAt": utc_text(at)} if at else {}), **more}
        for number, (at, more) in enumerate((at, more) for at in times for more in ({}, {"redial": redial}))
    ]
    answers = {key: world.send(*some, key=key) for key, some in (("all", entries), ("now", entries[:2]))}
    world.run(40 * 24)
    assert len(world.ledger.ends) == 10
    assert set(world.ledger.ends.values()) == {1}
    assert any(mid in world.deleted for mid in (one["messageId"] for one in answers["now"]["messages"]))
    # The answers are repeated while the lists are kept, and nobody is called once more
    claims = len(world.ledger.claims)
    assert "all" in {key for _, key in world.lists.keys}
    assert world.send(*entries, key="all") == answers["all"]
    world.run(40 * 24 + 1)
    assert len(world.ledger.claims) == claims
    # And in the end nothing is left.
    world.play.msec = MONTH + 11 * DAY_MSEC
    world.delete()
    assert not world.messages._messages
    assert not world.lists.lists
    assert set(world.gone) == {"spring", *(one["messagelistId"] for one in answers.values())}


def test_a_message_has_an_end_when_it_has_ended_and_the_release_before_can_read_both():
    before = message_items.dump(MESSAGE)
    assert before["expires_at"] == MESSAGE.expires_at
    assert "keep_days" not in before
    item = message_items.dump(replace(MESSAGE, keep_days=7))
    assert item["expires_at"] == MESSAGE.expires_at + UNFINISHED_SECONDS
    read = message_items.load(from_wire(to_wire(item)))
    assert (read.expires_at, read.keep_days) == (MESSAGE.expires_at, 7)
    ended = item | {"state": "finished", "finished_msec": NOW, "expires_at": kept_after_end(NOW, 7)}
    assert message_items.load(ended).expires_at == NOW // 1000 + 7 * 86_400
    settling = ended | {"settling_end": "completed", "expires_at": item["expires_at"]}
    assert message_items.load(settling).leaves_at == item["expires_at"]
    assert CALLING.leaves_at == CALLING.expires_at
