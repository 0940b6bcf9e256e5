"""The stack as a whole: is it complete, is it this release, do the clocks agree, does it have room in the account?"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from botocore.exceptions import ClientError

from cli.doctor.findings import Check, Finding, Verdict
from cli.doctor.stack import Stack
from speechcall import VERSION
from speechcall.deployment.adapters.deployment_questions import load_of
from speechcall.deployment.rules.concurrency import FUNCTIONS_OF_A_CALL, reserved_for_each, why_too_many
from speechcall.telephony.provider import ProviderName, provider

COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
SKEW_SECONDS = 30
"""Signatures and windows bear more; what is logged is compared by the second."""
MOST_FUNCTIONS = 500
"""Of the account that are asked, one request each, for what is set aside for them."""
DEPLOY = "Deploy again: bin/sam-build && .venv-sam/bin/sam deploy."
PUT_BACK = 'docs/runbook.md, "What was changed by hand": puts back what was deployed. To deploy again does not.'
"""CloudFormation compares a template with the one before it, and not with what there is."""


def stack_checks(stack: Stack) -> Iterator[Check]:
    """The checks of the stack, its API and the account."""
    yield Check("stack", "the stack is complete", lambda: _status(stack))
    yield Check("version", "the stack is of this command's release", lambda: _version(stack))
    yield Check("clock", "this machine's clock and AWS's agree", lambda: _clock(stack))
    yield Check("concurrency", "Lambda has room for all that may run at once", lambda: _concurrency(stack))
    yield Check("reserve", "executions are set aside for live calls", lambda: _reserve(stack))
    yield Check("functions", "every function is ready", lambda: _functions(stack))


def _status(stack: Stack) -> Iterator[Finding]:
    """Whether the last deployment has come to its end, and was not taken back."""
    status = stack.described["StackStatus"]
    if status == "UPDATE_ROLLBACK_COMPLETE":
        yield Finding(
            "The last update failed and was taken back: the release before it runs.",
            f"aws cloudformation describe-stack-events --stack-name {stack.name} says why it failed. {DEPLOY}",
            Verdict.WARNING,
        )
    elif status not in COMPLETE:
        yield Finding(
            f"The stack is {status}.", f"aws cloudformation describe-stack-events --stack-name {stack.name} says why."
        )


def _health(stack: Stack) -> httpx.Response:
    """The answer to GET /health, whatever its status. Raises OSError where there is none."""
    try:
        return httpx.get(f"{stack.outputs['ApiUrl']}/health", timeout=10)
    except httpx.HTTPError as error:
        raise OSError(type(error).__name__) from error


def _version(stack: Stack) -> Iterator[Finding]:
    """Whether the API answers, and is of this command's release and the stack's provider."""
    answer = _health(stack)
    if answer.status_code != 200:
        yield Finding(f"The API answers GET /health with {answer.status_code}.", "docs/troubleshooting.md, the API.")
        return
    try:
        told = answer.json()
        version, placed_by = told["version"], told["provider"]
    except (ValueError, KeyError, TypeError):  # no JSON, or not ours
        yield _of_another(stack, "no release")
        return
    if version != VERSION:
        yield Finding(f"The stack runs {version}, and this command is {VERSION}.", DEPLOY, Verdict.WARNING)
    if placed_by != stack.provider:
        yield Finding(f"The API says that {placed_by} places the calls, the stack {stack.provider}.", DEPLOY)


def _clock(stack: Stack) -> Iterator[Finding]:
    """Whether this machine's clock is that of the API's answer, to SKEW_SECONDS."""
    try:
        there = parsedate_to_datetime(_health(stack).headers["Date"])
        apart = abs((datetime.now(UTC) - there).total_seconds())
    except (ValueError, KeyError, TypeError):  # no date, or one without an offset
        yield _of_another(stack, "no time")
        return
    if apart > SKEW_SECONDS:
        yield Finding(
            f"This machine's clock is {apart:.0f} s away from AWS's; signatures are refused beyond five minutes.",
            "Set the clock by NTP: sudo timedatectl set-ntp true.",
            Verdict.WARNING,
        )


def _of_another(stack: Stack, lacks: str) -> Finding:
    """That the answer to GET /health is none of the API's. `lacks`: what it does not say, as the sentence has it."""
    return Finding(
        f"What answers GET /health says {lacks}: it may be another server than the API.",
        f"Look at {stack.outputs['ApiUrl']}/health: a proxy, a firewall or a page that asks to log in may answer.",
        Verdict.UNKNOWN,
    )


def _concurrency(stack: Stack) -> Iterator[Finding]:
    """Whether the account has room in Lambda for all that the stack's parameters allow at once."""
    load = load_of(stack.parameters)
    if load is None:
        yield Finding("The stack's parameters are not whole numbers.", DEPLOY)
        return
    reserves = stack.parameters["ReserveConcurrency"] == "true"
    # What the stack has reserved itself is not unreserved, but free for it.
    own = FUNCTIONS_OF_A_CALL * reserved_for_each(load.lines) if reserves else 0
    limit = stack.client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    if told := why_too_many(load, int(limit) + own, reserve=reserves):
        others = _set_aside_by_others(stack)
        yield Finding(
            told + (f" Set aside for others: {', '.join(others)}." if others else ""),
            ("Have those who have set executions aside give them back, if they need fewer. Else: " if others else "")
            + 'Service Quotas, AWS Lambda, "Concurrent executions" (L-B99A9384): ask for more; or deploy with lower '
            'ApiRequestsPerSecond, WebhookConcurrency and PromptConcurrency (docs/deploy.md, "Concurrency").',
        )


def _set_aside_by_others(stack: Stack) -> list[str]:
    """The functions of others that have executions set aside, the most first: how many, and the name.

    At most ten, of the first 500 functions. Where AWS refuses to tell, what was found until then: the finding that
    names them stands without them too.
    """
    client = stack.client("lambda")
    found: list[tuple[int, str]] = []
    with suppress(ClientError):
        pages = client.get_paginator("list_functions").paginate(PaginationConfig={"MaxItems": MOST_FUNCTIONS})
        for name in (one["FunctionName"] for page in pages for one in page["Functions"]):
            if not name.startswith(f"{stack.name}-"):
                told = client.get_function_concurrency(FunctionName=name)
                found += [(aside, name)] if (aside := told.get("ReservedConcurrentExecutions")) else []
    return [f"{aside} for {name}" for aside, name in sorted(found, reverse=True)[:10]]


def _with_a_reserve(stack: Stack) -> list[str]:
    """The functions that ReserveConcurrency sets executions aside for."""
    listener = provider(ProviderName(stack.provider)).listener
    return [listener, "ControlCallFunction", "AskReceiverFunction", "FinishCallFunction"]


def _reserve(stack: Stack) -> Iterator[Finding]:
    """Whether each function of a call has the executions set aside that the stack's lines need."""
    if stack.parameters["ReserveConcurrency"] != "true":
        yield Finding(
            "Webhooks, introductions and strangers can take the executions that live calls need.",
            "Deploy with ReserveConcurrency=true when the account has enough executions.",
            Verdict.WARNING,
        )
        return
    wanted = reserved_for_each(stack.number("Lines"))
    for name in _with_a_reserve(stack):
        found = stack.client("lambda").get_function_concurrency(FunctionName=stack.name_of(name))
        if found.get("ReservedConcurrentExecutions") != wanted:
            given = found.get("ReservedConcurrentExecutions", "none")
            yield Finding(f"{name} has {given} executions of its own; with these Lines it needs {wanted}.", PUT_BACK)


def _functions(stack: Stack) -> Iterator[Finding]:
    """Functions for which 0 executions are set aside, which stops them, or that are not ready."""
    have_a_reserve = _with_a_reserve(stack) if stack.parameters["ReserveConcurrency"] == "true" else []
    for logical, name in stack.of_type("AWS::Lambda::Function").items():
        reserved = stack.client("lambda").get_function_concurrency(FunctionName=name)
        if reserved.get("ReservedConcurrentExecutions") == 0:
            yield Finding(
                f"{logical} may not run: somebody has set 0 executions aside for it.",
                f"aws lambda put-function-concurrency --function-name {name} --reserved-concurrent-executions "
                f"{reserved_for_each(stack.number('Lines'))}"
                if logical in have_a_reserve
                else f"aws lambda delete-function-concurrency --function-name {name}",
            )
        found = stack.client("lambda").get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state == "Inactive":
            continue  # it was idle for weeks; the next invocation wakes it
        if (state, update) != ("Active", "Successful"):
            yield Finding(f"{logical} is {state}, its last update {update}.", DEPLOY)
