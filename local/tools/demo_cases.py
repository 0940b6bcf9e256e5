"""What the demonstration sends, who answers, and what the specification says must happen.

The expectations are written down by hand from the specification, not worked out by the product.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.network.shared.scripted_callees import Script, answer, busy, hang_up, no_answer, press, stay_silent


@dataclass(frozen=True)
class ExpectedWebhook:
    """A POST that must arrive: its URL, the object under `action`, and the customer's headers."""

    url: str
    action: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """How a call must go: the menus asked, in order, what arrives at the receiver, and how it ends."""

    menus: tuple[int, ...] = ()
    webhooks: tuple[ExpectedWebhook, ...] = ()
    outcome: str = "answered"
    reason: str = "completed"
    silences: int = 0


@dataclass(frozen=True)
class Case:
    """One call: the request body, what its callee does, and what must come of it."""

    body: str
    caller: str
    script: Script
    expected: Expected
    ending: str
    """The last digits of a number whose simulated callee does the same (docs/telephony.md)."""
    folder: str = "events/spec"

    @property
    def title(self) -> str:
        return f"{self.body}: the callee {self.caller}"


_ONE = ExpectedWebhook("https://api.example.com/callback/option1", {"confirm": True})
_ONE_WITH_HEADER = ExpectedWebhook(_ONE.url, _ONE.action, {"X-Custom-Header": "value"})
_HOOK = ExpectedWebhook("http://api.smsbat.local/gatereq/temp/hook", {"confirm": True}, {"test-header": "test"})
_LOCALHOST = ExpectedWebhook("http://localhost/1", {})


def _unanswered_cases(body: str) -> list[Case]:
    return [
        Case(body, "hangs up", Script([answer(), hang_up(1.0)]), Expected((0,), reason="callerHungUp"), "42"),
        Case(body, "is busy", Script([busy()]), Expected(outcome="busy", reason="busy"), "30"),
        Case(body, "does not answer", Script([no_answer()]), Expected(outcome="noAnswer", reason="noAnswer"), "31"),
    ]


def _one_menu_cases(body: str, webhook: ExpectedWebhook) -> list[Case]:
    """`wrong` hangs up."""
    silent = Script([answer(), stay_silent()])
    return [
        Case(body, "presses 1", Script([answer(), press("1")]), Expected((0,), (webhook,)), "01"),
        Case(body, "presses 9, a wrong key", Script([answer(), press("9")]), Expected((0,)), "09"),
        Case(body, "stays silent past the idle timeout", silent, Expected((0,), silences=1), "20"),
        *_unanswered_cases(body),
    ]


def _two_menu_cases(body: str) -> list[Case]:
    """`wrong` leads from menu 0 to menu 1, whose `wrong` hangs up."""
    wrong_then_one = Script([answer(), press("9"), press("1")])
    silent = Script([answer(), stay_silent(), stay_silent()])
    return [
        Case(body, "presses 1", Script([answer(), press("1")]), Expected((0,), (_HOOK,)), "01"),
        Case(body, "presses 9, a wrong key, then 1", wrong_then_one, Expected((0, 1), (_LOCALHOST,)), "9162"),
        Case(body, "stays silent past both idle timeouts", silent, Expected((0, 1), silences=2), "20"),
        *_unanswered_cases(body),
    ]


def _use_case(body: str, caller: str, keys: str, menus: tuple[int, ...], *told: ExpectedWebhook) -> Case:
    """One of examples/, whose callee presses a key in each menu."""
    script = Script([answer(), *(press(key) for key in keys)])
    digits = keys.replace("*", "0").replace("#", "9")
    ending = f"{digits}{6 if digits == keys else 7}{len(keys)}"
    return Case(body, caller, script, Expected(menus, told), ending, "examples")


_API = "https://api.example.com"
_BEARER = {"Authorization": "Bearer replace-me"}


def _use_cases() -> list[Case]:
    """The specification's five."""
    service = ExpectedWebhook(f"{_API}/survey", {"survey": "2026-11", "question": "service", "score": 4})
    recommends = ExpectedWebhook(f"{_API}/survey", {"survey": "2026-11", "question": "recommend", "answer": True})
    confirmed = ExpectedWebhook(f"{_API}/appointments/4711", {"confirmed": True})
    afternoon = ExpectedWebhook(f"{_API}/appointments/4711", {"confirmed": False, "wanted": "afternoon"})
    unclear = ExpectedWebhook(f"{_API}/appointments/4711", {"confirmed": None})
    call_back = ExpectedWebhook(f"{_API}/orders/100245", {"request": "callBack"})
    read = ExpectedWebhook(f"{_API}/notices/88/read", {"notice": 88, "read": True}, {"X-Notice": "88"})
    opted_out = ExpectedWebhook(f"{_API}/notices/optout", {"optOut": True})
    approved = ExpectedWebhook(f"{_API}/verifications/7c1e", {"approved": True}, _BEARER)
    refused = ExpectedWebhook(f"{_API}/verifications/7c1e", {"approved": False}, _BEARER)
    nobody = ExpectedWebhook(f"{_API}/verifications/7c1e", {"approved": False, "reason": "noAnswer"}, _BEARER)
    return [
        _use_case("customer-survey", "gives 4 and recommends us", "41", (0, 1), service, recommends),
        _use_case("customer-survey", "gives 4 and then a wrong key", "49", (0, 1), service),
        _use_case("appointment-reminder", "confirms", "1", (0,), confirmed),
        _use_case("appointment-reminder", "wants another time, in the afternoon", "22", (0, 1), afternoon),
        _use_case("appointment-reminder", "presses 9, a wrong key", "9", (0,), unclear),
        _use_case("order-tracking", "looks at the details, goes back, asks for a call", "1*2", (0, 1, 0), call_back),
        _use_case("interactive-notification", "has heard it", "1", (0,), read),
        _use_case("interactive-notification", "wants no more of them", "9", (0,), opted_out),
        _use_case("voice-verification", "approves", "#", (0,), approved),
        _use_case("voice-verification", "refuses", "*", (0,), refused),
        _use_case("voice-verification", "presses 5, a wrong key", "5", (0,), nobody),
    ]


CASES: tuple[Case, ...] = (
    *_one_menu_cases("basic-structure", _ONE_WITH_HEADER),
    *_one_menu_cases("simple", _ONE),
    *_two_menu_cases("complex"),
    *_two_menu_cases("curl"),
    *_use_cases(),
)


def differences(case: Case, message: Mapping[str, Any], mid: str, entries: list[dict[str, Any]]) -> list[str]:
    """Everything in which a call's journal differs from what the specification says; empty if nothing does.

    In: the message as it was sent, the id that it was given, and the journal's entries of that id.
    """

    def of(kind: str) -> list[dict[str, Any]]:
        return [entry for entry in entries if entry["kind"] == kind]

    expected, found = case.expected, []
    ends = [entry for entry in of("state") if entry["state"] == "finished"]
    checks: list[tuple[str, Any, Any]] = [
        ("menus", list(expected.menus), [entry["menu"] for entry in of("menu")]),
        ("silences", expected.silences, len(of("silence"))),
        ("ends", [(expected.outcome, expected.reason)], [(end["outcome"], end["reason"]) for end in ends]),
        ("times dialled", 1, len(of("dialled"))),
        ("webhooks", [hook.url for hook in expected.webhooks], [hook["url"] for hook in of("webhook")]),
    ]
    found += [f"{name}: expected {wanted}, found {got}" for name, wanted, got in checks if wanted != got]
    for wanted, arrived in zip(expected.webhooks, of("webhook"), strict=False):
        found += _webhook_differences(wanted, arrived, message, mid)
    return found


def _webhook_differences(
    wanted: ExpectedWebhook, arrived: Mapping[str, Any], message: Mapping[str, Any], mid: str
) -> list[str]:
    headers = {name.lower(): value for name, value in arrived["headers"]}
    body = {"from": message["from"], "to": message["to"], "mid": mid, "action": dict(wanted.action)}
    checks: list[tuple[str, Any, Any]] = [
        ("method", "POST", arrived["method"]),
        ("body", body, json.loads(arrived["body"])),
        ("Content-Type", "application/json", headers.get("content-type")),
        *((f"header {name}", value, headers.get(name.lower())) for name, value in wanted.headers.items()),
    ]
    return [f"webhook {name}: expected {want}, found {got}" for name, want, got in checks if want != got]
