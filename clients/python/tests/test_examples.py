"""The receivers of examples/: each takes real webhooks, and stands its trial."""

import importlib
import sys

import pytest
from shop import HOOK

from speechcall_client import Menu, Message, hangup, webhook
from speechcall_client.laptop import answers, presses, to_asgi, to_lambda

pytestmark = pytest.mark.long
MENU = Menu(audio="welcome").on(1, webhook(HOOK, order=7, price=1.10, name="Зоя"), hangup()).otherwise(hangup())


@pytest.mark.parametrize(
    ("name", "number"), [("fastapi_receiver", "+380501112233"), ("lambda_receiver", "+380501112244")]
)
def test_a_receiver_of_the_examples_is_right(laptop, monkeypatch, name, number):
    if name == "fastapi_receiver":
        pytest.importorskip("fastapi")
    monkeypatch.setenv("SPEECHCALL_SECRET", laptop.secret)
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module(name)
    laptop.audio("welcome")
    laptop.receiver(HOOK, to_asgi(module.app) if hasattr(module, "app") else to_lambda(module.handler))
    laptop.callee(number, answers(), presses(1))
    (mid,) = laptop.client.send(Message(to=number, sender="Shop", menus=[MENU])).message_ids
    (came,) = laptop.webhooks(mid)
    assert came.status == 204
    assert laptop.trial(came) == []
    (event,) = module.confirmed.values()
    assert (event.message_id, event.action) == (mid, {"order": 7, "price": 1.1, "name": "Зоя"})
