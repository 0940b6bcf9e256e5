"""What an operator should see as a number: CloudWatch metrics, written into the log in the embedded metric format.

`docs/metrics.md` lists every name; a test holds the list.
"""

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric


def measure_msec(name: str, msec: int) -> None:
    """Adds one duration, in milliseconds, to `name` (CamelCase): CloudWatch tells the greatest, and percentiles."""
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "SpeechCall")
    with single_metric(name=name, unit=MetricUnit.Milliseconds, value=msec, namespace=namespace):
        pass


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Adds `value` to the count `name` (CamelCase); a `value` of 0 writes nothing.

    `dimensions` split it, each by few values: never an account, a number or an id. One line of log a
    call, no state that threads could share.
    """
    if value:
        # Several functions share a process, and so its environment, on a laptop.
        namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "SpeechCall")
        with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=namespace) as metric:
            for dimension, text in dimensions.items():
                metric.add_dimension(name=dimension, value=text)
