"""A rehearsal, and then the list itself on the laptop: how its messages end is the same, and when it is over nearly.

The callees of a simulated stack act by the last digits of their numbers. So numbers are chosen whose digits say what is
drawn for them, in each attempt. What a call takes is measured by a few first, as an operator knows it of his own.

It needs a machine that has nothing else to do: where a request to the laptop's tables takes long, lines stay free for
longer than in a stack. So no rate is rehearsed here either: it is that of the laptop.
"""

import time
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx
import pytest

from cli.deployment import Place, open_deployment
from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings
from speechcall.messages.rules.message import State
from speechcall.rehearsal.adapters.virtual_stack import stores_of
from speechcall.rehearsal.rules.callees import CAUSES, Callees, Fixed
from speechcall.rehearsal.use_cases.made_messages import Rules, made_messages
from speechcall.rehearsal.use_cases.rehearse import WAKE_SECONDS, Situation, rehearse
from speechcall.rehearsal.use_cases.virtual_time import VirtualTime
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.json_text import dump_json
from speechcall.telephony.provider import ProviderName
from speechcall.telephony.simulated.events import ANSWER_SECONDS, REFUSE_SECONDS

SEED, CALLS, RING_SECONDS = 3, 200, 20
OUTCOMES = {"answered": 0.5, "noAnswer": 0.2, "busy": 0.2, "invalidNumber": 0.1}
ENDINGS = {"answered": "20", "noAnswer": "31", "busy": "30", "invalidNumber": "33"}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}
REDIAL = {"redial": {"attempts": 1, "afterSec": [60], "on": ["busy", "noAnswer"]}}
AUTH = (seed.USER, seed.PASSWORD)


@dataclass(frozen=True)
class Case:
    """One configuration. `ahead`: so many messages of another campaign wait before the list."""

    parameters: dict[str, str]
    fields: dict[str, Any]
    ahead: int = 0


CASES = {
    "lines": Case({"Lines": "8", "CallsPerSecond": "20"}, {}),
    "lines kept for urgent ones": Case({"Lines": "14", "UrgentLines": "6", "CallsPerSecond": "20"}, {}),
    "redials": Case({"Lines": "10", "CallsPerSecond": "20"}, REDIAL),
    "behind a queue": Case({"Lines": "10", "CallsPerSecond": "20"}, {}, ahead=CALLS // 4),
}


def callees_with(talk_seconds, handling_seconds):
    return Callees(OUTCOMES, Fixed(ANSWER_SECONDS), Fixed(talk_seconds), handling_seconds=handling_seconds)


def numbers(count, first=0):
    """Numbers whose scripts are what the seed says of them, in the first two attempts."""
    callees, found, at = callees_with(1, 1), [], first
    ends = {CAUSES[name]: ending for name, ending in ENDINGS.items()}
    while len(found) < count:
        for ending in ENDINGS.values():
            number = f"+38067{at:05}{ending}"
            both = {ends[callees.called(SEED, number, attempt, RING_SECONDS).cause] for attempt in (1, 2)}
            if both == {ending}:
                found.append(number)
        at += 1
    return found[:count]


def body_of(part, campaign, fields):
    one = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": [MENU], "ringTimeoutSec": RING_SECONDS}
    return dump_json({"campaign": campaign, "messages": [{**one, **fields, "to": to} for to in part]}).encode()


def bodies_of(to, campaign, fields):
    return [body_of(to[first : first + 100], campaign, fields) for first in range(0, len(to), 100)]


def send(cloud, bodies):
    mids = []
    for body in bodies:
        answer = httpx.post(f"{cloud.url}/bat/messagelist", content=body, auth=AUTH, timeout=60, trust_env=False)
        assert answer.status_code == 200, answer.text
        mids += [one["messageId"] for one in answer.json()["messages"]]
    return mids


def ended(deployment, mids, seconds):
    """The messages, when all have ended."""
    states: list[State] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        states = [
            one.state
            for first in range(0, len(mids), 100)
            for one in deployment.history.summaries(mids[first : first + 100])
        ]
        if Counter(states)[State.FINISHED] == len(mids):
            return [deployment.messages.get(mid) for mid in mids]
        time.sleep(1)
    raise AssertionError(Counter(states))


def measured(cloud, deployment, lines):
    """What an answered call talks, and for how long a line is taken besides: until it is used again, too."""
    kinds = ("busy", "answered") * lines
    mids = send(cloud, [body_of([f"+38050{at:05}{ENDINGS[kind]}" for at, kind in enumerate(kinds)], "pilot", {})])
    found = ended(deployment, mids, 600)
    held: dict[str, list[float]] = {"busy": [], "answered": []}
    for one in found:
        held[one.outcome].append((one.finished_msec - one.claimed_msec) / 1000)
    handling = median(held["busy"]) - REFUSE_SECONDS
    talk = median(held["answered"]) - handling - ANSWER_SECONDS
    again = sorted(one.claimed_msec for one in found)[lines:]
    gaps = [claimed - freed for claimed, freed in zip(again, sorted(one.finished_msec for one in found), strict=False)]
    return talk, handling + max(median(gaps) / 1000 - WAKE_SECONDS, 0)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_a_list_ends_as_it_was_rehearsed(name):
    case = CASES[name]
    settings = CloudSettings(telephony=ProviderName.SIMULATED, parameters=case.parameters)
    with Cloud(settings) as cloud:
        deployment = open_deployment(Place(local=True, port=int(cloud.url.rpartition(":")[2])))
        lines = int(case.parameters["Lines"]) - int(case.parameters.get("UrgentLines", 0))
        talk, handling = measured(cloud, deployment, lines)
        send(cloud, bodies_of(numbers(case.ahead, 50_000), "ahead", {}))
        account, now = deployment.accounts.find(seed.ACCOUNT_ID), SystemClock().now_msec()
        bodies = bodies_of(numbers(CALLS), "list", case.fields)
        made = made_messages(
            account,
            bodies,
            now,
            prompts=deployment.lists,
            opt_outs=deployment.opt_outs,
            rules=Rules(allow_loopback=True, strict=True),
        )
        new = [one for each in made for one in each.messages]
        standing = deployment.standing([account], new, lambda _count: None)
        situation = Situation(
            now,
            standing.lines.stack,
            {account.account_id: account},
            [one for one in standing.messages if one.state is State.CALLING],
            [one for one in standing.messages if one.state is State.PREPARING],
        )
        callees = callees_with(talk, handling)
        found = rehearse(situation, new, callees, stores_of(standing), VirtualTime(now), SEED)
        began = SystemClock().now_msec()
        messages = ended(deployment, send(cloud, bodies), 3000)
    took = (max(one.finished_msec for one in messages) - began) / 1000
    outcomes = Counter(one.outcome for one in messages)
    calls = sum(one.attempt for one in messages)
    print(
        f"\n{name}: rehearsed {found.seconds:.0f} s, took {took:.0f} s ({(took / found.seconds - 1) * 100:+.1f} %); "
        f"calls {len(found.begun_msec)} and {calls}; {found.outcomes} and {dict(outcomes)}; "
        f"a call talks {talk:.1f} s and is handled for {handling:.1f} s"
    )
    assert outcomes == found.outcomes
    assert calls == len(found.begun_msec)
    assert took == pytest.approx(found.seconds, rel=0.1)
