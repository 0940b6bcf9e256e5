"""CloudWatch's alarms: what state each has by what was sent, by its own rule.

Sources, of the CloudWatch user guide: "Evaluating an alarm" (evaluation periods, datapoints to alarm; each minute, with
periods that end then, whatever their length), "Configuring how CloudWatch alarms treat missing data" (the evaluation
range, the tables that `tests/unit/test_cloudwatch_evaluator.py` has row by row, and "Avoiding premature transitions to
alarm state"), "Statistics definitions"; "Create a composite alarm" and the API reference of PutCompositeAlarm (the
rule's language). Metric math is not understood: none is used.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from local.cloud.metrics import Point

MORE_PERIODS = 2
"""By so many periods the evaluation range is longer than the evaluation periods; the guide says that it is, and shows
five of three."""

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


class AlarmState(StrEnum):
    """As DescribeAlarms has it."""

    OK = "OK"
    ALARM = "ALARM"
    UNKNOWN = "INSUFFICIENT_DATA"


def datapoints(alarm: Mapping[str, Any], points: Iterable[Point], now: float) -> list[float | None]:
    """The statistic of each period of the evaluation range, the latest first; None: nothing was sent."""
    if "Metrics" in alarm or "ExtendedStatistic" in alarm:
        raise NotImplementedError("metric math and percentiles are not understood here")
    dimensions = frozenset((one["Name"], one["Value"]) for one in alarm.get("Dimensions", ()))
    wanted = (alarm["Namespace"], alarm["MetricName"], dimensions)
    period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"]) + MORE_PERIODS
    found: list[list[float]] = [[] for _ in range(count)]
    for one in points:
        age = int((now - one.at) // period)
        if now - one.at >= 0 and age < count and (one.namespace, one.name, one.dimensions) == wanted:
            found[age].append(one.value)
    return [STATISTICS[alarm["Statistic"]](values) if values else None for values in found]


def judge(alarm: Mapping[str, Any], values: Sequence[float | None], before: AlarmState) -> AlarmState:
    """The state that follows from the evaluation range, the latest value first."""
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm", periods))
    is_over = COMPARISONS[alarm["ComparisonOperator"]]
    there = [
        (age, is_over(value, float(alarm["Threshold"]))) for age, value in enumerate(values, 1) if value is not None
    ]
    breaching = [is_breaching for _age, is_breaching in there]
    treatment = alarm.get("TreatMissingData", "missing")
    if treatment not in TREATMENTS:
        raise ValueError(f"TreatMissingData cannot be {treatment}")
    lacking = periods - len(breaching)
    if lacking <= 0 or sum(breaching) >= needed:
        # Enough was sent in the range: its latest counts, and nothing has to be filled in.
        return AlarmState.ALARM if sum(breaching[:periods]) >= needed else AlarmState.OK
    if treatment in ("notBreaching", "breaching"):
        filled = sum(breaching) + lacking * (treatment == "breaching")
        return AlarmState.ALARM if filled >= needed else AlarmState.OK
    if not all(breaching):
        return AlarmState.OK
    if treatment == "ignore":
        return before
    # "Avoiding premature transitions to alarm state": what breaches is old enough, and nothing newer is within bounds.
    is_old_enough = bool(there) and there[-1][0] >= needed
    return AlarmState.ALARM if is_old_enough else AlarmState.UNKNOWN


_TOKEN = re.compile(r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\)|(AND|OR|NOT|TRUE|FALSE|\(|\)))')


def holds(rule: str, states: Mapping[str, AlarmState]) -> bool:
    """Whether a composite alarm's rule is met. Raises ValueError for what is no rule, KeyError for an unknown alarm."""
    tokens: list[Any] = []
    place = 0
    while rule[place:].strip():
        found = _TOKEN.match(rule, place)
        if found is None:
            raise ValueError(f"no rule: {rule[place:]}")
        function, name, word = found.groups()
        tokens.append(states[name] is AlarmState(function) if function else word)
        place = found.end()
    value, rest = _either(tokens)
    if rest:
        raise ValueError(f"no rule: {rule}")
    return value


def _either(tokens: list[Any]) -> tuple[bool, list[Any]]:
    value, rest = _both(tokens)
    while rest and rest[0] == "OR":
        other, rest = _both(rest[1:])
        value = value or other
    return value, rest


def _both(tokens: list[Any]) -> tuple[bool, list[Any]]:
    value, rest = _one(tokens)
    while rest and rest[0] == "AND":
        other, rest = _one(rest[1:])
        value = value and other
    return value, rest


def _one(tokens: list[Any]) -> tuple[bool, list[Any]]:
    match tokens:
        case [bool() as value, *rest]:
            return value, rest
        case ["TRUE" | "FALSE" as word, *rest]:
            return word == "TRUE", rest
        case ["NOT", *rest]:
            value, rest = _one(rest)
            return not value, rest
        case ["(", *rest]:
            value, rest = _either(rest)
            if rest[:1] != [")"]:
                raise ValueError("a parenthesis is not closed")
            return value, rest[1:]
    raise ValueError(f"no rule: {tokens}")


class Alarms:
    """All alarms of a stack, evaluated each minute."""

    def __init__(self, metric: Mapping[str, Mapping[str, Any]], composite: Mapping[str, Mapping[str, Any]]) -> None:
        """The Properties of each alarm, by logical id."""
        self._metric, self._composite = metric, composite
        self.states = dict.fromkeys([*metric, *composite], AlarmState.OK)
        self.paged: list[str] = []
        """Whose AlarmActions were carried out, in order: each time that the state became ALARM."""
        self.raised: set[str] = set()

    def evaluate(self, points: Collection[Point], now: float) -> None:
        """The states of one minute, which ends at `now`."""
        for name, alarm in self._metric.items():
            self._become(name, alarm, judge(alarm, datapoints(alarm, points, now), self.states[name]))
        by_name = {alarm["AlarmName"]: self.states[name] for name, alarm in self._metric.items()}
        for name, alarm in self._composite.items():
            is_met = holds(alarm["AlarmRule"], by_name)
            self._become(name, alarm, AlarmState.ALARM if is_met else AlarmState.OK)

    def _become(self, name: str, alarm: Mapping[str, Any], state: AlarmState) -> None:
        if state is AlarmState.ALARM and self.states[name] is not AlarmState.ALARM:
            self.raised.add(name)
            if alarm.get("AlarmActions"):
                self.paged.append(name)
        self.states[name] = state
