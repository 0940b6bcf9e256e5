"""What a receiver of webhooks has to cope with, and whether it did: each rule is one of docs/webhooks.md.

Three kinds of cases: webhooks that have to be taken, ones that have to be refused, and ones that have to be taken once.
How often one was taken only the receiver knows: where it does not say so, that part is not judged.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cli.receiver.traffic import LOST, Answer, CountNotAsked, Hook, Pace, Traffic, UnreadableCount
from speechcall.requests.use_cases.field_checks import MAX_WEBHOOK_BODY_BYTES
from speechcall.webhooks.rules.retry import RETRY_DELAYS_SECONDS, is_delivered, is_retryable

TOGETHER = 10
"""As many requests as one destination gets at a time."""
STALE_SECONDS = 600
_ATTEMPTS = len(RETRY_DELAYS_SECONDS) + 1


class Verdict(StrEnum):
    """What is known of a case."""

    OK = "ok"
    FAULT = "fault"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Finding:
    """Of one case: its name, the rule that it is about, and what was seen: the faults, or why it was not judged.

    `seconds`: how long the answers took, all together. `was_cut_off`: the network of this machine failed in the
    middle, so that it was not tried to its end.
    """

    name: str
    rule: str
    verdict: Verdict
    seen: tuple[str, ...]
    seconds: float
    was_cut_off: bool = False


class _Case:
    """One case as it goes: what was wrong (`faults`), and how many webhooks must have been taken by now (`taken`)."""

    def __init__(self, traffic: Traffic, mid: str) -> None:
        self._traffic, self.mid = traffic, mid
        self.faults: list[str] = []
        self.seconds = 0.0
        self.taken = 0
        self.was_cut_off = False
        """Whether this machine's own network failed: how many were taken cannot be known any more."""

    def hook(self, **given: object) -> Hook:
        """A webhook of the case's message."""
        return Hook(self.mid, **given)  # type: ignore[arg-type]

    def takes(self, hook: Hook, what: str = "", *, slowly: bool = False, new: bool = True) -> None:
        """Sends a webhook that has to be answered 2xx. `new`: it is one that the receiver has not taken before.

        `what`: which webhook it is, as a fault names it, with a space behind it; empty: the only one.
        """
        pace = Pace(self._traffic.pause) if slowly else None
        self._note(self._why_not_taken(self._traffic.send(hook, pace), what))
        self.taken += new

    def refuses(self, hook: Hook, what: str) -> None:
        """Sends a webhook that has to be answered 4xx, and not taken."""
        self._note(self._why_not_refused(self._traffic.send(hook), what))

    def keeps_out(self, hook: Hook, what: str) -> None:
        """Sends a webhook that must not be taken: any answer but 2xx will do, and none."""
        answer = self._traffic.send(hook)
        if answer.is_our_fault or (answer.status is not None and is_delivered(answer.status)):
            self._note(self._why_not_refused(answer, what))

    def loses_the_answer_to(self, hook: Hook) -> None:
        """Sends a webhook, and throws the answer away. It counts as taken when `takes` sends it again, not here.

        That there was no answer to throw away is a fault, as in `takes`; what the answer said is not looked at.
        """
        answer = self._traffic.send(hook, Pace(loses_answer=True))
        if answer.word == LOST:
            self.seconds += answer.seconds
        else:
            self._note(self._why_not_taken(answer, ""))

    def takes_together(self, hooks: Sequence[Hook], *, new: int, may_put_off: bool) -> None:
        """Sends webhooks at the same time. `new`: by how many those that must have been taken grow.

        `may_put_off`: they are all the same one, so a status that asks for it once more later is no fault. A fault that
        several of them have is noted once.
        """
        for answer in self._traffic.send_together(hooks):
            put_off = may_put_off and answer.status is not None and is_retryable(answer.status)
            self._note(None if put_off else self._why_not_taken(answer, f"one of {len(hooks)} at the same time "))
        self.faults = list(dict.fromkeys(self.faults))
        self.taken += new

    def count(self) -> None:
        """Asks the receiver how many webhooks it took. Another number than it had to take, or none, is a fault.

        It is not asked once the case was cut off: some of what it had to take was never sent.
        """
        if self.was_cut_off:
            return
        try:
            counted = self._traffic.count(self.mid)
        except CountNotAsked:
            self.was_cut_off = True
            return
        except UnreadableCount as error:
            self.faults.append(str(error))
            return
        if counted != self.taken:
            self.faults.append(f"counts {counted} of the message; {self.taken} would be right")

    def _note(self, fault: str | None) -> None:
        if fault:
            self.faults.append(fault)

    def _why_not_taken(self, answer: Answer, what: str) -> str | None:
        """What is wrong with the answer to a webhook that has to be taken; None: nothing, or nothing is known.

        Adds up `seconds`, and notes that the case was cut off. `what`: which webhook it was, as in `takes`.
        """
        self.seconds += answer.seconds
        if answer.is_our_fault:
            self.was_cut_off = True
            return None
        if answer.status is None:
            said = self._no_answer(answer)
            return f"{what}{said}: it would be sent {_ATTEMPTS} times"
        if is_delivered(answer.status):
            return None
        if is_retryable(answer.status):
            return f"{what}was answered {answer.status}: it would be sent {_ATTEMPTS} times"
        why = "; redirects are not followed" if 300 <= answer.status < 400 else ""
        return f"{what}was answered {answer.status}: it would be lost{why}"

    def _why_not_refused(self, answer: Answer, what: str) -> str | None:
        """What is wrong with the answer to a webhook that has to be refused; None: nothing, or nothing is known.

        Adds up `seconds`, and notes that the case was cut off. `what`: which webhook it was.
        """
        self.seconds += answer.seconds
        if answer.is_our_fault:
            self.was_cut_off = True
            return None
        if answer.status is None:
            return f"{what}: {self._no_answer(answer)}; 401 would be right"
        if is_delivered(answer.status):
            return f"{what}: was answered {answer.status}, as if it were ours"
        if not 400 <= answer.status < 500:
            return f"{what}: was answered {answer.status}; 401 would be right"
        return None

    def _no_answer(self, answer: Answer) -> str:
        if answer.word == "TIMEOUT":
            return f"had no answer within {self._traffic.seconds:g} s"
        return f"had no answer ({answer.word})"


def _valid(case: _Case) -> None:
    case.takes(case.hook())


def _exact_bytes(case: _Case) -> None:
    numbers = '"price":1.10,"big":1180591620717411303424,"hundred":1e2,"zero":-0'
    action = f'{{{numbers},"name":"\u0417\u043e\u044f \u2615","slash":"a\\/b"}}'
    case.takes(case.hook(action=action))
    case.takes(case.hook(action='{ "spaced" : [ 1 , 2 ] ,\n "again" : {} }', seq=3))


def _largest(case: _Case) -> None:
    filler = "x" * (MAX_WEBHOOK_BODY_BYTES - len(json.dumps({"text": ""})))
    case.takes(case.hook(action=json.dumps({"text": filler})))


def _slow(case: _Case) -> None:
    case.takes(case.hook(), slowly=True)


def _rotation(case: _Case) -> None:
    other = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="
    case.takes(case.hook(signatures=lambda right: f"{other} {right}"))
    case.takes(case.hook(seq=3, signatures=lambda right: f"{right} {other}"))
    case.takes(case.hook(seq=4, signatures=lambda right: f"v9,later {right}"))


def _late(case: _Case) -> None:
    case.takes(case.hook(seq=3))
    case.takes(case.hook(seq=2), "the one before, which comes later, ")


def _together(case: _Case) -> None:
    hooks = [case.hook(seq=2 + number) for number in range(TOGETHER)]
    case.takes_together(hooks, new=TOGETHER, may_put_off=False)


def _clock(case: _Case) -> None:
    case.takes(case.hook(age=120), "two minutes old ")
    case.takes(case.hook(seq=3, age=-120), "two minutes ahead ")


def _repeated(case: _Case) -> None:
    case.takes(case.hook())
    case.takes(case.hook(), "the same id again ", new=False)
    case.takes(case.hook(age=5), "the same id with another timestamp ", new=False)


def _lost_answer(case: _Case) -> None:
    case.loses_the_answer_to(case.hook())
    case.takes(case.hook(), "sent again, since its answer was lost, ")


def _twice_at_once(case: _Case) -> None:
    case.takes_together([case.hook()] * TOGETHER, new=0, may_put_off=True)
    case.takes(case.hook(), "sent again ")


def _true_after_forged(case: _Case) -> None:
    case.refuses(case.hook(secret=_OTHER_SECRET), "a forged one")
    case.takes(case.hook(), "the true one, whose id a forged one had before, ")


def _replayed(case: _Case) -> None:
    case.takes(case.hook())
    case.takes(case.hook(seq=3))
    case.takes(case.hook(), "the first one again, behind its successor, ", new=False)


_OTHER_SECRET = "whsec_dHJpYWwtYW5vdGhlci1zZWNyZXQtbm90LXlvdXJzISE="
_FORGED: dict[str, dict[str, object]] = {
    "signed with another secret": {"secret": _OTHER_SECRET},
    "without webhook-signature": {"without": "webhook-signature"},
    "with an empty signature": {"signatures": lambda _right: "v1,"},
    "with the beginning of the signature": {"signatures": lambda right: right[:11]},
    "signed by another version of the scheme": {"signatures": lambda right: "v2," + right.removeprefix("v1,")},
}


def _forged(case: _Case) -> None:
    for what, changes in _FORGED.items():
        case.refuses(case.hook(**changes), what)
    # Nobody but a forger sends this: whatever keeps it out will do.
    case.keeps_out(case.hook(signatures=lambda _right: "v1,%%% v1,\u00e9"), "with a signature that is no base64")


def _changed(case: _Case) -> None:
    body = f'{{"from":"Trial","to":"+380670000000","mid":"{case.mid}","action":{{"confirmed":1234}}}}'
    case.refuses(case.hook(changes={"body": body}), "with another body than was signed")
    case.refuses(case.hook(changes={"webhook-id": f"{case.mid}-1-9-m0-d1-0"}), "with another id than was signed")
    case.refuses(case.hook(age=60, changes={"webhook-timestamp": "0"}), "with the timestamp 0, which was not signed")
    case.refuses(case.hook(changes={"body": ""}), "without a body")


def _stale(case: _Case) -> None:
    case.refuses(case.hook(age=STALE_SECONDS), "ten minutes old")
    case.refuses(case.hook(age=86_400), "a day old")


def _ahead(case: _Case) -> None:
    case.refuses(case.hook(age=-STALE_SECONDS), "ten minutes ahead")


def _missing(case: _Case) -> None:
    case.refuses(case.hook(without="webhook-id"), "without webhook-id")
    case.refuses(case.hook(without="webhook-timestamp"), "without webhook-timestamp")
    case.refuses(case.hook(changes={"webhook-timestamp": "now"}), 'with the timestamp "now"')
    case.refuses(case.hook(changes={"webhook-timestamp": "9" * 30}), "with a timestamp of 30 digits")


@dataclass(frozen=True)
class _Rule:
    name: str
    rule: str
    run: Callable[[_Case], None]
    only_counts: bool = False
    """Whether it is mostly about how many were taken: without the receiver's count it cannot be found to hold."""


CASES = (
    _Rule("valid", "a webhook that is ours is answered 2xx", _valid),
    _Rule("exact-bytes", "the signature is over the bytes of the body, not over what JSON makes of them", _exact_bytes),
    _Rule("largest", f"a body may have {MAX_WEBHOOK_BODY_BYTES} bytes under action", _largest),
    _Rule("slow-network", "a request may come in pieces", _slow),
    _Rule("rotation", "any of several signatures may be the right one", _rotation),
    _Rule("clocks", "timestamps may be off by up to five minutes", _clock),
    _Rule("late", "a retry may come after its successors", _late),
    _Rule("together", f"up to {TOGETHER} come at the same time", _together),
    _Rule("forged", "what we did not sign is refused", _forged),
    _Rule("changed", "the signature is over id, timestamp and body", _changed),
    _Rule("stale", "a timestamp that is more than five minutes old is refused", _stale),
    _Rule("ahead", "a timestamp that is more than five minutes ahead is refused", _ahead),
    _Rule("missing", "a request without our headers is refused with 4xx", _missing),
    _Rule("repeated", "the same webhook-id is answered 2xx, and nothing is done", _repeated, only_counts=True),
    _Rule("replayed", "a webhook may be sent again after its successors", _replayed, only_counts=True),
    _Rule("lost-answer", "a webhook whose answer was lost comes again", _lost_answer, only_counts=True),
    _Rule("same-time", "of the same webhook at the same time one is taken", _twice_at_once, only_counts=True),
    _Rule("true-after-forged", "a forged webhook does not take the place of ours", _true_after_forged),
)
UNCOUNTED = "how many were taken is not known; --count URL asks your receiver"
UNTRIED = "your receiver takes no valid webhook: the rest would say nothing"
CUT_OFF = "the network of this machine failed, not your receiver (OUR_NETWORK); try again"
UNSURE = "whether your receiver takes a valid webhook is not known: the rest would say nothing"


def try_receiver(traffic: Traffic, mids: Callable[[], str], names: Sequence[str] = ()) -> list[Finding]:
    """What each case came to, in their order. `names`: only of these cases; empty: of all.

    `mids`: gives, at each call, an id of a message that the receiver has not had yet. Raises ForbiddenAddress,
    TooManyRequests.
    """
    found: list[Finding] = []
    for rule in CASES:
        if names and rule.name not in names:
            continue
        # A receiver that does not even take a valid webhook shows nothing by refusing others.
        if found and found[0].name == "valid" and found[0].verdict is not Verdict.OK:
            why = UNTRIED if found[0].verdict is Verdict.FAULT else UNSURE
            found.append(Finding(rule.name, rule.rule, Verdict.NOT_JUDGED, (why,), 0.0))
        else:
            found.append(_tried(rule, traffic, mids()))
    return found


def _tried(rule: _Rule, traffic: Traffic, mid: str) -> Finding:
    """Runs one case. Unless a fault was seen, it is not judged if it was cut off.

    Nor is one that is mostly about the count, without it.
    """
    case = _Case(traffic, mid)
    rule.run(case)
    if traffic.counts:
        case.count()
    seen = tuple(case.faults)
    verdict = Verdict.FAULT if seen else Verdict.OK
    if not seen and case.was_cut_off:
        verdict, seen = Verdict.NOT_JUDGED, (CUT_OFF,)
    elif not seen and rule.only_counts and not traffic.counts:
        verdict, seen = Verdict.NOT_JUDGED, (UNCOUNTED,)
    return Finding(rule.name, rule.rule, verdict, seen, case.seconds, case.was_cut_off)
