"""What Amazon Connect and Service Quotas tell of an instance before a deployment.

Sources: Amazon Connect API reference, DescribeInstance, ListPhoneNumbersV2, ListContactFlows; Service Quotas API
reference, ListServiceQuotas.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from speechcall.deployment.rules.checks import Instance

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

FLOWS_QUOTA = frozenset({"contact flows per instance", "flows per instance"})
"""The quota's name, in small letters; the service is being renamed, and its quotas with it."""


def instance(connect: "ConnectClient", instance_arn: str) -> Instance | None:
    """The instance; None if there is none. Raises ClientError. In: boto3's client of Amazon Connect."""
    try:
        found = connect.describe_instance(InstanceId=instance_arn.rpartition("/")[2])["Instance"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    calls_out, calls_in = (bool(found.get(f"{way}CallsEnabled", True)) for way in ("Outbound", "Inbound"))
    return Instance(found.get("InstanceStatus", "ACTIVE"), calls_out, calls_in)


def claimed_numbers(connect: "ConnectClient", caller_id: str) -> dict[str, str]:
    """The claimed numbers of this account and Region that begin with `caller_id`, each with the ARN it belongs to."""
    given = {"PhoneNumberPrefix": caller_id, "MaxResults": 1000}
    found = pages(connect.list_phone_numbers_v2, given, "ListPhoneNumbersSummaryList")
    return {one["PhoneNumber"]: one.get("TargetArn", "") for one in found}


def flow_names(connect: "ConnectClient", instance_arn: str) -> list[str]:
    """The names of all flows of the instance."""
    given = {"InstanceId": instance_arn.rpartition("/")[2], "MaxResults": 1000}
    return [one["Name"] for one in pages(connect.list_contact_flows, given, "ContactFlowSummaryList")]


def flows_quota(quotas: Any) -> int | None:
    """How many flows an instance may have; None if Service Quotas does not say. In: boto3's client of it."""
    for one in pages(quotas.list_service_quotas, {"ServiceCode": "connect", "MaxResults": 100}, "Quotas"):
        if one["QuotaName"].lower() in FLOWS_QUOTA:
            return int(one["Value"])
    return None


def pages(operation: Any, given: dict[str, Any], member: str) -> Iterator[Any]:
    """What all pages of a listing have under `member`, in turn. In: a client's method, and what it is asked."""
    page = operation(**given)
    yield from page[member]
    while token := page.get("NextToken"):
        page = operation(**given, NextToken=token)
        yield from page[member]
