"""A deployed stack as CloudFormation knows it: its parameters, outputs and resources, each asked for once."""

from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from cli.deployment import Deployment


class NoStack(Exception):
    """There is no stack of this name here."""


class Stack:
    """A stack as the checks see it. `deployment`: the same one, as the commands see it."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.deployment, self.name, self.client = deployment, name, deployment.client

    @cached_property
    def described(self) -> dict[str, Any]:
        """DescribeStacks. Raises NoStack."""
        try:
            found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ValidationError":
                raise NoStack from error
            raise
        return found

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters, as they are in effect."""
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in self.described.get("Parameters", [])}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack tells of itself."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.described.get("Outputs", [])}

    @cached_property
    def resources(self) -> dict[str, tuple[str, str]]:
        """Type and physical id of each resource, by its logical id."""
        return self._resources_of(self.name)

    def inside(self, logical: str) -> dict[str, tuple[str, str]]:
        """`resources` of the nested stack with this logical id; empty: a stack of another release has no such one."""
        _kind, physical = self.resources.get(logical, ("", ""))
        return self._resources_of(physical) if physical else {}

    def _resources_of(self, name: str) -> dict[str, tuple[str, str]]:
        """Type and physical id of each resource of a stack, by its logical id. `name`: a nested one's is its ARN."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        return {
            one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", ""))
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def name_of(self, logical: str) -> str:
        """The physical name of a resource. Raises as the deployment's `name_of` for one that is not listed."""
        _kind, physical = self.resources.get(logical, ("", ""))
        return physical or self.deployment.name_of(logical)

    def of_type(self, kind: str) -> dict[str, str]:
        """Physical ids of the resources of a type, by their logical ids."""
        return {name: physical for name, (its_kind, physical) in self.resources.items() if its_kind == kind}

    def number(self, parameter: str) -> int:
        """A parameter that counts something."""
        return int(self.parameters[parameter])

    @property
    def provider(self) -> str:
        """Who places the calls."""
        return self.parameters["TelephonyProvider"]
