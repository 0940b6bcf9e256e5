"""What calls cost at AWS, all of it: predicted from what happens in them, and counted on the laptop cloud.

`make bench` places the demonstration's calls and prints both; BENCH=short only those of one kind. What the laptop
cannot count is assumed, and said so: how long a function runs, how much it logs, what Amazon Connect reads of prompts.
Prices: us-east-1; docs/costs.md says where each is from. The idle stack (benchmarks/idle.py) comes on top.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import boto3

from benchmarks.length import in_short
from benchmarks.usage import Usage
from local.cloud.laptop_cloud import Cloud
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from local.tools import demo
from local.tools.demo_cases import CASES, Case

USD = {
    "Step Functions transitions": 0.025e-3,
    "DynamoDB writes": 0.625e-6,
    "DynamoDB reads": 0.125e-6,
    "Lambda invocations": 0.20e-6,
    "Lambda GB-seconds": 0.0000166667,
    "SQS FIFO requests": 0.50e-6,
    "HTTP API requests": 1.00e-6,
    "KMS requests": 0.03e-4,
    "S3 reads": 0.0004e-3,
    "log bytes": 0.50e-9,
    "Connect seconds": 0.018 / 60,
}
"""For one of each. The telephony itself is not among them: its price is that of the country."""
ASSUMED_SECONDS, ASSUMED_LOG_BYTES = 0.1, 700
"""Of an invocation: how long it is billed, and what it logs, Lambda's own three lines with it."""
LEAST_CONNECT_SECONDS = 10
CLOCK = frozenset(
    f"{name}Function" for name in ("Sweep", "WakeWebhooks", "CarryOutStops", "RetireFlows", "SendFallback")
)
"""What runs by the clock is in the bill of the idle stack."""
WEBHOOK_REQUESTS = 3
"""To a queue, for a webhook: sent by the state machine, received and deleted for the function."""
Units = Counter[str]


class Happens(NamedTuple):
    """What happens in calls, all together."""

    messages: int
    """Each is sent in a request of its own, and dialled once."""
    answers: int = 0
    menus: int = 0
    heard: int = 0
    """Keys, and silences: what ends a menu but for the callee."""
    hang_ups: int = 0
    """Calls that we end."""
    webhooks: int = 0
    connect_seconds: float = 0
    """Of answered calls, each at least ten seconds."""


FUNCTIONS: Mapping[str, Mapping[str, float]] = {
    "messages": {
        "MessagelistFunction": 1,
        "PreparePromptsFunction": 1,
        "DialerFunction": 1,
        "ControlCallFunction": 1,
        "ConnectFlowFunction": 1,
        "ConnectEventsFunction": 2,
        "FinishCallFunction": 1,
    },
    "answers": {"ConnectFlowFunction": 1},
    "menus": {"ControlCallFunction": 1},
    "heard": {"ConnectFlowFunction": 1},
    "hang_ups": {"ControlCallFunction": 1, "ConnectFlowFunction": 1},
    "webhooks": {"SendWebhookFunction": 1},
}
"""Invocations, for each of what happens."""
UNITS: Mapping[str, Mapping[str, float]] = {
    "messages": {
        "Step Functions transitions": 2,
        "DynamoDB writes": 70,
        "DynamoDB reads": 22.5,
        "HTTP API requests": 1,
    },
    "answers": {"DynamoDB writes": 1.6, "DynamoDB reads": 1},
    "menus": {"Step Functions transitions": 2, "DynamoDB writes": 1, "DynamoDB reads": 1, "S3 reads": 1},
    "heard": {"DynamoDB writes": 1, "DynamoDB reads": 1},
    "hang_ups": {"Step Functions transitions": 1, "DynamoDB writes": 1, "DynamoDB reads": 2},
    "webhooks": {
        "Step Functions transitions": 1,
        "DynamoDB writes": 8,
        "DynamoDB reads": 1.1,
        "SQS FIFO requests": WEBHOOK_REQUESTS,
    },
    "connect_seconds": {"Connect seconds": 1},
}
"""The other units, likewise: those of DynamoDB as they were counted here, the others as the product is built."""

TYPICAL_SECONDS = 30
TYPICAL = {
    "nobody answers": Happens(1000),
    "a key, a webhook, the end": Happens(1000, 1000, 1000, 1000, 1000, 1000, 1000 * TYPICAL_SECONDS),
}
"""Of 1,000 calls, for the page."""


def happens_in(cases: Iterable[Case], connect_seconds: float = 0) -> Happens:
    """What the specification says will happen in the demonstration's calls."""
    found = [case.expected for case in cases]
    ended_by_us = [one for one in found if one.outcome == "answered" and one.reason == "completed"]
    answered = [one for one in found if one.outcome == "answered"]
    menus = sum(len(one.menus) for one in found)
    return Happens(
        len(found),
        len(answered),
        menus,
        menus - (len(answered) - len(ended_by_us)),
        len(ended_by_us),
        sum(len(one.webhooks) for one in found),
        connect_seconds,
    )


def predicted(happens: Happens) -> Units:
    """The units behind what happens."""
    units: Units = Counter()
    for name, count in happens._asdict().items():
        for unit, each in UNITS.get(name, {}).items():
            units[unit] += count * each
    return units + _of_functions(invocations(happens))


def invocations(happens: Happens) -> Counter[str]:
    """By function."""
    found: Counter[str] = Counter()
    for name, count in happens._asdict().items():
        for function, each in FUNCTIONS.get(name, {}).items():
            found[function] += count * each
    return found


def counted(usage: Usage, transitions: int, happens: Happens) -> Units:
    """The units that were counted, without those of the clock; and what cannot be counted here, as predicted."""
    units: Units = Counter({unit: usage.total(unit, CLOCK) for unit in {name for _, name in usage.units}})
    del units["Lambda invocations"]
    ran: Counter[str] = Counter(
        {
            name: count
            for (name, unit), count in usage.units.items()
            if unit == "Lambda invocations" and name not in CLOCK
        }
    )
    units["Step Functions transitions"] = transitions
    units["HTTP API requests"] = ran["MessagelistFunction"]
    units["SQS FIFO requests"] += WEBHOOK_REQUESTS * ran["SendWebhookFunction"]
    for unit in ("S3 reads", "Connect seconds"):
        units[unit] += predicted(happens)[unit]
    return units + _of_functions(ran)


def _of_functions(ran: Counter[str]) -> Units:
    specs = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}).functions
    gigabytes = sum(count * specs[name].memory / 1024 for name, count in ran.items())
    total = sum(ran.values())
    units = {"Lambda invocations": total, "Lambda GB-seconds": gigabytes * ASSUMED_SECONDS}
    return Counter(units | {"log bytes": total * ASSUMED_LOG_BYTES})


def usd(units: Units) -> dict[str, float]:
    """What units cost, by what they are, in the order of the price list."""
    return {name: units[name] * price for name, price in USD.items()}


def measured(cases: Sequence[Case]) -> tuple[Usage, int, float, list[str]]:
    """The calls of some cases, placed on the laptop: usage, transitions, Connect's seconds, and what went wrong."""
    cast, usage = demo.Cast(), Usage()
    with Cloud(demo.settings_for(cast)) as cloud, usage.counting():
        wrong = demo.play(cloud, cast, verbose=False, cases=cases)
        return usage, _transitions(), _connect_seconds(cloud), wrong


def _transitions() -> int:
    sfn, count = boto3.client("stepfunctions"), 0
    for machine in sfn.list_state_machines()["stateMachines"]:
        listed = sfn.list_executions(stateMachineArn=machine["stateMachineArn"], maxResults=1000)["executions"]
        for execution in listed:
            arn = execution["executionArn"]
            events = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            count += sum(event["type"].endswith("StateEntered") for event in events)
    return count


def _connect_seconds(cloud: Cloud) -> float:
    """Of answered calls, from answer to end, each billed as ten at least."""
    ends = [entry for entry in cloud.journal.entries() if entry["kind"] == "ended" and entry["answered"]]
    return sum(max(float(entry["seconds"]), LEAST_CONNECT_SECONDS) for entry in ends)


def main() -> None:
    """Print the bill of 1,000 calls, and that of the demonstration: predicted, and counted."""
    print("\nWhat 1,000 calls cost at AWS, USD (us-east-1), without telephony and the idle stack")
    bills = {name: usd(predicted(happens)) for name, happens in TYPICAL.items()}
    _print(bills, 3)
    cases = in_short(CASES, CASES[:1])
    usage, transitions, seconds, wrong = measured(cases)
    happens = happens_in(cases, seconds)
    print(f"\n{len(cases)} calls of the demonstration, USD for 1,000 times as many{' (WRONG calls)' if wrong else ''}")
    both = {"predicted": predicted(happens), "counted": counted(usage, transitions, happens)}
    _print(
        {name: usd(Counter({unit: 1000 * count for unit, count in units.items()})) for name, units in both.items()}, 2
    )


def _print(bills: Mapping[str, Mapping[str, float]], digits: int) -> None:
    print(f"{'':<28}" + "".join(f"{name:>28}" for name in bills))
    for unit in USD:
        print(f"{unit:<28}" + "".join(f"{bill[unit]:>28.{digits}f}" for bill in bills.values()))
    print(f"{'in all':<28}" + "".join(f"{sum(bill.values()):>28.{digits}f}" for bill in bills.values()))


if __name__ == "__main__":
    main()
