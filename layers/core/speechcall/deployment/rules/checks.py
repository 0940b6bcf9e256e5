"""What can be known to be wrong with a deployment before anything is made. Each rule says what, and what to do.

None from a rule: nothing of that kind is wrong.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

WHOLE_NUMBERS: Mapping[str, tuple[int, int]] = {
    "Lines": (1, 300),
    "UrgentLines": (0, 299),
    "CallsPerSecond": (1, 100),
    "CallsPerNumber": (0, 50),
    "GraceSeconds": (1, 100),
    "RingAllowanceSeconds": (5, 60),
    "MaxMenuVisits": (1, 500),
    "MaxCallSeconds": (30, 1200),
    "SilentRepeats": (0, 49),
    "ReadyForCallees": (0, 5),
    "WebhooksInFlight": (1, 40),
    "WebhookConcurrency": (2, 100),
    "PromptConcurrency": (2, 100),
    "ApiRequestsPerSecond": (1, 500),
    "LogRetentionDays": (1, 3653),
}
"""The stack's parameters that count something, with the least and the most; CloudFormation's Number takes fractions."""


@dataclass(frozen=True)
class Instance:
    """What Amazon Connect says of an instance."""

    status: str
    calls_out: bool
    calls_in: bool = True


def why_not_whole(parameters: Mapping[str, str]) -> Iterator[str]:
    """Each parameter of WHOLE_NUMBERS that is no whole number within its bounds.

    And UrgentLines, if it leaves no line for messages that are not urgent.
    """
    for name, (least, most) in WHOLE_NUMBERS.items():
        value = parameters.get(name)
        if isinstance(value, str) and whole_number(value, least, most) is None:
            yield f"{name}={value} is not a whole number from {least} to {most}."
    lines, urgent = (whole_number(str(parameters.get(name)), 0, 300) for name in ("Lines", "UrgentLines"))
    if lines is not None and urgent is not None and urgent >= lines:
        yield f"UrgentLines={urgent} leaves none of Lines={lines} for other messages; it has to be smaller."


def whole_number(value: str, least: int, most: int) -> int | None:
    """The number in decimal digits, without sign, fraction or exponent; None if it is no number, or out of bounds."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", value, re.ASCII) or not least <= int(value) <= most:
        return None
    return int(value)


def why_not_another_provider(before: str, now: str, *, is_unfinished: bool) -> str | None:
    """What is wrong if another telephony is to place the calls (`before`, `now`: their names).

    `is_unfinished`: there is an unfinished message.
    """
    if before == now or not is_unfinished:
        return None
    return (
        f"TelephonyProvider={now}: messages are unfinished that were accepted for {before}. Wait until all have ended, "
        f"or cancel them (speechcall account cancel-queue), or deploy with TelephonyProvider={before}."
    )


def why_elsewhere(instance_arn: str, stack_id: str) -> str | None:
    """What is wrong if the instance is of another account or Region than the stack; both are read in their ARNs."""
    here, there = stack_id.split(":")[3:5], instance_arn.split(":")[3:5]
    if here == there:
        return None
    return (
        f"The Amazon Connect instance is in {' of account '.join(there)}, and this stack in "
        f"{' of account '.join(here)}. Deploy to the instance's Region and account, or give another ConnectInstanceArn."
    )


def why_no_instance(instance_arn: str, instance: Instance | None) -> str | None:
    """What is wrong with the instance. `instance`: None, if it is not there."""
    if instance is None:
        return (
            f"There is no Amazon Connect instance {instance_arn}. Its ARN is in the Amazon Connect console, "
            '"Account overview" of the instance.'
        )
    if instance.status != "ACTIVE":
        return f"The Amazon Connect instance is {instance.status}, not ACTIVE. Wait until it is, or give another."
    if not instance.calls_out:
        return (
            "The Amazon Connect instance may not make outbound calls. Allow them in the Amazon Connect console, "
            '"Telephony" of the instance.'
        )
    return None


def why_no_call_backs(instance: Instance | None) -> str | None:
    """What is wrong if calls to the caller ID are to be answered, and the instance takes none.

    `instance`: None, if it is not there, which `why_no_instance` tells.
    """
    if instance is None or instance.calls_in:
        return None
    return (
        "The Amazon Connect instance takes no inbound calls, so nobody can call the caller ID back. Allow them in the "
        'Amazon Connect console, "Telephony" of the instance, or deploy with RouteCallBacks=false.'
    )


def why_not_claimed(caller_id: str, claimed: Mapping[str, str], instance_arn: str) -> str | None:
    """What is wrong with the caller ID. In: the numbers that are claimed here, with the ARN that each belongs to.

    A number of a traffic distribution group may belong to the instance by way of it, so it is let through.
    """
    owner = claimed.get(caller_id)
    if owner == instance_arn or (owner is not None and ":traffic-distribution-group/" in owner):
        return None
    where = f"belongs to {owner}" if owner else "is not claimed in this account and Region"
    return (
        f"CallerId={caller_id[:4]}… {where}. Claim it in the instance (Amazon Connect, Channels, Phone numbers), "
        "deploy with CallerId= one of the instance's numbers, or, if AWS Support has allowed it as an external number, "
        "with ExternalCallerId=true."
    )


def why_no_flow(wanted: Collection[str], flows: Collection[str], quota: int) -> str | None:
    """What is wrong if the instance has no room for the stack's flows.

    `wanted`: their names; `flows`: the names of the flows that the instance has; `quota`: how many it may have.
    """
    missing = len(set(wanted) - set(flows))
    if len(flows) + missing <= quota or not missing:
        return None
    return (
        f"The Amazon Connect instance has {len(flows)} flows of {quota}, so there is no room for {missing} of this "
        "stack's. Delete what is not used, or ask for more in Service Quotas, Amazon Connect, "
        '"Contact flows per instance".'
    )
