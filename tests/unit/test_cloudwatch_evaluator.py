"""The evaluator of alarms is CloudWatch's: the tables of its guide, periods, statistics, composite rules."""

import pytest

from local.cloud.metrics import Point
from tests.kit.cloudwatch.evaluator import TREATMENTS, Alarms, AlarmState, datapoints, holds, judge

OK, ALARM, UNKNOWN, RETAINED = AlarmState.OK, AlarmState.ALARM, AlarmState.UNKNOWN, None
BASE = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 0, "EvaluationPeriods": 3}

# User guide, "Configuring how CloudWatch alarms treat missing data": the latest datapoint stands last; X is breaching.
THREE_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "0 - - - -": (OK, OK, OK, OK),
    "- - - - -": (UNKNOWN, RETAINED, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, RETAINED, ALARM, OK),
}
TWO_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, RETAINED, ALARM, OK),
}
# The same page, "Avoiding premature transitions to alarm state": where 3 are needed, one that is newer than that does
# not raise it, for the next may be within bounds. Which state it has then is in an older edition of the page alone
# (2019: awsdocs/amazon-cloudwatch-user-guide, doc_source/AlarmThatSendsEmail.md): INSUFFICIENT_DATA, or what it was.
PREMATURE_OF_THREE = {
    "- - - - X": (UNKNOWN, RETAINED, ALARM, OK),
    "- - - X -": (UNKNOWN, RETAINED, ALARM, OK),
    "- - - X 0": (OK, OK, OK, OK),
    "- - X - 0": (OK, OK, OK, OK),
    "X - - - -": (ALARM, RETAINED, ALARM, OK),
}
PREMATURE_OF_TWO = {"- - - - X": (UNKNOWN, RETAINED, ALARM, OK)}
# "If fewer than the value of Datapoints to Alarm are breaching, the alarm state is set to OK. Otherwise, the state is
# set to ALARM" (as above): real ones that suffice need nothing filled in, however missing data are treated.
ENOUGH_OF_TWO = {"- - - X X": (ALARM, ALARM, ALARM, ALARM), "0 - - - -": (OK, OK, ALARM, OK)}
ENOUGH_OF_ONE = {
    "- - - - X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (ALARM, ALARM, ALARM, ALARM),
    "- - - - 0": (OK, OK, ALARM, OK),
}
ROWS = [(3, row, states) for row, states in THREE_OF_THREE.items()]
ROWS += [(2, row, states) for row, states in TWO_OF_THREE.items()]
ROWS += [(3, row, states) for row, states in PREMATURE_OF_THREE.items()]
ROWS += [(2, row, states) for row, states in (PREMATURE_OF_TWO | ENOUGH_OF_TWO).items()]
ROWS += [(1, row, states) for row, states in ENOUGH_OF_ONE.items()]


@pytest.mark.parametrize(("needed", "row", "states"), ROWS)
def test_missing_data_are_treated_as_the_guide_says(needed, row, states):
    values = [{"0": 0.0, "X": 1.0, "-": None}[one] for one in reversed(row.split())]
    for treatment, expected in zip(TREATMENTS, states, strict=True):
        alarm = {**BASE, "DatapointsToAlarm": needed, "TreatMissingData": treatment}
        for before in AlarmState:
            assert judge(alarm, values, before) is (before if expected is RETAINED else expected)


def test_another_treatment_is_a_mistake():
    with pytest.raises(ValueError, match="TreatMissingData cannot be NotBreaching"):
        judge({**BASE, "TreatMissingData": "NotBreaching"}, [1.0], OK)


def point(at, value, name="Errors", **dimensions):
    return Point("AWS/Lambda", name, frozenset(dimensions.items()), at, value)


def test_a_metric_is_known_by_all_its_dimensions_and_counts_in_the_period_in_which_it_was_sent():
    alarm = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
    }
    points = [
        point(241, 1, FunctionName="f"),
        point(299, 2, FunctionName="f"),
        point(181, 4, FunctionName="f"),
        point(60, 8, FunctionName="f"),
        point(301, 8, FunctionName="f"),
        point(250, 8, FunctionName="f", Resource="f"),
        point(250, 8, FunctionName="g"),
        point(250, 8, "Throttles", FunctionName="f"),
    ]
    assert datapoints(alarm, points, 300) == [3, 4, None]
    for statistic, value in (("Maximum", 2), ("Minimum", 1), ("Average", 1.5), ("SampleCount", 2)):
        assert datapoints({**alarm, "Statistic": statistic}, points, 300)[0] == value
    with pytest.raises(NotImplementedError):
        datapoints({**alarm, "Metrics": []}, points, 300)


def test_a_composite_rule_is_read_as_cloudwatch_reads_it():
    states = {"a": ALARM, "b b": OK, "c": UNKNOWN}
    met = [
        'ALARM("a")',
        "ALARM(a) AND NOT ALARM(c)",
        'ALARM("b b") OR OK("b b")',
        'INSUFFICIENT_DATA("c") AND (ALARM("b b") OR ALARM("a"))',
        "NOT (ALARM(c) OR FALSE) AND TRUE",
        'OK("b b") AND ALARM("a") OR ALARM("c")',
    ]
    assert [rule for rule in met if not holds(rule, states)] == []
    unmet = ['ALARM("b b")', 'ALARM("b b") OR OK("c") AND ALARM("a")', "NOT ALARM(a)", "FALSE"]
    assert [rule for rule in unmet if holds(rule, states)] == []
    for wrong in ('ALARM("a") ALARM("a")', 'ALARM("a"', "AND", '(ALARM("a")', "ALARMS(a)"):
        with pytest.raises(ValueError, match=r"."):
            holds(wrong, states)
    with pytest.raises(KeyError):
        holds('ALARM("d")', states)


def test_actions_are_carried_out_when_a_state_changes_and_not_again():
    dimensions = {"Dimensions": [], "Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60}
    part = {**BASE, **dimensions, "EvaluationPeriods": 1, "TreatMissingData": "notBreaching", "AlarmName": "s-Part"}
    whole = {"AlarmName": "s-Whole", "AlarmRule": 'ALARM("s-Part")', "AlarmActions": ["topic"]}
    alarms = Alarms({"Part": part}, {"Whole": whole})
    points = [point(61, 1), point(601, 1)]
    for minute in range(1, 20):
        alarms.evaluate(points, minute * 60)
    assert alarms.paged == ["Whole", "Whole"]
    assert alarms.raised == {"Part", "Whole"}
    assert set(alarms.states.values()) == {OK}
