"""Which stack is meant, as CloudFormation knows it: also one that is deleted already, for 90 days.

Source: CloudFormation API reference, DescribeStacks ("deleted stacks: You must specify the unique stack ID"),
ListStacks ("Summary information for stacks that have been deleted is kept for 90 days after the stack is deleted").
"""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from cli.deployment import Deployment
from cli.failures import Refusal
from speechcall.shared.adapters.stepfunctions import error_code

GONE = "DELETE_COMPLETE"
LASTING = ("AWS::Logs::LogGroup", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
"""The kinds of resources that may outlive a stack of ours, in the order in which they are removed."""

OURS = {"MessagesTable", "RegistryTable"}
"""By these it is known that a stack is one of SpeechCall."""


class Identity(NamedTuple):
    """A stack, and what it made that may outlive it."""

    name: str
    stack_id: str
    status: str
    is_protected: bool
    lasting: tuple[tuple[str, str, str], ...]
    """Type, logical id and physical id of each such resource, in the order of `LASTING`."""
    others: tuple[str, ...]
    """Ids of other stacks of this name that are deleted, the latest first."""

    @property
    def flow_prefix(self) -> str:
        """How the names of its state machines begin; template.yaml has the same in `FlowPrefix`."""
        return f"{self.stack_id.rsplit('/', 1)[-1].partition('-')[0]}-"

    def physical(self, logical: str) -> str:
        """The physical id of a resource that may last. Raises Refusal if the stack has none."""
        for _kind, name, physical in self.lasting:
            if name == logical:
                return physical
        raise Refusal(f"The stack {self.name} has no {logical}: is it one of SpeechCall?")


def identify(deployment: Deployment, name_or_id: str) -> Identity:
    """The stack of a name or id; if no stack has the name now, the one of this name that was deleted last.

    Raises Refusal where there is none, or it is not SpeechCall's.
    """
    cloudformation = deployment.client("cloudformation")
    name = name_or_id.rsplit(":stack/", 1)[-1].partition("/")[0]
    found = _described(cloudformation, name_or_id)
    deleted = [one for one in _deleted(cloudformation) if one["StackName"] == name]
    if found is None and not deleted:
        raise Refusal(
            f"There is no stack {name} in {deployment.region or 'your usual Region'} of this account, and "
            "CloudFormation remembers none of this name that was deleted in the last 90 days"
        )
    # A deleted stack is described by its id alone, and listed for 90 days.
    stack: dict[str, Any] = found or _described(cloudformation, deleted[0]["StackId"]) or deleted[0]
    stack_id = stack["StackId"]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    lasting = [
        (one["ResourceType"], one["LogicalResourceId"], one["PhysicalResourceId"])
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] in LASTING and one.get("PhysicalResourceId")
    ]
    if not {logical for _kind, logical, _physical in lasting} >= OURS:
        raise Refusal(
            f"{name} is no stack of SpeechCall, or one whose first deployment failed (`sam delete --stack-name {name}`)"
        )
    return Identity(
        name,
        stack_id,
        stack["StackStatus"],
        stack.get("EnableTerminationProtection", False),
        tuple(sorted(lasting, key=lambda one: (LASTING.index(one[0]), one[1]))),
        tuple(one["StackId"] for one in deleted if one["StackId"] != stack_id),
    )


def _described(cloudformation: Any, name_or_id: str) -> dict[str, Any] | None:
    """A stack as CloudFormation describes it; None: there is none."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name_or_id)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return None
        raise
    return found


def _deleted(cloudformation: Any) -> list[dict[str, Any]]:
    """Deleted stacks, the latest first. They are sorted here: the documentation promises no order of ListStacks."""
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=[GONE])
    found = [one for page in pages for one in page["StackSummaries"]]
    return sorted(found, key=lambda one: str(one.get("DeletionTime") or one["CreationTime"]), reverse=True)
