"""A receiver that is away for eight hours: until it has been given up, sensitive digits are plain nowhere but there.

Tables and KMS are moto's; the function that sends, its queue and the ticks run on a clock that the test moves.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.adapters.entered_digits import EnteredDigits
from speechcall.calls.rules.call import Bounds, Cause
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.obey_log import plan_of
from speechcall.calls.use_cases.report import Heard, Report
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.menu import Lookup, Menu
from speechcall.menus.rules.walk import told_entries
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.adapters.seal import KmsSeal, digits_seal
from speechcall.webhooks.rules.delivery import DeliveryState
from speechcall.webhooks.rules.webhook import WebhookAnswer
from speechcall.webhooks.use_cases.wake_webhooks import wake_webhooks
from speechcall.webhooks.use_cases.work_webhooks import WebhookWork
from tests.kit.registry import client_of_kms, empty_tables
from tests.kit.samples import ASK, CALL, HOOK, MESSAGE, MID, NOW, FakeEngine
from tests.kit.webhook_bench import WebhookBench, task_of

PIN, HOUR_MSEC, TICK_MSEC = "9081726354", 3_600_000, 600_000
LOOKUP = Lookup("https://api.example.com/lookup", {"paid": 0}, 0)
TASKS = (0, 1)


class Bench(WebhookBench):
    """The webhooks of an entry on real tables. Whatever is kept is searched at each attempt and tick."""

    def on_tables(self, client: Any, messages: str, registry: str, key_id: str, log: pytest.LogCaptureFixture) -> None:
        self.client, self.tables, self.log = client, (messages, registry), log
        self.stored = DynamoDeliveries(client, messages)
        self.calls = DynamoCalls(client, messages, key_id)
        self.searches = 0
        entered = EnteredDigits(client, messages, key_id)
        store = DynamoMessages(client, messages, registry)
        store.add([self.message])
        self.sending = replace(
            self.sending,
            messages=store,
            deliveries=self.stored,
            digits_of=entered.of,
            erase_digits=entered.erase,
            is_over=entered.call_is_over,
        )
        self.work = WebhookWork(self.sending)

    def enter(self) -> None:
        """A callee answers, and enters the PIN."""
        (menu,) = self.message.menus
        ask = ASK._replace(input=menu.input, keeps=told_entries(menu))
        plan = plan_of(self.message, Bounds(50, 900), NOW)
        self.calls.open(CALL._replace(asks=(ask,), plan=plan), MESSAGE.expires_at)
        for heard in (Heard("answered", 0), Heard("digits", 2, PIN)):
            ports: Any = {"calls": self.calls, "engine": FakeEngine(), "clock": self.clock}
            follow_call(Report(MID, 1, "contact-1", heard), **ports)

    def search(self) -> None:
        """What is stored, waits and was logged, and what the sender sees of the message."""
        self.searches += 1
        for table in self.tables:
            assert PIN not in json.dumps(self.client.scan(TableName=table)["Items"], default=str), table
        assert PIN not in repr(self.queue.waiting) + repr(self.first)
        assert PIN not in self.log.text
        assert PIN not in repr(DynamoHistory(self.client, self.tables[0]).read(MID))

    @property
    def is_sealed(self) -> bool:
        call = self.calls.get(MID, 1)
        assert call
        return call.log[1].sealed is not None

    def _post(self, request: Any) -> Any:
        self.search()
        assert self.is_sealed
        return super()._post(request)

    def _tick(self) -> None:
        self.search()
        wake_webhooks(deliveries=self.stored, queue=self.queue, clock=self.clock, time_left=lambda: 1)

    def states(self) -> list[DeliveryState]:
        found = [self.stored.find(MID, task_of(self.message, step, "complete").event_id) for step in TASKS]
        return [one[1].state for one in found if one]

    def _next_tick(self) -> int | None:
        # Each ten minutes are enough of the sweeper's ticks: nothing is forgotten that a tick missed.
        states = self.states()
        is_over = states and DeliveryState.PENDING not in states
        return None if is_over else self.clock.msec - self.clock.msec % TICK_MSEC + TICK_MSEC


@pytest.fixture
def made(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # What botocore logs at DEBUG are whole requests, and nobody turns that on.
    caplog.set_level(logging.INFO)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with empty_tables() as (client, messages, registry):
        key_id = client_of_kms().create_key()["KeyMetadata"]["KeyId"]
        yield client, messages, registry, key_id, caplog


@pytest.mark.parametrize("has_lookup", [False, True])
def test_sensitive_digits_are_plain_nowhere_in_eight_hours_of_attempts(made: Any, has_lookup: bool) -> None:
    lists = {"complete": (HOOK, HOOK, *((LOOKUP,) if has_lookup else ()))}
    menu = Menu("intro", 1000, lists, input=Input(10, 10, sensitive=True))
    bench = Bench(lambda _request: WebhookAnswer(503), message=replace(MESSAGE, menus=(menu,)))
    bench.on_tables(*made)
    bench.enter()
    assert bench.is_sealed
    for step in TASKS:
        bench.put(task_of(bench.message, step, "complete"))
    if has_lookup:
        bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    bench.run()
    assert bench.states() == [DeliveryState.DEAD] * 2
    assert bench.clock.msec - NOW > 8 * HOUR_MSEC
    assert {json.loads(request.body)["digits"] for _, request in bench.sent} == {PIN}
    assert bench.searches >= len(bench.sent) + 8 * 6
    # And then they are erased
    assert not bench.is_sealed
    bench.search()


def test_what_is_sealed_can_be_opened_for_its_message_alone(made: Any) -> None:
    key_id = made[3]
    sealed = digits_seal(key_id).seal(MID, PIN)
    assert digits_seal(key_id).unseal(MID, sealed) == PIN
    others = (digits_seal(key_id).unseal, "another"), (KmsSeal(client_of_kms, key_id).unseal, MID)
    for unseal, mid in others:
        with pytest.raises(Exception, match="InvalidCiphertext"):
            unseal(mid, sealed)
