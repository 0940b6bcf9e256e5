"""What a callee waits for fails every second time, and no callee notices: no key is lost, nobody is hung up on.

On Amazon Connect an invocation fails with all the tries that Connect makes by itself: they follow each other at once,
and Lambda throttles them all. On the Chime SDK the service's one repeat is what succeeds. 200 calls in
`make test-long`, some in every run.
"""

import json
import threading
from collections import Counter

import pytest

from local.cloud.functions import FunctionHost, name_of
from local.cloud.simulated_providers import RINGING
from local.network.connect import flow_session, invocation
from local.network.connect.flow_runner import Failed
from local.network.shared.invoker import FunctionError
from local.network.shared.scripted_callees import Script, answer, press
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook

MENUS = (
    menu(idle=9000, d1=[webhook({"menu": 0}), goto(1)], wrong=[HANGUP]),
    menu(idle=9000, d2=[webhook({"menu": 1}), goto(2)], wrong=[HANGUP]),
    menu(idle=9000, d3=[webhook({"menu": 2}), HANGUP], wrong=[HANGUP]),
)


class EverySecond:
    """Fails the first, the third, the fifth … of a kind."""

    def __init__(self):
        self._lock, self._times = threading.Lock(), Counter()

    def fails(self, kind):
        with self._lock:
            self._times[kind] += 1
            return self._times[kind] % 2 == 1

    @property
    def failed(self):
        return sum((times + 1) // 2 for times in self._times.values())


@pytest.fixture
def throttled(monkeypatch):
    """Both telephonies' invocations of our function, of which every second one fails."""
    every_second = EverySecond()
    invoke_function, invoke = invocation.invoke_function, FunctionHost.invoke

    def of_the_flow(invoker, function_arn, event, limit_seconds):
        if every_second.fails(event["Details"]["ContactData"]["ContactId"]):
            return Failed("429 TooManyRequestsException, at each of its tries")
        return invoke_function(invoker, function_arn, event, limit_seconds)

    def of_the_application(host, function, event):
        is_call = name_of(function) == "ChimeEventsFunction" and "CallDetails" in event
        if is_call and every_second.fails((event["CallDetails"]["TransactionId"], event["Sequence"])):
            raise FunctionError("TooManyRequestsException", "Rate Exceeded.")
        return invoke(host, function, event)

    monkeypatch.setattr(flow_session, "invoke_function", of_the_flow)
    monkeypatch.setattr(FunctionHost, "invoke", of_the_application)
    return every_second


def hold(throttled, telephony, calls):
    callee = Script([answer(), press("1"), press("2"), press("3")])
    with running(callee, telephony=telephony) as cloud:
        sent = [message(*MENUS, to=f"+38067{number:07}") for number in range(calls)]
        mids = [mid for first in range(0, calls, 100) for mid in Client(cloud.url).send(sent[first : first + 100])]
        ends = Counter((end["outcome"], end["reason"]) for end in (finished(cloud, mid, 120) for mid in mids))
        assert ends == {("answered", "completed"): calls}
        for mid in mids:
            for number in range(3):
                cloud.journal.wait_for(
                    lambda one, mid=mid, number=number: (
                        (one["kind"], one["mid"]) == ("webhook", mid)
                        and json.loads(one["body"])["action"] == {"menu": number}
                    ),
                    60,
                )
    assert throttled.failed >= 4 * calls  # of each call the answer and its three keys


@pytest.mark.parametrize("telephony", RINGING)
def test_no_callee_notices_that_every_second_invocation_fails(throttled, telephony):
    hold(throttled, telephony, 8)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("telephony", RINGING)
def test_none_of_two_hundred_callees_notices_it(throttled, telephony):
    hold(throttled, telephony, 200)
