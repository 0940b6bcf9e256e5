"""The main job without hands: the specification's requests, scripted callees, every call as a timeline."""

import json
import re
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings, Hosting
from local.network.shared.phone import Phone
from local.tools.demo_cases import CASES, Case, differences
from local.tools.timeline import timeline
from speechcall.telephony.provider import ProviderName, provider

ROOT = Path(__file__).parents[2]
RECIPIENT = re.compile('"to": "[^"]+"')
NO_ANSWER_SECONDS = 3.0
DEADLINE_SECONDS: dict[Hosting, float] = {"process": 90.0, "runtime": 180.0, "sam": 300.0}
SPEED = 5
"""How many times faster than life simulated callees are."""
SETTLE_SECONDS = 1.0
"""How long after the last call a webhook that must not come is given to come."""

PARAMETERS: dict[Hosting, dict[str, str]] = {
    "process": {"Lines": "50", "CallsPerSecond": "50"},
    "runtime": {"Lines": "5", "CallsPerSecond": "2"},
    "sam": {"Lines": "5", "CallsPerSecond": "2"},
}
"""All calls at once, since their idle timeouts are real seconds; but as many environments would be too many."""


class Cast:
    """Who answers which call. A call may ring before its request has been answered; its callee waits for its part."""

    def __init__(self) -> None:
        self._parts: dict[str, Case] = {}
        self._given = threading.Condition()

    def give(self, mid: str, case: Case) -> None:
        """The message `mid` is the call of `case`."""
        with self._given:
            self._parts[mid] = case
            self._given.notify_all()

    def take(self, phone: Phone) -> None:
        """Be the callee of one call."""
        mid = phone.mid or ""
        with self._given:
            known = self._given.wait_for(lambda: mid in self._parts, timeout=10)
        if known:
            self._parts[mid].script.take(phone)


@dataclass(frozen=True)
class Sent:
    """A case on its way: the message as sent, and the id that it was given."""

    case: Case
    message: dict[str, Any]
    mid: str


def main(telephony: ProviderName = ProviderName.CONNECT, verbose: bool = True, functions: Hosting = "process") -> int:
    """Run every case, print what happened; 0 if all went as the specification says, else 1."""
    cast, begin = Cast(), time.monotonic()
    with Cloud(settings_for(cast, telephony, functions)) as cloud:
        wrong = play(cloud, cast, verbose)
    print(f"\n{len(CASES)} calls in {time.monotonic() - begin:.0f} s: ", end="")
    if not wrong:
        print("all as the specification says.")
        return 0
    print(f"{len(wrong)} differences from what the specification says:")
    for line in wrong:
        print(f"  {line}")
    return 1


def settings_for(
    cast: Cast, telephony: ProviderName = ProviderName.CONNECT, functions: Hosting = "process"
) -> CloudSettings:
    """A cloud whose callees are `cast`; simulated ones act by their numbers."""
    if not provider(telephony).rings_phones:
        overrides = {"SIMULATION_SPEED": str(SPEED)}
        return CloudSettings(
            telephony=telephony, parameters=PARAMETERS[functions], overrides=overrides, functions=functions
        )
    carrier = {"no_answer_seconds": NO_ANSWER_SECONDS, "caller_for": lambda _number: cast}
    return CloudSettings(telephony=telephony, parameters=PARAMETERS[functions], carrier=carrier, functions=functions)


def play(cloud: Cloud, cast: Cast, verbose: bool = True, cases: Sequence[Case] = CASES) -> list[str]:
    """Run the cases in a cloud of `settings_for(cast, …)`, print what happened; what is not as specified."""
    rings = provider(cloud.settings.telephony).rings_phones
    seconds = "real seconds, so the longest takes about half a minute" if rings else f"{SPEED} times shorter"
    print(f"{len(cases)} calls at once; idle timeouts are {seconds}.")
    sent = [_send(cloud, case, index, cast) for index, case in enumerate(cases)]
    _await_ends(cloud, sent, DEADLINE_SECONDS[cloud.settings.functions])
    wrong = [report for item in sent for report in _report(cloud, item, verbose)]
    # Nobody on the telephone may have noticed, but a function wanted what its policies do not allow.
    return wrong + [
        entry["message"] for entry in cloud.journal.entries() if entry.get("error") == "AccessDeniedException"
    ]


def _send(cloud: Cloud, case: Case, index: int, cast: Cast) -> Sent:
    text = (ROOT / case.folder / f"{case.body}.json").read_text(encoding="utf-8")
    # A number is in one call at a time: only the first case calls the one that its body names.
    if not provider(cloud.settings.telephony).rings_phones:
        body = RECIPIENT.sub(f'"to": "+38067{index:02}{case.ending:0>5}"', text)
    else:
        body = RECIPIENT.sub(f'"to": "+38067{1000000 + index}"', text) if index else text
    answer = httpx.post(
        f"{cloud.api_url}/bat/messagelist",
        content=body,
        auth=(seed.USER, seed.PASSWORD),
        headers={"Content-Type": "application/json"},
        timeout=120,  # a container's first answer takes long
    )
    if answer.status_code != 200:
        sys.exit(f"{case.title}: the request was answered {answer.status_code}: {answer.text}")
    mid = str(answer.json()["messages"][0]["messageId"])
    cast.give(mid, case)
    return Sent(case, json.loads(body)["messages"][0], mid)


def _await_ends(cloud: Cloud, sent: list[Sent], seconds: float) -> None:
    """Returns when every call is over and nothing more comes; what is missing by the deadline is told later."""
    deadline = time.monotonic() + seconds
    news, running = cloud.journal.subscribe(after=0), {item.mid: item for item in sent}
    while running and (entry := news.get(max(0.0, deadline - time.monotonic()))):
        item = running.get(entry["mid"])
        if item and _is_over(cloud, item):
            del running[item.mid]
    while news.get(SETTLE_SECONDS):
        pass


def _is_over(cloud: Cloud, item: Sent) -> bool:
    entries = cloud.journal.entries(item.mid)
    finished = any(entry["kind"] == "state" and entry["state"] == "finished" for entry in entries)
    return finished and sum(entry["kind"] == "webhook" for entry in entries) >= len(item.case.expected.webhooks)


def _report(cloud: Cloud, item: Sent, verbose: bool) -> list[str]:
    entries = cloud.journal.entries(item.mid)
    found = differences(item.case, item.message, item.mid, entries)
    if verbose:
        print(f"\n{item.case.title} — {'WRONG' if found else 'as specified'}")
        for line in timeline(entries):
            print(line)
    return [f"{item.case.title}: {difference}" for difference in found]
