"""Made-up callees: what becomes of a call is drawn from distributions.

What is drawn for a call depends on the seed, the number and the number of the attempt alone. So two rehearsals with
one seed meet the same callees, whatever their lines, hours and order are.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import exp, log
from statistics import NormalDist
from typing import NamedTuple, assert_never

from speechcall.calls.rules.call import Cause

_NORMAL = NormalDist()
_P95 = _NORMAL.inv_cdf(0.95)
_LARGEST = 2**32
HANDLING_SECONDS = 1.0
ANSWERED = "answered"
CAUSES: Mapping[str, Cause | None] = {
    ANSWERED: None,
    "noAnswer": Cause.NO_ANSWER,
    "busy": Cause.BUSY,
    "failed": Cause.FAILED,
    "invalidNumber": Cause.INVALID_NUMBER,
    "blocked": Cause.BLOCKED,
}
"""What may become of a call, as the callees' file names it, and why it is not answered."""


class Fixed(NamedTuple):
    """The same number of seconds each time."""

    seconds: float


class Between(NamedTuple):
    """Each moment between two is as likely as each other."""

    least: float
    most: float


class Spread(NamedTuple):
    """Half take at most `median`, 95 of a hundred at most `p95`: log-normal, as lengths of calls mostly are."""

    median: float
    p95: float


class Measured(NamedTuple):
    """One of these numbers of seconds, each as likely as the others."""

    values: tuple[float, ...]


Seconds = Fixed | Between | Spread | Measured


class CalledOnce(NamedTuple):
    """What becomes of one call."""

    cause: Cause | None
    """Why it is not answered; None: it is."""
    ring_seconds: float
    talk_seconds: float
    key: str
    """The first key that is pressed; empty: none is."""


class Callees(NamedTuple):
    """Those who are called. `outcomes` and `keys` say how many of all do what, in shares whose sum is at most 1."""

    outcomes: Mapping[str, float]
    """By the names of `CAUSES`; their sum is 1."""
    ring_seconds: Seconds
    """Until they answer. Nobody answers: it rings for as long as the message says. The others are in `QUICK`."""
    talk_seconds: Seconds
    keys: Mapping[str, float] = {}
    """Of those who answer. Who presses no key of these presses none."""
    handling_seconds: float = HANDLING_SECONDS
    """For how long a call holds its line besides: until the phone rings, and when it has ended."""

    def called(self, seed: int, number: str, attempt: int, ring_timeout_seconds: int) -> CalledOnce:
        """What becomes of the call of this attempt (1: the first) to a number."""
        drawn = blake2b(f"{seed} {number} {attempt}".encode(), digest_size=16).digest()
        what, rings, talks, presses = (int.from_bytes(drawn[at : at + 4]) / _LARGEST for at in (0, 4, 8, 12))
        # Shares are floats: where their sum stays just under 1, what is left ends as most calls do.
        cause = CAUSES[_chosen(self.outcomes, what, "") or max(self.outcomes, key=self.outcomes.__getitem__)]
        if cause is Cause.NO_ANSWER:
            return CalledOnce(cause, ring_timeout_seconds, 0, "")
        ring_seconds = min(quantile(self.ring_seconds, rings), ring_timeout_seconds)
        if cause is not None:
            return CalledOnce(cause, min(ring_seconds, QUICK), 0, "")
        return CalledOnce(None, ring_seconds, quantile(self.talk_seconds, talks), _chosen(self.keys, presses, ""))


QUICK = 2.0
"""Seconds after which a network says that a number is busy, or that there is none."""


def _chosen(shares: Mapping[str, float], luck: float, otherwise: str) -> str:
    for name, share in shares.items():
        if luck < share:
            return name
        luck -= share
    return otherwise


def quantile(seconds: Seconds, part: float) -> float:
    """The time that this part (0 to 1) of all stay below."""
    match seconds:
        case Fixed(always):
            return always
        case Between(least, most):
            return least + (most - least) * part
        case Spread(median, p95):
            sigma = log(p95 / median) / _P95
            # Not at 0 and 1 themselves, where the normal distribution has no value.
            return exp(log(median) + sigma * _NORMAL.inv_cdf(min(max(part, 1e-6), 1 - 1e-6)))
        case Measured(values):
            return values[min(int(part * len(values)), len(values) - 1)]
        case _:
            assert_never(seconds)
