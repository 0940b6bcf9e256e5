"""Every built function under Lambda's own runtime, against the laptop's AWS, with what the template gives it."""

import json
from pathlib import Path

import pytest

from local.carrier import Script, answer, press
from local.cloud import Cloud, CloudSettings
from local.event_files import EVENT_FILES
from tests.e2e.conftest import Client, finished

pytestmark = pytest.mark.runtime

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture(scope="module")
def cloud():
    settings = CloudSettings(
        functions="runtime", carrier={"caller_for": lambda _number: Script([answer(), press("1")])}
    )
    with Cloud(settings) as cloud:
        yield cloud


def test_a_call_goes_its_whole_way(cloud):
    body = json.loads((EVENTS / "spec" / "basic-structure.json").read_text(encoding="utf-8"))
    (mid,) = Client(cloud.url).send(body["messages"])
    end = finished(cloud, mid, 60)
    assert (end["outcome"], end["reason"]) == ("answered", "completed")
    webhook = cloud.journal.wait_for(lambda entry: entry["kind"] == "webhook" and entry["mid"] == mid, 30)
    assert json.loads(webhook["body"])["action"] == {"confirm": True}
    assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []


@pytest.mark.parametrize("file", EVENT_FILES, ids=lambda file: f"{file.path}-{file.function}")
def test_each_event_of_the_collection_has_a_sensible_answer(cloud, file):
    answer = cloud.functions.invoke(cloud.template.functions[file.function].name, file.load())
    assert file.is_sensible(answer), answer
