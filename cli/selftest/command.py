"""`speechcall selftest`: which test a deployment has, and the test."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, assert_never

import httpx
import typer

from cli import api
from cli.deployment import Deployment, Place
from cli.doctor.command import no_stack, show_results
from cli.doctor.findings import Check, Finding, examine
from cli.doctor.stack import NoStack, Stack
from cli.failures import Failure, Refusal
from cli.selftest.api_call import ScriptedCall
from cli.selftest.connect_call import BY_HAND, SimulatedCall
from speechcall.deployment.rules.checks import why_elsewhere
from speechcall.telephony.provider import ProviderName

INSTANCE, FLOW = "ConnectInstanceArn", "ContactFlowId"


def selftest(
    deployment: Deployment, place: Place, show: Callable[[str], object], *, to: str | None, as_json: bool
) -> int:
    """Makes the test; the exit status: 0, or 1 where a step fails or could not be seen. `show`: prints a line.

    `to`: the number for simulated telephony; None: not given. Raises BadParameter where it does not go with the stack's
    telephony, Refusal where that has no test, Failure if `make run` does not answer, Stopped if the API does not.
    """
    if place.local:
        subject = _on_this_machine(deployment, place)
    else:
        stack = Stack(deployment, place.stack or "")
        try:
            stack.described  # noqa: B018 - everything else hangs on it
        except NoStack:
            missing = Check("stack", "the stack is there", lambda: no_stack(stack))
            return show_results(examine([missing]), show, as_json=as_json)
        subject = _of_stack(stack)
    match subject.provider:
        case ProviderName.CONNECT:
            if to is not None:
                raise typer.BadParameter(
                    "--to goes with simulated telephony; this stack's Amazon Connect calls no number."
                )
            call = SimulatedCall(deployment, subject.instance_arn.rpartition("/")[2], subject.flow_id)
            try:
                return show_results(examine(_of_connect(subject, call)), show, as_json=as_json)
            finally:
                # Where the test was interrupted, it has not removed what it made. Else there is nothing left to remove.
                for _ in examine([Check("removed", "", call.remove)]):
                    pass
        case ProviderName.SIMULATED:
            number = _scripted_number(to)
            with closing(api.open_api(subject.api_url)) as asked:
                return show_results(examine(ScriptedCall(asked, number).checks()), show, as_json=as_json)
        case ProviderName.CHIME:
            raise Refusal(
                f"The Amazon Chime SDK has no simulated calls, so only a call that rings can test it: {BY_HAND}. What "
                "can be looked at without a call, speechcall doctor looks at."
            )
        case _:
            assert_never(subject.provider)


def _of_connect(subject: "_Subject", call: SimulatedCall) -> Iterator[Check]:
    """The steps of the test; for an instance in another account or Region, a check that finds that alone."""
    why = why_elsewhere(subject.instance_arn, subject.stack_id) if subject.stack_id else None
    if why is None:
        yield from call.checks()
        return
    finding = Finding(why, "speechcall doctor: its check instance.")
    yield Check("instance", "the instance is of the stack's account and Region", lambda: [finding])


def _scripted_number(to: str | None) -> str:
    """The number of a callee who answers and presses 1. Raises typer.BadParameter."""
    if not to or not to.endswith("01"):
        raise typer.BadParameter(
            "this stack simulates its calls: the test sends one message over the API. Give a number that the account "
            "may call and that ends on 01 (who answers there presses 1): --to +493012345601."
        )
    return to


@dataclass(frozen=True)
class _Subject:
    """What the test needs to know of a deployment. Without Amazon Connect there is no instance and no flow."""

    provider: ProviderName
    api_url: str
    instance_arn: str = ""
    flow_id: str = ""
    stack_id: str = ""
    """Of a stack in AWS; empty: of `make run`."""


def _of_stack(stack: Stack) -> _Subject:
    """What the test needs to know of a deployed stack."""
    return _Subject(
        ProviderName(stack.provider),
        stack.outputs["ApiUrl"],
        stack.parameters.get(INSTANCE, ""),
        stack.outputs.get(FLOW, ""),
        stack.described["StackId"],
    )


def _on_this_machine(deployment: Deployment, place: Place) -> _Subject:
    """What the test needs to know of `make run`. Raises Failure if its GET /health does not tell a known provider."""
    url = f"http://127.0.0.1:{place.port}"
    try:
        told: dict[str, Any] = httpx.get(f"{url}/health", timeout=10, trust_env=False).json()
        name = ProviderName(told["provider"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise Failure("the service of `make run` does not answer GET /health") from error
    if name is not ProviderName.CONNECT:
        return _Subject(name, url)
    return _Subject(name, url, deployment.name_of(INSTANCE), deployment.name_of(FLOW))
