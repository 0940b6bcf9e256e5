"""What is counted, how it is written, and that docs/metrics.md knows every name."""

import ast
import json
import re
from pathlib import Path

from speechcall.adapters.metrics import count

ROOT = Path(__file__).parents[2]


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_count_is_one_line_of_embedded_metric_format(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SpeechCall")
    count("CallsEnded", 3, outcome="busy")
    (line,) = lines(capsys)
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "SpeechCall"
    assert declared["Dimensions"] == [["outcome"]]
    assert declared["Metrics"] == [{"Name": "CallsEnded", "Unit": "Count"}]
    assert (line["outcome"], line["CallsEnded"]) == ("busy", [3.0])


def test_dimensions_do_not_stay_for_the_next_count(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SpeechCall")
    count("CallsEnded", outcome="busy")
    count("CallsStarted")
    assert lines(capsys)[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_nothing_is_not_counted(capsys):
    count("CallsStarted", 0)
    assert lines(capsys) == []


def counts_in(source):
    """The literal `count("Name", …, dimension=…)` and `self.count(…)` calls of a module."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"count", "self.count", "measure_msec"}:
            yield (
                ast.literal_eval(node.args[0]),
                "".join(str(given.arg) for given in node.keywords if given.arg != "value"),
            )


def test_every_metric_is_documented_with_its_dimension():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\|", page, re.MULTILINE))
    sources = [path for folder in ("functions", "layers/core") for path in (ROOT / folder).rglob("*.py")]
    assert {found for source in sources for found in counts_in(source)} == documented
