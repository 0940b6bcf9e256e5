"""The combinations of parameters in which a stack may be deployed, and what CloudFormation makes of the template then.

It needs nothing but the standard library, so that SAM's own environment can import it too (`make check`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.kit.pairwise import pairwise

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0b1f6b4e-9d11-4d4f-9c7a-1c9a2e1f7a55"
INSTANCE = "arn:aws:connect:eu-central-1:123456789012:instance/12345678-1234-1234-1234-123456789012"
CHOICES: dict[str, tuple[str, ...]] = {
    "TelephonyProvider": ("connect", "chime", "simulated"),
    "Egress": ("open", "fixed", "own"),
    "PermissionsBoundaryArn": ("", "arn:aws:iam::123456789012:policy/limits/Boundary"),
    "RolePath": ("/", "/speechcall/"),
    "MachineTags": ("", "team=voice,stage=prod"),
    "DomainName": ("", "calls.example.com"),
    "RouteCallBacks": ("true", "false"),
    "SmsOriginationIdentity": ("", "arn:aws:sms-voice:eu-central-1:123456789012:pool/pool-1"),
    "ReserveConcurrency": ("true", "false"),
    "SignedCalls": ("true", "false"),
    "ReadyForCallees": ("0", "2"),
    "GradualDeployment": ("none", "Canary10Percent5Minutes"),
    "Architecture": ("x86_64", "arm64"),
    "AccessLog": ("Enabled", "Disabled"),
    "ExecutionLog": ("OFF", "ERROR"),
    "Tracing": ("Disabled", "Enabled"),
    "AlarmEmail": ("", "on-call@example.com"),
}
"""Every parameter on which a condition depends (a test holds it to the template), and two that every role has."""

PSEUDO = frozenset(
    f"AWS::{name}" for name in ("AccountId", "Region", "Partition", "StackName", "StackId", "NoValue", "URLSuffix")
)
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9:]+)(?:\.[A-Za-z0-9.]+)?\}")


def combinations_of_parameters() -> Iterator[dict[str, str]]:
    """All parameters that must be given, in each combination."""
    for chosen in pairwise(CHOICES):
        given = {"CallerId": "+4930123456", **chosen}
        if chosen["TelephonyProvider"] == "simulated":
            given |= {"CallerId": "", "SmsOriginationIdentity": ""}
        if chosen["TelephonyProvider"] == "connect":
            given["ConnectInstanceArn"] = INSTANCE
        if chosen["DomainName"]:
            given["CertificateArn"] = CERTIFICATE
        if chosen["Egress"] == "own":
            given["EgressSubnetIds"] = "subnet-0a1b2c3d,subnet-4e5f6071"
            given["EgressSecurityGroupIds"] = "sg-0a1b2c3d"
        yield given


class _Stack:
    """A template with its parameters: which conditions hold, and what each value refers to."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self.values = {
            name: parameters.get(name, one.get("Default", "")) for name, one in document["Parameters"].items()
        }
        self.conditions = document.get("Conditions", {})

    def is_made(self, declared: Mapping[str, Any]) -> bool:
        """Whether a resource or an output is there."""
        return "Condition" not in declared or self.holds(declared["Condition"])

    def holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        ((function, given),) = condition.items()
        match function:
            case "Condition":
                return self.holds(given)
            case "Fn::Equals":
                left, right = (str(self.values[side["Ref"]] if isinstance(side, dict) else side) for side in given)
                return left == right
            case "Fn::Not":
                return not self.holds(given[0])
            case "Fn::And":
                return all(map(self.holds, given))
            case "Fn::Or":
                return any(map(self.holds, given))
        raise ValueError(f"a condition of an unknown kind: {function}")

    def references(self, value: Any) -> Iterator[str]:
        """What a value refers to, of an Fn::If in the branch that is taken alone."""
        if isinstance(value, list):
            for one in value:
                yield from self.references(one)
        elif isinstance(value, dict) and len(value) == 1:
            ((function, given),) = value.items()
            yield from self._of_function(function, given)
        elif isinstance(value, dict):
            for one in value.values():
                yield from self.references(one)

    def _of_function(self, function: str, given: Any) -> Iterator[str]:
        match function:
            case "Fn::If":
                condition, then, otherwise = given
                yield from self.references(then if self.holds(condition) else otherwise)
            case "Ref":
                yield given.partition(".")[0]
            case "Fn::GetAtt":
                yield given.partition(".")[0] if isinstance(given, str) else given[0]
            case "Fn::Sub":
                text, own = (given, {}) if isinstance(given, str) else given
                yield from (name for name in _IN_TEXT.findall(text) if name not in own)
                yield from self.references(list(own.values()))
            case _:
                yield from self.references(given)


def dangling(document: Mapping[str, Any], parameters: Mapping[str, str]) -> list[str]:
    """What in a template refers to a resource that is not made with these parameters.

    `document`: with intrinsic functions in their long form. A DependsOn of what is not made CloudFormation passes over.
    """
    stack = _Stack(document, parameters)
    made = {name: one for name, one in document["Resources"].items() if stack.is_made(one)}
    places = {name: {key: one[key] for key in one if key != "DependsOn"} for name, one in sorted(made.items())}
    outputs = {name: one for name, one in document.get("Outputs", {}).items() if stack.is_made(one)}
    places |= {f"output {name}": one for name, one in outputs.items()}
    known = {*made, *stack.values, *PSEUDO}
    return [
        f"{place} refers to {one}"
        for place, what in places.items()
        for one in stack.references(what)
        if one not in known
    ]
