"""Several digits are entered on each telephony: what ends an entry, and what its webhooks are told."""

import json

import pytest

from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, enter, press, stay_silent
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

SLOW, QUICK, WRONG, SILENT = (f"+38067000000{number}" for number in range(4))
CALLEES = {
    # Typing lasts longer than the first key is awaited: that wait is over with the first key.
    SLOW: Script([answer(), enter("4071", between=0.6), press("1")]),
    # The end key ends an entry at once; behind it a menu with single keys follows, and then digits again.
    QUICK: Script([answer(), enter("40*", between=0.02), press("2"), enter("71*", between=0.02), press("1")]),
    # Too few, of which the wait for the next one is the end; then a key that is no digit.
    WRONG: Script([answer(), enter("4"), enter("4#1*"), stay_silent()]),
    SILENT: Script([answer(), stay_silent()]),
}


def told(cloud, mid):
    """What the receiver was told of a message: which webhook, and the digits, if any."""
    bodies = [json.loads(one.body) for one in cloud.receiver.requests(mid)]
    return [(one["action"]["list"], one.get("digits")) for one in bodies]


@pytest.mark.parametrize("telephony", RINGING)
def test_digits_are_gathered_and_told_however_they_end(telephony):
    asks = {"minDigits": 2, "maxDigits": 4, "endKey": "*", "interDigitMsec": 1000}
    digits = menu(
        complete=[webhook({"list": "complete"}), goto(1)],
        wrong=[webhook({"list": "wrong"}), goto(0)],
        silence=[webhook({"list": "silence"}), HANGUP],
    ) | {"input": asks}
    keys = menu(d1=[HANGUP], d2=[goto(0)])
    with running(telephony=telephony, carrier={"caller_for": CALLEES.get}) as cloud:
        sent = Client(cloud.url).send([message(digits, keys, to=number) for number in CALLEES])
        mids = dict(zip(CALLEES, sent, strict=True))
        expected: dict[str, list[tuple[str, str | None]]] = {
            SLOW: [("complete", "4071")],
            QUICK: [("complete", "40"), ("complete", "71")],
            WRONG: [("wrong", "4"), ("wrong", "4#1"), ("silence", None)],
            SILENT: [("silence", None)],
        }
        for number, mid in mids.items():
            end = finished(cloud, mid)
            assert (end["outcome"], end["reason"]) == ("answered", "completed"), number
        cloud.receiver.wait_for(sum(map(len, expected.values())), 20)
        assert {number: told(cloud, mid) for number, mid in mids.items()} == expected
        assert not [entry for entry in cloud.journal.entries() if entry["kind"] in {"failure", "flow_error"}]
