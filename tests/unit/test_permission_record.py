"""The record of what functions were seen to need is the template's, and what a run notes becomes one."""

import json

import pytest

from local.cloud.permissions import Permissions
from local.cloud.providers.record import Need
from tests.kit.permission_rules import RECORD, SEEN, Seen, for_lambda, granted, record_of, stale, templates

pytestmark = pytest.mark.slow

TEMPLATES = templates()
TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/MessagesTable"


def test_the_record_names_nothing_that_is_not_granted():
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert stale(record, TEMPLATES) == []
    assert set(record["met"]).isdisjoint(record["not_met"])
    assert stale({"met": [f"SweepFunction dynamodb:Scan {TABLE}"], "not_met": []}, TEMPLATES) != []


def test_what_a_run_notes_is_what_its_functions_asked_for(tmp_path, monkeypatch):
    seen = Seen()
    permissions = Permissions(TEMPLATES[0])
    with pytest.MonkeyPatch.context() as patch:
        seen.note(patch)
        assert permissions.refusal("ConnectFlowFunction", iter([Need("dynamodb:GetItem", TABLE)])) is None
        assert "not authorized" in permissions.refusal("ConnectFlowFunction", [Need("dynamodb:Scan", TABLE)])
    monkeypatch.setenv(SEEN, str(tmp_path))
    seen.write()
    (file,) = tmp_path.iterdir()
    asked = [tuple(one) for one in json.loads(file.read_text(encoding="utf-8"))]
    assert asked == [("ConnectFlowFunction", f"dynamodb:{action}", TABLE) for action in ("GetItem", "Scan")]
    # What was asked for and is granted is met; every other grant is not, and what Lambda itself needs is no matter.
    record = record_of(asked, TEMPLATES)
    assert record["met"] == [f"ConnectFlowFunction dynamodb:GetItem {TABLE}"]
    of_lambda = {" ".join(one) for template in TEMPLATES for one in for_lambda(template)}
    all_granted = {" ".join(one) for template in TEMPLATES for one in granted(template)}
    assert {*record["met"], *record["not_met"]} == all_granted - of_lambda
