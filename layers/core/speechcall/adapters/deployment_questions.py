"""What a deployment is asked before it may begin, each question with the service that it is put to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from speechcall.adapters import connect_facts
from speechcall.adapters.lambda_limits import unreserved_executions
from speechcall.adapters.patience import Question
from speechcall.domain import deployment
from speechcall.domain.concurrency import why_too_many


@dataclass(frozen=True)
class Clients:
    """Boto3's, of Lambda, Amazon Connect and Service Quotas."""

    functions: Any
    connect: Any
    quotas: Any


def questions(given: Mapping[str, str], stack_id: str, clients: Clients) -> Iterator[Question]:
    """Those that can be asked. In: the stack's parameters, as the custom resource is told them."""
    lines = deployment.whole_number(given.get("Lines", ""), *deployment.WHOLE_NUMBERS["Lines"])
    if lines is not None:
        yield lambda: why_too_many(lines, unreserved_executions(clients.functions))
    if arn := given.get("ConnectInstanceArn", ""):
        yield from _of_connect(given, arn, stack_id, clients)


def _of_connect(given: Mapping[str, str], arn: str, stack_id: str, clients: Clients) -> Iterator[Question]:
    if elsewhere := deployment.why_elsewhere(arn, stack_id):
        yield lambda: elsewhere
        return
    connect, caller, flow = clients.connect, given["CallerId"], given["FlowName"]
    yield lambda: deployment.why_no_instance(arn, connect_facts.instance(connect, arn))
    if given["ExternalCallerId"] != "true":
        yield lambda: deployment.why_not_claimed(caller, connect_facts.claimed_numbers(connect, caller), arn)
    yield lambda: _why_no_flow(flow, arn, clients)


def _why_no_flow(name: str, instance_arn: str, clients: Clients) -> str | None:
    quota = connect_facts.flows_quota(clients.quotas)
    if quota is None:
        return None
    return deployment.why_no_flow(name, connect_facts.flow_names(clients.connect, instance_arn), quota)
