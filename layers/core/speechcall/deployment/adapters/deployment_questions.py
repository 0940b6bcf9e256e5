"""What a deployment is asked before it may begin, each question with the service that it is put to."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from speechcall.deployment.adapters import connect_facts
from speechcall.deployment.adapters.patience import Question
from speechcall.deployment.adapters.provider_change import changes_provider, why_not_changed
from speechcall.deployment.rules import checks as deployment
from speechcall.deployment.rules.concurrency import FUNCTIONS_OF_A_CALL, Load, reserved_for_each, why_too_many

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class Clients:
    """Boto3's, of Lambda, Amazon Connect, Service Quotas, CloudFormation and DynamoDB."""

    functions: Any
    connect: Any
    quotas: Any
    cloudformation: Any
    dynamodb: Any


def load_of(given: Mapping[str, str]) -> Load | None:
    """What the parameters let run at once; None if one of them is no number."""
    numbers = [
        deployment.whole_number(given.get(name) or "", *deployment.WHOLE_NUMBERS[name])
        for name in ("Lines", "WebhookConcurrency", "PromptConcurrency", "ApiRequestsPerSecond")
    ]
    return None if None in numbers else Load(*(number for number in numbers if number is not None))


def _why_too_many(
    load: Load, given: Mapping[str, str], before: Mapping[str, str], functions: "LambdaClient"
) -> str | None:
    """Why Lambda has no room for the load; None: it has.

    `given`, `before`: the stack's parameters now, and before an update. What the stack itself has reserved before the
    update is free for it.
    """
    had = load_of(before) if before.get("ReserveConcurrency") == "true" else None
    own = FUNCTIONS_OF_A_CALL * reserved_for_each(had.lines) if had else 0
    unreserved = functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    free = int(unreserved) + own
    return why_too_many(load, free, reserve=given.get("ReserveConcurrency") == "true")


def questions(
    given: Mapping[str, str], before: Mapping[str, str], stack_id: str, clients: Clients
) -> Iterator[Question]:
    """The questions that concern a stack with these parameters, as the custom resource is told them (`given`).

    `before`: the parameters before an update; empty where the stack is new.
    """
    if load := load_of(given):
        yield lambda: _why_too_many(load, given, before, clients.functions)
    if changes_provider(given, before):
        yield lambda: why_not_changed(given, before, stack_id, clients.cloudformation, clients.dynamodb)
    if arn := given.get("ConnectInstanceArn", ""):
        yield from _of_connect(given, arn, stack_id, clients)


def _of_connect(given: Mapping[str, str], arn: str, stack_id: str, clients: Clients) -> Iterator[Question]:
    """The questions about an Amazon Connect instance. Of one in another account or Region nothing else can be asked.

    `given`: the stack's parameters; `arn`: the instance's.
    """
    if elsewhere := deployment.why_elsewhere(arn, stack_id):
        yield lambda: elsewhere
        return
    connect, caller = clients.connect, given["CallerId"]
    flows = {given["FlowName"], given.get("CallBackFlowName", given["FlowName"])}
    yield lambda: _why_not_fit(arn, given, connect)
    if given["ExternalCallerId"] != "true":
        yield lambda: deployment.why_not_claimed(caller, connect_facts.claimed_numbers(connect, caller), arn)
    yield lambda: _why_no_flow(flows, arn, clients)


def _why_not_fit(arn: str, given: Mapping[str, str], connect: Any) -> str | None:
    instance = connect_facts.instance(connect, arn)
    wrong = deployment.why_no_instance(arn, instance)
    if wrong or given.get("RouteCallBacks") != "true" or given["ExternalCallerId"] == "true":
        return wrong
    return deployment.why_no_call_backs(instance)


def _why_no_flow(names: Collection[str], instance_arn: str, clients: Clients) -> str | None:
    quota = connect_facts.flows_quota(clients.quotas)
    if quota is None:
        return None
    return deployment.why_no_flow(names, connect_facts.flow_names(clients.connect, instance_arn), quota)
