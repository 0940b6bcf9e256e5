"""The built functions in the containers of `sam local`, with the laptop cloud as their AWS."""

import httpx
import pytest

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud
from local.cloud.runtime.containers import docker
from local.cloud.runtime.sam_local import own_options
from local.cloud.simulated_providers import EVENT_FILES
from local.tools.demo import Cast, play, settings_for
from local.tools.demo_cases import CASES
from local.tools.sam_events import invoke
from tests.e2e.conftest import finished
from tests.kit.audio_files import CORPUS, file_of

pytestmark = [pytest.mark.sam_local, pytest.mark.timeout(400)]

PLAIN = ("sqs/webhook.json", "connect/flow-key.json")
"""By SAM's own commands, which pack the layers themselves. All of them: `make sam-events`."""


@pytest.fixture(scope="module")
def cast():
    return Cast()


@pytest.fixture(scope="module")
def cloud(cast):
    with Cloud(settings_for(cast, functions="sam")) as cloud:
        yield cloud
    assert docker("ps", "--quiet", "--filter", "name=samcli") == "", "containers were left"


@pytest.mark.parametrize("file", EVENT_FILES, ids=lambda file: f"{file.path}-{file.function}")
def test_each_event_of_the_collection_has_a_sensible_answer(cloud, file):
    name = cloud.template.functions[file.function].name
    is_sensible, answer = file.judge(lambda: cloud.functions.invoke(name, file.load()))
    assert is_sensible, answer


def test_the_demonstration_goes_as_the_specification_says(cloud, cast):
    assert play(cloud, cast) == []


def test_spoken_text_and_an_uploaded_mp3_are_played(cloud, cast):
    account, upload = (seed.USER, seed.PASSWORD), f"{cloud.api_url}/bat/audio/hello"
    mp3 = file_of(next(kind for kind in CORPUS if "mp3" in str(kind)))
    assert httpx.put(upload, content=mp3, auth=account, timeout=60).status_code == 200
    case = CASES[0]
    introductions: list[dict[str, object]] = [
        {"say": {"text": "Press one.", "language": "en-US"}},
        {"introUrl": "hello"},
    ]
    for number, introduction in enumerate(introductions):
        menu = {**introduction, "dtmfActions": {"d1": [{"action": "hangup"}]}}
        message = {"from": "a", "to": f"+3806755500{number:02}", "text": "ivr", "type": "speechcall", "menu": [menu]}
        answer = httpx.post(
            f"{cloud.api_url}/bat/messagelist", json={"messages": [message]}, auth=account, timeout=60
        ).json()
        mid = answer["messages"][0]["messageId"]
        cast.give(mid, case)
        end = finished(cloud, mid, 120)
        assert end["outcome"] == "answered"
        assert end["reason"] == "completed"


@pytest.mark.parametrize("file", [file for file in EVENT_FILES if file.path in PLAIN], ids=lambda file: file.path)
def test_sams_own_command_has_a_sensible_answer(cloud, file):
    assert file.is_sensible(invoke(file, own_options(cloud.template)))
