"""Every built function under Lambda's own runtime, against the laptop's AWS, with what the template gives it."""

import pytest

from local.cloud.laptop_cloud import Cloud
from local.cloud.simulated_providers import EVENT_FILES
from local.tools.demo import Cast, play, settings_for

pytestmark = [pytest.mark.runtime, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cast():
    return Cast()


@pytest.fixture(scope="module")
def cloud(cast):
    with Cloud(settings_for(cast, functions="runtime")) as cloud:
        yield cloud


@pytest.mark.parametrize("file", EVENT_FILES, ids=lambda file: f"{file.path}-{file.function}")
def test_each_event_of_the_collection_has_a_sensible_answer(cloud, file):
    name = cloud.template.functions[file.function].name
    is_sensible, answer = file.judge(lambda: cloud.functions.invoke(name, file.load()))
    assert is_sensible, answer


def test_the_demonstration_goes_as_the_specification_says(cloud, cast):
    assert play(cloud, cast) == []
    right = {(file.function, file.error) for file in EVENT_FILES if file.error}
    failures = [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"]
    assert [one for one in failures if (one["function"], one["error"]) not in right] == []
