"""`speechcall doctor`: looks at everything that may be wrong with a deployment, and says what repairs it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from cli.as_json import show_json
from cli.deployment import Deployment, Place
from cli.doctor.findings import Check, Finding, Result, Verdict, examine
from cli.doctor.operating_checks import operating_checks
from cli.doctor.runtime_checks import runtime_checks
from cli.doctor.sms_checks import sms_checks
from cli.doctor.stack import NoStack, Stack
from cli.doctor.stack_checks import stack_checks
from cli.doctor.storage_checks import storage_checks
from cli.doctor.telephony_checks import telephony_checks
from cli.terminal import plain

_SHOWN = {Verdict.OK: "ok", Verdict.WARNING: "warning", Verdict.PROBLEM: "PROBLEM", Verdict.UNKNOWN: "unknown"}


def doctor(deployment: Deployment, place: Place, show: Callable[[str], object], *, as_json: bool) -> int:
    """Runs all checks; the exit status: 0, or 1 where something is wrong or could not be looked at."""
    return show_results(examine(checks_of(deployment, place)), show, as_json=as_json)


def show_results(looked_at: Iterable[Result], show: Callable[[str], object], *, as_json: bool) -> int:
    """Tells each result as it comes, or all of them as JSON at the end. `show`: prints a line.

    Returns the exit status: 1 where there is a problem or a check could not look, else 0.
    """
    results = []
    for result in looked_at:
        results.append(result)
        if not as_json:
            for line in _lines(result):
                show(plain(line))
    if as_json:
        show_json([_described(one) for one in results])
    else:
        show(plain(_summary(results)))
    return int(any(one.verdict in (Verdict.PROBLEM, Verdict.UNKNOWN) for one in results))


def checks_of(deployment: Deployment, place: Place) -> Iterator[Check]:
    """What can be asked of a deployment; of `make run`, only what its tables say.

    Where the stack is not there, or cannot be described, the only check is one that finds just this.
    """
    where = "--local" if place.local else f"--stack {place.stack}"
    if not place.local:
        stack = Stack(deployment, place.stack or "")
        try:
            stack.described  # noqa: B018 - everything else hangs on it
        except NoStack:
            yield Check("stack", "the stack is there", lambda: no_stack(stack))
            return
        except Exception as error:  # noqa: BLE001 - the check says what is wrong, as it does of every check
            refusal = error
            yield Check("stack", "the stack can be looked at", lambda: _refused(refusal))
            return
        yield from stack_checks(stack)
        yield from telephony_checks(stack)
        yield from sms_checks(stack)
        yield from storage_checks(stack)
        yield from runtime_checks(stack)
    yield from operating_checks(deployment, where)


def no_stack(stack: Stack) -> Iterator[Finding]:
    """What is said where there is no such stack."""
    yield Finding(
        f"There is no stack {stack.name} in {stack.deployment.region or 'your usual Region'} of this account.",
        "Name its Region with --region and your account's profile with --profile; "
        "aws cloudformation describe-stacks lists what is there.",
    )


def _refused(error: Exception) -> NoReturn:
    raise error


def _lines(result: Result) -> Iterator[str]:
    if not result.findings:
        yield f"{_SHOWN[Verdict.OK]:<8} {result.check.name:<18} {result.check.holds}"
    for found in result.findings:
        yield f"{_SHOWN[found.verdict]:<8} {result.check.name:<18} {found.text}"
        yield f"{'':<27} → {found.repair}"


def _described(result: Result) -> dict[str, Any]:
    return {
        "check": result.check.name,
        "holds": result.check.holds,
        "verdict": result.verdict.value,
        "findings": [{"verdict": one.verdict.value, "text": one.text, "repair": one.repair} for one in result.findings],
    }


def _summary(results: list[Result]) -> str:
    count = {verdict: sum(one.verdict is verdict for one in results) for verdict in Verdict}
    told = [f"{count[verdict]} {word}" for verdict, word in _WORDS.items() if count[verdict]]
    return f"\n{len(results)} checks: {', '.join(told)}."


_WORDS = {
    Verdict.OK: "fine",
    Verdict.WARNING: "with a warning",
    Verdict.PROBLEM: "with a problem",
    Verdict.UNKNOWN: "that could not be looked at",
}
