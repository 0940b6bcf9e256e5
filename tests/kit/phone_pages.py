"""The phone page over a journal that a test writes: any number of messages, without their calls."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.common.http_server import HttpServer
from local.common.journal import Journal
from local.network.phone_page.app import PhoneApp


class _NoCalls:
    """No contact is there: a deed is answered with 404."""

    def get(self, contact_id: str) -> None:
        return None

    def call_in(self, number: str, dialled: str) -> None:
        return None


class _NoPrompts:
    def read_again(self, uri: str) -> bytes:
        raise KeyError(uri)


@contextmanager
def phone_page(journal: Journal, menus: Mapping[str, Any] = {}) -> Iterator[str]:
    """The page's address. `menus`: of messages, by their id."""
    app = PhoneApp(_NoCalls(), journal, _NoPrompts(), dict)  # type: ignore[arg-type]
    app.menus_of = lambda mid: json.dumps(menus[mid]) if mid in menus else None
    server = HttpServer(app)
    server.start()
    try:
        yield f"{server.url}/phone/"
    finally:
        journal.close()
        server.stop()


def number_of(place: int) -> str:
    """A number in Ukraine."""
    return f"+38067{place:07d}"


def queue(journal: Journal, count: int) -> None:
    """Messages that were accepted and wait, as the laptop tells of them."""
    for place in range(count):
        mid, told = f"mid-{place}", {"outcome": None, "reason": None, "recipient": number_of(place)}
        journal.record("state", mid, state="preparing", **told)
        journal.record("accepted", mid, recipient=number_of(place))
        journal.record("state", mid, state="queued", **told)


def ring(journal: Journal, place: int) -> str:
    """A queued message is dialled and its phone rings; the contact."""
    mid, contact, number = f"mid-{place}", f"contact-{place}", number_of(place)
    journal.record("state", mid, state="calling", outcome=None, reason=None, recipient=number)
    call = {"contact_id": contact, "number": number, "caller_id": "+4930123456"}
    journal.record("dialled", mid, **call, attempt=1)
    journal.record("ringing", mid, contact_id=contact)
    return contact


def ask(journal: Journal, place: int, seq: int, menu: int) -> None:
    """A menu of its call plays. Which one it is may be told later than that, as on the laptop."""
    mid, contact = f"mid-{place}", f"contact-{place}"
    journal.record("prompt", mid, contact_id=contact, block="b", seq=str(seq), seconds=1.0, uri="none")
    journal.record("menu", mid, menu=menu, seq=seq)


def press(journal: Journal, place: int, key: str) -> None:
    """Its callee presses a key."""
    journal.record("key", f"mid-{place}", contact_id=f"contact-{place}", key=key)


def end(journal: Journal, place: int) -> None:
    """Its callee declines."""
    mid, contact = f"mid-{place}", f"contact-{place}"
    journal.record("ended", mid, contact_id=contact, reason="TELECOM_BUSY", answered=False, seconds=0)
    told = {"outcome": "busy", "reason": None, "recipient": number_of(place)}
    journal.record("state", mid, state="finished", **told)
