"""A call that nobody takes becomes an SMS on the phone page, once; who opts out gets none; a lost answer is unknown."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, busy, press, stay_silent
from local.network.sms.service import SEND
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running

AUTH = (seed.USER, seed.PASSWORD)
NOBODY, OPTS_OUT, SILENT, PRESSES, LOST = (f"+38067123456{digit}" for digit in range(5))
(GIVEN,) = json.loads((Path(__file__).parents[2] / "examples/delivery-with-sms.json").read_text("utf-8"))["messages"]
TEXT = GIVEN["fallback"]["text"]
WAIT = 60


class OptsOutWhileItRings:
    """Has itself put on the list by the service desk, and rejects the call."""

    url = ""

    def take(self, phone: Any) -> None:
        if phone.wait_until_ringing():
            asked = {"number": phone.number}
            httpx.post(f"{self.url}/bat/optout", json=asked, auth=AUTH, timeout=30).raise_for_status()
            phone.reject()


def with_fallback(to: str, **more: Any) -> dict[str, Any]:
    told = {"statusUrl": "https://shop.example/status", "statusEvents": ["fallback"]}
    return message(menu(d1=[HANGUP], wrong=[HANGUP], idle=300), to=to) | {"fallback": GIVEN["fallback"]} | told | more


def told(cloud: Any, mid: str) -> Any:
    """The event of a fallback, as its receiver has it."""
    entry = cloud.journal.wait_for(lambda one: one["kind"] == "webhook" and one["mid"] == mid, WAIT)
    assert dict(entry["headers"])["webhook-id"] == f"{mid}-fallback"
    return json.loads(entry["body"])


def minute(cloud: Any, *mids: str) -> None:
    """The messages finish, and the next minute begins; what was due is done when it returns."""
    for mid in mids:
        finished(cloud, mid, WAIT)
    cloud.functions.invoke(cloud.template.functions["SendFallbackFunction"].name, {})


def get(cloud: Any, mid: str) -> Any:
    return httpx.get(f"{cloud.url}/bat/message/{mid}", auth=AUTH, timeout=30).json()


@pytest.mark.parametrize("telephony", RINGING)
def test_a_call_that_comes_to_nothing_becomes_an_sms_once(telephony):
    opts_out = OptsOutWhileItRings()
    callees = {
        NOBODY: Script([]),
        OPTS_OUT: opts_out,
        SILENT: Script([answer(0), stay_silent()]),
        PRESSES: Script([answer(0), press("1", after=0)]),
        LOST: Script([busy()]),
    }
    carrier = {"caller_for": callees.get, "no_answer_seconds": 0.3}
    with running(telephony=telephony, carrier=carrier) as cloud:
        opts_out.url, client = cloud.url, Client(cloud.url)
        sent = dict(zip(callees, client.send([with_fallback(to) for to in callees if to != LOST]), strict=False))
        # When nobody answers, and when nobody presses a key, there is an SMS on the phone page
        minute(cloud, *sent.values())
        for number in (NOBODY, SILENT):
            event = told(cloud, sent[number])
            assert (event["event"], event["fallbacks"][0]["status"]) == ("fallback", "sent")
            assert get(cloud, sent[number])["fallbacks"] == event["fallbacks"]
            shown = cloud.journal.wait_for(
                lambda one, mid=sent[number]: (one["mid"], one["kind"]) == (mid, "sms"), WAIT
            )
            assert (shown["number"], shown["text"]) == (number, TEXT)
        # And who has opted out in the meantime gets none, nor who has pressed a key
        (given,) = told(cloud, sent[OPTS_OUT])["fallbacks"]
        assert (given["status"], given["reason"]) == ("not_used", "optedOut")
        assert get(cloud, sent[PRESSES])["fallbacks"] == [{"type": "sms", "status": "not_used"}]
        # And where the service's answer is lost, nobody knows, and nobody asks again
        cloud.sms.api.fail(SEND, "InternalServerException", after_doing=True)
        (lost,) = client.send([with_fallback(LOST)])
        minute(cloud, lost)
        (given,) = told(cloud, lost)["fallbacks"]
        assert (given["status"], given["reason"]) == ("unknown", "lost")
        assert sorted(one.number for one in cloud.sms.sent) == [NOBODY, SILENT, LOST]
        rows = httpx.get(f"{cloud.url}/bat/messagelist/{get(cloud, lost)['messagelistId']}/export", auth=AUTH).text
        assert rows.splitlines()[1].endswith(",unknown,false,,,,,")
        assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []
