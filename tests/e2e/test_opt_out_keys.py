"""A callee opts out with a key and hangs up at once: the number is not called again, on either telephony."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, busy, press
from tests.e2e.conftest import Client, finished, running

EXAMPLE = Path(__file__).parents[2] / "examples" / "recall-in-hours.json"
AUTH = (seed.USER, seed.PASSWORD)
HER, ANOTHER = "+380671234567", "+380671234568"


def reminder(to=HER):
    """The message of the example, at any hour."""
    (given,) = json.loads(EXAMPLE.read_text(encoding="utf-8"))["messages"]
    kept = {name: value for name, value in given.items() if name not in ("windows", "timeZone")}
    menus = [menu | {"introUrl": "short"} for menu in given["menu"]]
    return kept | {"to": to, "from": "BazarCOM", "menu": menus}


class HangsUpWhenHeard:
    """Presses 9, and hangs up in the moment in which that is on record: the state machine is told at the same time."""

    cloud: Any = None

    def take(self, phone):
        Script([answer(0), press("9", after=0)]).take(phone)
        while not get(self.cloud, phone.mid)["call"]["keyPressed"] and phone.pause(0.02):
            pass
        phone.hang_up()


def get(cloud, mid):
    return httpx.get(f"{cloud.url}/bat/message/{mid}", auth=AUTH, timeout=30).json()


def found(cloud, number):
    asked = {"number": number, "list": "reminders"}
    return httpx.post(f"{cloud.url}/bat/optout/find", json=asked, auth=AUTH, timeout=30).json()


@pytest.mark.parametrize("telephony", RINGING)
def test_who_presses_the_key_and_hangs_up_at_once_is_not_called_again(telephony):
    callee = HangsUpWhenHeard()
    answers = {HER: callee, ANOTHER: Script([busy()])}
    with running(telephony=telephony, carrier={"caller_for": answers.get}) as cloud:
        callee.cloud = cloud
        # Given two messages to one number, of which one waits until the call of the other is over
        mids = Client(cloud.url).send([reminder(), reminder()])
        ends = [finished(cloud, mid) for mid in mids]
        # Then it is dialled once, and the other message is not
        assert sorted(end["outcome"] for end in ends) == ["answered", "optedOut"]
        (dialled,) = [entry["mid"] for entry in cloud.journal.entries() if entry["kind"] == "dialled"]
        # And the opt-out is on its list, with the message whose menu it was
        stored = found(cloud, HER)["optOut"]
        assert (stored["by"], stored["list"], stored["ending"]) == ("key", "reminders", "67")
        assert stored["messageId"] == dialled
        # And what the key does behind it is done too
        told = cloud.journal.wait_for(lambda entry: entry["mid"] == dialled and entry["kind"] == "webhook", 40)
        assert told["url"].endswith("/visits/88")
        # And the next list leaves the number out, and calls the others
        answered = Client(cloud.url).post([reminder(), reminder(ANOTHER)]).json()["messages"]
        assert [one["status"] for one in answered] == ["rejected", "sent"]
        assert answered[0]["error"]["code"] == "OPTED_OUT"
        assert not found(cloud, ANOTHER)["optedOut"]
        assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []
