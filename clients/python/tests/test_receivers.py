"""How the laptop hands webhooks to receivers of each kind: without the service."""

import pytest

from speechcall_client.laptop import Receivers, to_asgi, to_lambda, to_wsgi


async def fails_as_asgi(scope, receive, send):
    raise ValueError("no secret")


def fails_as_wsgi(environ, start_response):
    raise ValueError("no secret")


def fails(*_):
    raise ValueError("no secret")


@pytest.mark.parametrize(
    ("receive", "status"),
    [(to_asgi(fails_as_asgi), 500), (to_wsgi(fails_as_wsgi), 500), (to_lambda(fails), 502), (fails, 500)],
    ids=["asgi", "wsgi", "lambda", "function"],
)
def test_what_a_receiver_raises_is_told_and_not_only_answered(receive, status, capsys, monkeypatch):
    monkeypatch.setattr(Receivers, "_serve", lambda *_: None)
    receivers = Receivers()
    receivers.add("https://shop.example/", receive)
    assert receivers.take("https://shop.example/x", [("webhook-id", "1")], b'{"mid": "1"}') == status
    (delivered,) = receivers.wait_for("1", 1, 1.0)
    assert (delivered.status, delivered.error) == (status, "ValueError: no secret")
    assert "raise ValueError" in capsys.readouterr().err
    assert receivers.hand_on("https://other.example/", [], b"") == 200
