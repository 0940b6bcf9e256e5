"""Sensitive digits are erased once nobody is to be told of them any more: not before, and in every order."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from speechcall.calls.rules.owed import entries_of_lookups
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE, Entry, Then, ThenKind
from speechcall.menus.rules.menu import Action, Lookup, Menu
from speechcall.webhooks.rules.delivery import Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.forget_digits import forget_digits
from tests.kit.samples import CALL, HOOK, MESSAGE, NOW
from tests.kit.webhook_bench import task_of

LOOKUP = Lookup("https://api.example.com/lookup", {"paid": 0}, 0)


class World:
    """A list of digits: which of its webhooks have ended, whether its call is over, whether its digits are erased."""

    def __init__(self, webhooks: int, lookup: bool) -> None:
        actions: tuple[Action, ...] = (HOOK,) * webhooks + ((LOOKUP,) if lookup else ())
        menu = Menu("intro", 1000, {"complete": actions}, input=Input(4, 4, sensitive=True))
        self.message = replace(MESSAGE, menus=(menu,))
        self.pending, self.lookup, self.over, self.erased = webhooks, lookup, False, 0
        self.ended: set[str] = set()

    def find(self, _mid: str, event_id: str) -> tuple[WebhookTask, Delivery] | None:
        state = DeliveryState.DELIVERED if event_id in self.ended else DeliveryState.PENDING
        return task_of(self.message, 0, "complete"), Delivery(state)

    def forget(self, task: WebhookTask, is_over: Callable[[WebhookTask], bool]) -> None:
        def erase(_task: WebhookTask) -> None:
            assert len(self.ended) == self.pending, "a webhook has yet to tell them"
            assert self.over or not self.lookup, "the lookup may yet tell them"
            self.erased += 1

        forget_digits(self.message, task, self, is_over, erase)

    # Each `yield` is where another function may come between.
    def webhook(self, step: int) -> Iterator[None]:
        task = task_of(self.message, step, "complete")
        self.ended.add(task.event_id)
        yield
        self.forget(task, lambda _task: self.over)
        yield

    def end(self) -> Iterator[None]:
        self.over = True
        yield
        entry = Entry(2, 0, "digits", COMPLETE, NOW, Then(ThenKind.END), sealed="sealed")
        call = CALL._replace(log=(Entry(1, None, "answered", "", NOW, Then(ThenKind.ASK, 0)), entry))
        for task in entries_of_lookups(call, self.message.menus):
            self.forget(task, lambda _task: True)
        yield


def orders(lengths: list[int]) -> Iterator[list[int]]:
    """All ways in which so many steps of each function may follow one another."""
    if not any(lengths):
        yield []
    for which, left in enumerate(lengths):
        if left:
            fewer = [length - (number == which) for number, length in enumerate(lengths)]
            yield from ([which, *rest] for rest in orders(fewer))


@pytest.mark.parametrize(("webhooks", "lookup"), [(0, True), (1, False), (1, True), (2, False), (2, True)])
def test_in_every_order_the_digits_are_erased_when_nobody_is_to_be_told_any_more(webhooks: int, lookup: bool) -> None:
    count = 0
    for order in orders([2] * (webhooks + 1)):
        world = World(webhooks, lookup)
        functions = [*(world.webhook(step) for step in range(webhooks)), world.end()]
        for which in order:
            next(functions[which])
        assert world.erased, order
        count += 1
    assert count == {1: 1, 2: 6, 3: 90}[webhooks + 1]
