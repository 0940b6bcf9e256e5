"""A receiver decides which menu follows, on every telephony: the real functions, state machine and flow."""

from typing import Any

import httpx
import pytest

from local.cloud import seed
from local.network.shared.scripted_callees import Script, answer, press
from speechcall.telephony.provider import ProviderName
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, webhook

AUTH = (seed.USER, seed.PASSWORD)
HEADERS = {"Authorization": "Bearer hunter2"}


def lookup(case):
    """The laptop's receiver answers with the case that the URL names."""
    url = f"https://shop.example/lookup?case={case}"
    leads: dict[str, Any] = {"cases": {"paid": 1}, "else": 2}
    return {"action": "lookup", "url": url, "body": {"order": 4711}, "headers": HEADERS, "timeoutMsec": 5000, **leads}


def menus(case):
    said = [menu(d1=[webhook({"menu": number}), HANGUP], wrong=[HANGUP]) for number in (1, 2)]
    return (menu(d1=[webhook({"menu": 0}), lookup(case)], wrong=[HANGUP]), *said)


def call_of(cloud, mid):
    return httpx.get(f"{cloud.url}/bat/message/{mid}", auth=AUTH, timeout=30).json()["call"]


@pytest.mark.parametrize(
    "telephony",
    [one if one is ProviderName.CONNECT else pytest.param(one, marks=pytest.mark.long) for one in ProviderName],
)
def test_the_case_that_a_receiver_answers_decides_which_menu_follows(telephony):
    numbers = {"+380671234511": "paid", "+380671234611": "refunded"}
    callee = Script([answer(0), press("1", after=0.1), press("1", after=0.1)])
    with running(callee, telephony=telephony) as cloud:
        mids = Client(cloud.url).send([message(*menus(case), to=number) for number, case in numbers.items()])
        for mid, case in zip(mids, numbers.values(), strict=True):
            assert finished(cloud, mid)["outcome"] == "answered"
            call = call_of(cloud, mid)
            led = 1 if case == "paid" else 2
            first, second = call["path"]
            assert ((first["menu"], first["heard"]), (second["menu"], second["heard"])) == ((0, "d1"), (led, "d1"))
            assert first["case"] == ("paid" if case == "paid" else None)
            assert first.get("lookupError") == (None if case == "paid" else "UNKNOWN_CASE")
            assert "case" not in second
            # The request was made once, signed, with the sender's headers and an id of its own
            (asked,) = [one for one in cloud.receiver.requests(mid) if "/lookup" in one.url]
            told = {name.lower(): value for name, value in asked.headers}
            assert asked.signature == "valid"
            assert told["authorization"] == HEADERS["Authorization"]
            assert told["webhook-id"] == f"{mid}-1-2-m0-d1-1"
            # The webhooks of both menus follow, and the lookup is none of them
            hooks = {hook["webhookId"] for hook in call["webhooks"]}
            assert hooks == {f"{mid}-1-2-m0-d1-0", f"{mid}-1-3-m{led}-d1-0"}
        assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []
