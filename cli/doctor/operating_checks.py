"""What the tables say: do lines, accounts and messages stand as they should? Also asked of `make run`."""

import time
from collections.abc import Iterator

from cli.deployment import Deployment
from cli.doctor.findings import Check, Finding, Verdict
from speechcall.accounts.rules.account import ANYWHERE
from speechcall.messages.rules.message import State
from speechcall.shared.rules.time_bounds import CALL_CHECK_SECONDS

LATE_SECONDS = {State.PREPARING: 900, State.CALLING: CALL_CHECK_SECONDS + 900, State.SETTLING: 900}
"""How long after it is due the sweeper has looked at a message in this state, several times over."""
MOST_LISTED = 5


def operating_checks(deployment: Deployment, where: str) -> Iterator[Check]:
    """The checks of pool, accounts and messages. `where`: the options that name the deployment, for commands."""
    yield Check("dialler", "the dialler has run", lambda: _dialler(deployment))
    yield Check("lines", "as many calls are begun as the stack allows", lambda: _lines(deployment, where))
    yield Check("throttle", "the telephony does not ask for fewer calls", lambda: _throttle(deployment))
    yield Check("accounts", "an account may send", lambda: _accounts(deployment, where))
    yield Check("destinations", "no account may call anywhere in the world", lambda: _destinations(deployment, where))
    yield Check("stuck", "no message waits for a repair", lambda: _stuck(deployment, where))


def _dialler(deployment: Deployment) -> Iterator[Finding]:
    if deployment.lines.read().stack is None:
        yield Finding("No dialler has run since the tables are there.", "The log of DialerFunction says why.")


def _lines(deployment: Deployment, where: str) -> Iterator[Finding]:
    """Whether an operator has chosen no lines, or other lines or another rate than the stack's parameters."""
    state = deployment.lines.read()
    repair = f"speechcall pool set --as-deployed {where}"
    if state.lines == 0:
        yield Finding("An operator has chosen 0 lines: no call is begun.", repair)
    elif state.stack and (state.lines, state.calls_per_second) != (None, None):
        now = state.in_effect(state.stack)
        if (now.lines, now.calls_per_second) != (state.stack.lines, state.stack.calls_per_second):
            text = f"An operator has chosen {now.lines} lines and {now.calls_per_second} calls a second"
            stack = f"the stack says {state.stack.lines} and {state.stack.calls_per_second}"
            yield Finding(f"{text}; {stack}.", repair, Verdict.WARNING)


LONGEST_SLOT_MSEC, CLOCKS_APART_MSEC = 1000, 500
"""Between two calls at the lowest rate, one a second; only a refusal puts off the next call further, by two seconds.
And by how much this machine's clock may be behind that of the functions."""


def _throttle(deployment: Deployment) -> Iterator[Finding]:
    """Whether the telephony has refused a call just now; a refusal of a second ago is not seen any more.

    By `next_msec` alone, before which no call begins, a refusal can be seen in the pool.
    """
    wait = deployment.lines.read().next_msec - time.time() * 1000
    if wait > LONGEST_SLOT_MSEC + CLOCKS_APART_MSEC:
        yield Finding(
            f"No call is begun for the next {wait / 1000:.1f} s: the telephony has refused one.",
            "Ask for a higher quota of calls a second, or deploy with a lower CallsPerSecond.",
            Verdict.WARNING,
        )


def _accounts(deployment: Deployment, where: str) -> Iterator[Finding]:
    """Whether there is no account, or every one of them is disabled."""
    accounts = deployment.accounts.all()
    if not any(not one.disabled for one in accounts):
        yield Finding(
            "There is no account that may send." if accounts else "There is no account.",
            f"speechcall account create NAME --prefix +… {where}",
        )


def _destinations(deployment: Deployment, where: str) -> Iterator[Finding]:
    """Accounts that are not disabled and may call any number."""
    wide = [one.account_id for one in deployment.accounts.all() if ANYWHERE in one.prefixes and not one.disabled]
    if wide:
        yield Finding(
            f"{_some(wide)} may call any number in the world: a stolen key is expensive.",
            f"speechcall account set NAME --prefix +… {where}",
            Verdict.WARNING,
        )


def _stuck(deployment: Deployment, where: str) -> Iterator[Finding]:
    """Messages that have been due for longer than the sweeper needs to look at them."""
    now = round(time.time() * 1000)
    for state, late in LATE_SECONDS.items():
        # One more than is listed, by which `_some` knows that there are more.
        found = deployment.messages.due(state, now - late * 1000, MOST_LISTED + 1)
        if found:
            yield Finding(
                f"Messages are {state.value} and should have been looked at long ago: {_some(found)}.",
                f"The log of SweepFunction says why; speechcall webhook list {where} what became of their webhooks.",
            )


def _some(names: list[str]) -> str:
    more = " and more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
