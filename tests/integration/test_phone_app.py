"""The phone page's server side: what the page can ask and do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.carrier_bench import PROMPT, WAIT, Bench, ask, bench, mulaw_wav, serving


@pytest.fixture
def page() -> Iterator[tuple[Bench, httpx.Client]]:
    """A carrier whose telephone is in the browser, and a client on its page."""
    with (
        bench([ask(1), ask(2)], input_timer=False) as b,
        serving(b.carrier.phone_app) as url,
        httpx.Client(base_url=url, timeout=WAIT, trust_env=False) as client,
    ):
        yield b, client
        b.journal.close()


def events(client: httpx.Client, count: int, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The first events of the stream, with `id` and `event` as sent."""
    found: list[dict[str, Any]] = []
    fields: dict[str, Any] = {}
    with client.stream("GET", "/phone/events", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = json.loads(value) if name == "data" else value
            else:
                found.append(fields)
                fields = {}
                if len(found) == count:
                    break
    return found


def test_the_page_and_its_files(page: tuple[Bench, httpx.Client]) -> None:
    _, client = page
    for path, kind in {"": "text/html", "phone.css": "text/css", "phone.js": "text/javascript"}.items():
        response = client.get(f"/phone/{path}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
        assert "default-src 'self'" in response.headers["content-security-policy"]
    for name in ("graph.js", "graph.css", "dom.js", "keys.js"):
        console = Path(f"functions/console/pages/{name}").read_text(encoding="utf-8")
        assert client.get(f"/phone/console/{name}").text == console
    assert client.get("/phone").status_code == 308
    for path in (
        "console/main.js",
        "console/..%2Fapp.py",
        "console/",
        "menus/7",
        "menus/..%2F7",
        "app.py",
        "__init__.py",
        "nothing.css",
        "..%2Fjournal.py",
        "a" * 5000 + ".css",
        "index.html%00",
    ):
        assert client.get(f"/phone/{path}").status_code == 404


def test_how_to_begin_is_what_the_cloud_says(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    assert client.get("/phone/hello").json() == {}
    b.carrier.hello = lambda: {"api": "http://127.0.0.1:1", "user": "demo"}
    assert client.get("/phone/hello").json() == {"api": "http://127.0.0.1:1", "user": "demo"}


def test_a_call_by_the_page(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    contact_id = b.dial()
    call = f"/phone/calls/{contact_id}"
    assert client.post(f"{call}/keys/1").status_code == 409
    assert client.post(f"{call}/hangup").status_code == 409
    assert client.post(f"{call}/answer").json() == {"state": "answered"}
    assert client.post(f"{call}/answer").status_code == 409
    phone = b.phone(contact_id)
    assert phone.wait_for_input(0, WAIT)
    assert client.post(f"{call}/keys/%2A").status_code == 200
    assert phone.wait_for_input(1, WAIT)
    assert client.post(f"{call}/keys/%23").status_code == 200
    assert phone.wait_until_ended(WAIT)
    assert b.function.heard == ["answered", "key *", "key #"]
    assert client.post(f"{call}/hangup").json() == {"error": "the call is ended"}


def test_declining_and_hanging_up(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    declined = b.dial()
    assert client.post(f"/phone/calls/{declined}/reject").status_code == 200
    assert b.ended(declined)["DisconnectReason"] == "TELECOM_BUSY"
    left = b.dial()
    client.post(f"/phone/calls/{left}/answer")
    assert client.post(f"/phone/calls/{left}/hangup").status_code == 200
    assert b.ended(left)["DisconnectReason"] == "CUSTOMER_DISCONNECT"


def test_what_is_not_there_is_said_as_json(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    contact_id = b.dial()
    for response in (
        client.post("/phone/calls/none/answer"),
        client.post(f"/phone/calls/{contact_id}/keys/x"),
        client.post(f"/phone/calls/{contact_id}/dance"),
        client.get("/phone/prompt", params={"uri": PROMPT}),
    ):
        assert response.status_code == 404
        assert response.json()["error"]
    assert client.get(f"/phone/calls/{contact_id}/answer").status_code == 405


def test_other_sites_cannot_act(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    call = f"/phone/calls/{b.dial()}"
    assert client.post(f"{call}/answer", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(f"{call}/answer", headers={"Origin": "http://localhost:5173"}).status_code == 409
    own = f"http://{client.base_url.host}:{client.base_url.port}"
    assert client.post(f"{call}/answer", headers={"Origin": own}).status_code == 200


def test_prompts_are_given_as_they_are_stored(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    phone = b.phone(b.dial())
    phone.answer()
    assert phone.wait_for_input(0, WAIT)
    response = client.get("/phone/prompt", params={"uri": PROMPT})
    assert response.content == mulaw_wav(0.5)
    assert response.headers["content-type"] == "audio/wav"


def test_the_stream_replays_and_goes_on_where_it_was_left(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    b.dial()
    reset, first, second = events(client, 3)
    assert reset["event"] == "reset"
    assert [first["data"]["kind"], second["data"]["kind"]] == ["dialled", "ringing"]
    (again,) = events(client, 1, {"Last-Event-ID": first["id"]})
    assert again == second
    for place in ("9" * 5000, "\u0661", "-1", ""):
        run = first["id"].partition("-")[0]
        with client.stream("GET", "/phone/events", headers={b"Last-Event-ID": f"{run}-{place}".encode()}) as response:
            assert response.status_code == 200
    another_run = "00000000-" + first["id"].partition("-")[2]
    assert events(client, 1, {"Last-Event-ID": another_run})[0]["event"] == "reset"


def test_the_stream_ends_with_the_journal(page: tuple[Bench, httpx.Client]) -> None:
    b, client = page
    b.dial()
    with client.stream("GET", "/phone/events") as response:
        lines = response.iter_lines()
        assert next(lines) == "event: reset"
        b.journal.close()
        assert len(list(lines)) > 1
