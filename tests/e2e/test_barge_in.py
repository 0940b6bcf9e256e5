"""Menus that take no key during their introductions: whoever cannot wait is not heard, and is asked all the same."""

import json

import pytest

from local.network.shared.scripted_callees import Conversation, Script, answer, enter, press
from speechcall.telephony.chime import actions as chime
from speechcall.telephony.connect import conversation as connect
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

SILENCES = (connect.SILENCE_KEY, chime.SILENCE_KEY)


def press_until_asked(call: Conversation) -> bool:
    """Press 1 all the time, as long as no key would be heard."""
    while call.phone.pause(0.05):
        with call.phone.changed:
            if call.phone.input_open and call.phone.input_block > call.block:
                return True
            assert not call.phone.press("1")
    return False


@pytest.mark.parametrize("telephony", ["connect", pytest.param("chime", marks=pytest.mark.long)])
def test_keys_during_the_introduction_are_lost(telephony):
    whole = {"bargeIn": False}
    keys = menu(d1=[webhook({"early": True}), HANGUP], d2=[webhook({"list": "d2"}), goto(1)], wrong=[HANGUP]) | whole
    asked = {"minDigits": 2, "maxDigits": 4, "interDigitMsec": 1000}
    digits = menu(complete=[webhook({"list": "complete"}), HANGUP], wrong=[HANGUP]) | {"input": asked} | whole
    callee = Script([answer(), press_until_asked, press("2", 0), press_until_asked, enter("40#", 0)])
    with running(callee, telephony=telephony) as cloud:
        (mid,) = Client(cloud.url).send([message(keys, digits)])
        assert finished(cloud, mid)["reason"] == "completed"
        cloud.receiver.wait_for(2, 20)
        bodies = [json.loads(one.body) for one in cloud.receiver.requests(mid)]
        assert [(one["action"], one.get("digits")) for one in bodies] == [
            ({"list": "d2"}, None),
            ({"list": "complete"}, "40"),
        ]
        played = [one for one in cloud.journal.entries(mid) if one["kind"] == "prompt"]
    heard_out = [one for one in played if "block" not in one]
    assert len(heard_out) == 2
    assert not [one for one in heard_out if one["uri"].endswith(SILENCES)], "they are the introductions"
    assert all(one["uri"].endswith(SILENCES) for one in played if "block" in one)
