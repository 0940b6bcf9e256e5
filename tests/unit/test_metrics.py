"""What is counted, how it is written, and that docs/metrics.md knows every name."""

import json
import re
from pathlib import Path

import pytest

from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from speechcall.shared.adapters.metrics import count
from tests.kit.alarm_rules import counts_in, metric_of

ROOT = Path(__file__).parents[2]


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def deployed(monkeypatch):
    """Exactly what the template gives a function, as far as counting goes."""
    template = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})
    for name, value in template.functions["FinishCallFunction"].environment.items():
        monkeypatch.setenv(name, value)


def test_a_count_is_one_line_of_embedded_metric_format(deployed, capsys):
    count("CallsEnded", 3, outcome="busy")
    (line,) = lines(capsys)
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "SpeechCall/speechcall"
    assert sorted(declared["Dimensions"][0]) == ["outcome", "service"]
    assert declared["Metrics"] == [{"Name": "CallsEnded", "Unit": "Count"}]
    assert line["outcome"] == "busy"
    assert line["service"] == "speechcall"
    assert line["CallsEnded"] == [3.0]


def test_dimensions_do_not_stay_for_the_next_count(deployed, capsys):
    count("CallsEnded", outcome="busy")
    count("CallsStarted")
    _, line = capsys.readouterr().out.splitlines()
    assert metric_of(line) == ("SpeechCall/speechcall", "CallsStarted", frozenset({("service", "speechcall")}))


def test_nothing_is_not_counted(capsys):
    count("CallsStarted", 0)
    assert lines(capsys) == []


@pytest.mark.slow
def test_every_metric_is_documented_with_its_dimension():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\|", page, re.MULTILINE))
    sources = [path for folder in ("functions", "layers/core") for path in (ROOT / folder).rglob("*.py")]
    counted = {(name, "".join(given)) for source in sources for name, given in counts_in(source)}
    assert counted == documented
