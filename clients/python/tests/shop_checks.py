"""How the shop of examples/shop.py is tested: what a customer would write. Each check is a test of its own."""

import itertools
from typing import Any

from shop import HOOK

from speechcall_client.laptop import Laptop, answers, presses, stays_silent, to_asgi

_numbers = itertools.count()


def number() -> str:
    """A number that no other call has."""
    return f"+38067{next(_numbers) + 1234567:07}"


def app_of(shop: Any) -> Any:
    """The shop's receiver as an ASGI application."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = shop.take(headers, body)
        told = [(b"location", b"https://shop.example/thanks")] if 300 <= status < 400 else []
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b""})

    return app


def call(laptop: Laptop, shop: Any, order: int, *steps: Any) -> Any:
    """One call about an order, until it is over."""
    laptop.forget()
    laptop.receiver(HOOK, to_asgi(app_of(shop)))
    to = number()
    laptop.callee(to, answers(), *steps)
    (mid,) = laptop.client.send(shop.message(order, to)).message_ids
    return laptop.finished(mid)


def the_menus_are_taken_without_a_word(laptop: Laptop, shop: Any) -> None:
    (one,) = laptop.client.check(shop.message(1, number())).messages
    assert one.status == "acceptable", one.error
    # That silence is asked again without end is meant: the service ends it. Who has ordered need not opt out.
    assert {note.code for note in one.warnings} <= {"ENDLESS_SILENCE", "KEY_LEADS_BACK", "NO_OPT_OUT_KEY"}


def key_1_confirms(laptop: Laptop, shop: Any) -> None:
    status = call(laptop, shop, 1, presses(1))
    assert (status.call.outcome, status.call.end_reason) == ("answered", "completed")
    (webhook,) = laptop.webhooks(status.message_id)
    assert webhook.status == 204
    assert shop.answers == {1: [True]}


def keys_2_and_1_cancel(laptop: Laptop, shop: Any) -> None:
    status = call(laptop, shop, 2, presses(2), presses(1))
    laptop.webhooks(status.message_id)
    assert [step.heard for step in status.call.path] == ["d2", "d1"]
    assert shop.answers == {2: [False]}


def silence_is_asked_again(laptop: Laptop, shop: Any) -> None:
    status = call(laptop, shop, 3, stays_silent(), presses(1))
    assert [step.heard for step in status.call.path] == ["idle", "d1"]
    laptop.webhooks(status.message_id)
    assert shop.answers == {3: [True]}


def the_receiver_is_right(laptop: Laptop, shop: Any) -> None:
    status = call(laptop, shop, 4, presses(1))
    (webhook,) = laptop.webhooks(status.message_id)
    assert laptop.trial(webhook) == []
    assert shop.answers == {4: [True]}, "what came again was done again"


CHECKS = (
    the_menus_are_taken_without_a_word,
    key_1_confirms,
    keys_2_and_1_cancel,
    silence_is_asked_again,
    the_receiver_is_right,
)
