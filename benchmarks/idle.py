"""What a stack costs in a month in which nobody uses it: the template's resources by the price list.

Prices: us-east-1, as they stood in 2026 (docs/costs.md says where each is from); other Regions up to a quarter more.
Free tiers are left out. What runs by itself: the clock's functions, the long polls of the queues' triggers (Lambda
developer guide, "Using Lambda with Amazon SQS": five pollers for each queue, each waiting up to 20 s), and the alarms.
"""

from dataclasses import dataclass

from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, Template, read_template

AIM_USD = 12.0
SECONDS = 365 / 12 * 24 * 3600
POLLERS, POLL_SECONDS = 5, 20
TICK_SECONDS, TICK_GB, TICK_LOG_BYTES, TICK_READS = 0.15, 0.5, 1_500, 12
"""Of one run of a function that finds nothing to do: time, memory, log lines, strongly consistent reads."""
EACH = {"rate(1 minute)": 60, "rate(1 hour)": 3600}

USD_KEY = 1.00
USD_ALARM, USD_COMPOSITE, USD_DASHBOARD = 0.10, 0.50, 3.00
USD_SQS = {True: 0.50e-6, False: 0.40e-6}
"""For a request, by whether the queue is a FIFO queue."""
USD_INVOCATION, USD_GB_SECOND = 0.20e-6, 0.0000166667
USD_READ = 0.125e-6
USD_LOG_BYTE = 0.50e-9


@dataclass(frozen=True)
class Item:
    """One line of the bill."""

    what: str
    usd: float


def bill(template: Template) -> list[Item]:
    """What a month costs, by what it is for."""
    ticks = sum(
        SECONDS / EACH[event.properties["Schedule"]]
        for spec in template.functions.values()
        for event in spec.events
        if event.type == "Schedule"
    )
    queues = template.resources_of("AWS::SQS::Queue")
    polled = [
        event.properties["Queue"]
        for spec in template.functions.values()
        for event in spec.events
        if event.type == "SQS"
    ]
    polls = sum(
        SECONDS / POLL_SECONDS * POLLERS * USD_SQS[bool(properties.get("FifoQueue"))]
        for name, properties in queues.items()
        if template.get_att(name, "Arn") in polled
    )
    monitoring = template.nested("MonitoringStack")
    alarms = [len(monitoring.resources_of(f"AWS::CloudWatch::{kind}")) for kind in ("Alarm", "CompositeAlarm")]
    return [
        Item("KMS keys", USD_KEY * len(template.resources_of("AWS::KMS::Key"))),
        Item("alarms", alarms[0] * USD_ALARM + alarms[1] * USD_COMPOSITE),
        Item("the dashboard", USD_DASHBOARD * len(monitoring.resources_of("AWS::CloudWatch::Dashboard"))),
        Item("polls of the queues", polls),
        Item("runs of the clock", ticks * (USD_INVOCATION + TICK_SECONDS * TICK_GB * USD_GB_SECOND)),
        Item("their reads of the tables", ticks * TICK_READS * USD_READ),
        Item("their log lines", ticks * TICK_LOG_BYTES * USD_LOG_BYTE),
    ]


def main() -> None:
    """Print the bill."""
    items = bill(read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}))
    print("\nAn idle stack, USD a month by the price list (us-east-1)")
    for item in items:
        print(f"{item.what:<28}{item.usd:>7.2f}")
    print(f"{'in all':<28}{sum(item.usd for item in items):>7.2f}   (aim: at most {AIM_USD:.0f})")


if __name__ == "__main__":
    main()
