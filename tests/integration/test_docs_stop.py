"""docs/stop.md: its commands run as they stand, against the service, and answer what the page says."""

import json
import re
import shlex
from pathlib import Path

import pytest

from local.cloud.lambda_service import served_by
from speechcall.shared.rules.errors import CampaignCancelled, ListCancelled
from speechcall.stopping.use_cases.stop_answers import TTL_RUNS_ON
from speechcall.stopping.use_cases.stop_message import Cancelled
from tests.integration.test_http_stops import campaign, sent

PAGE = (Path(__file__).parents[2] / "docs" / "stop.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (curl .*)$", PAGE, re.MULTILINE)
LIST, MESSAGE = "250400364846566650", "250400364846566651"


@pytest.fixture(autouse=True)
def _no_worker(api):
    with served_by(api.host.invoke, lambda *_given: None):
        yield


def run(api, command, ids):
    """What a command of the page is answered, with the ids of real messages in the place of the page's."""
    words = shlex.split(command)
    assert words[:5] == ["curl", "-X", "POST", "-u", "user:password"]
    body = words[words.index("-d") + 1].encode() if "-d" in words else b""
    path = words[-1].removeprefix("https://YOUR-API")
    for ours, theirs in ids.items():
        path = path.replace(ours, theirs)
    return api.stop(path, body)


def test_each_command_does_what_the_page_says(api):
    assert len(COMMANDS) == 8
    answers = []
    for command in COMMANDS:
        list_id, mids = sent(api, 2)
        campaign(api)
        answers.append((list_id, run(api, command, {LIST: list_id, MESSAGE: mids[0]})))
    assert [answer.status for _, answer in answers] == [200] * 8
    states = ["cancelled", "cancelled", "paused", "active", "paused", "active", "cancelled", "cancelled"]
    assert [answer.json["state"] for _, answer in answers] == states
    shown = json.loads(re.search(r"```json\n(.*?)\n```", PAGE, re.DOTALL)[1])
    list_id, first = answers[0]
    assert first.json == {**shown, "messagelistId": list_id}


def test_the_words_of_the_page_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| 20", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(Cancelled)
    assert {TTL_RUNS_ON["code"], ListCancelled.code, CampaignCancelled.code} <= set(re.findall(r"`([A-Z_]+)`", PAGE))
