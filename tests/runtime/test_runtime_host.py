"""Lambda's own runtime: timeouts, warm environments, errors and limits are the real ones, and are told as such."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.cloud.functions import UnknownFunctionError
from local.cloud.runtime.host import RuntimeHost
from local.cloud.template import read_template
from local.network.shared.invoker import FunctionError
from tests.kit.laptop.probe import wait_until

pytestmark = pytest.mark.runtime

TEMPLATE = Path(__file__).parents[1] / "kit" / "runtime" / "template.yaml"
ENDPOINT = "http://127.0.0.1:9/aws"


@pytest.fixture(scope="module")
def template():
    return read_template(TEMPLATE, {})


@pytest.fixture
def failures():
    return []


@pytest.fixture
def host(template, failures):
    host = RuntimeHost(template, ENDPOINT, {"COLOUR": "blue"}, lambda name, error: failures.append((name, error)))
    yield host
    host.stop()


def failure(host, **event):
    with pytest.raises(FunctionError) as caught:
        host.invoke("Misbehaves", event)
    return caught.value


def test_an_environment_is_kept_warm_with_its_state(host):
    first, second = (host.invoke("Misbehaves", {}) for _ in range(2))
    assert first["invocations"] == 1
    assert second["invocations"] == 2
    assert first["pid"] == second["pid"]


def test_a_function_is_told_what_the_template_says(host):
    told = host.invoke("arn:aws:lambda:eu-central-1:123456789012:function:Misbehaves", {})
    assert told["colour"] == "blue"
    assert told["endpoint"] == ENDPOINT
    assert told["name"] == "Misbehaves"
    assert int(told["memory"]) == 256
    assert 0 < told["left_msec"] <= 2000


def test_an_error_keeps_its_class_and_message_and_is_told(host, failures):
    error = failure(host, do="raise")
    assert error.error_type == "NotAnswered"
    assert error.message == "nobody there"
    assert "app.py" in "".join(error.stack_trace)
    assert failures == [("Misbehaves", error)]
    assert host.invoke("Misbehaves", {})["invocations"] == 2


def test_a_function_over_its_timeout_is_cut_off_and_the_next_one_starts_cold(host):
    assert host.invoke("Misbehaves", {})["invocations"] == 1
    error = failure(host, do="hang")
    assert error.error_type == "Sandbox.Timedout"
    assert "timed out after 2.00 seconds" in error.message
    assert host.invoke("Misbehaves", {})["invocations"] == 1


def test_a_process_that_ends_is_an_error_and_the_next_one_is_fine(host):
    assert failure(host, do="exit").error_type == "Runtime.ExitError"
    assert host.invoke("Misbehaves", {})["invocations"] == 1


def test_what_is_not_json_is_an_error(host):
    assert failure(host, do="answer with a set").error_type == "Runtime.MarshalError"


def test_an_answer_may_have_six_megabytes(host):
    assert len(host.invoke("Misbehaves", {"do": "answer with megabytes", "megabytes": 5})) == 5 * 1024 * 1024
    assert failure(host, do="answer with megabytes", megabytes=7).error_type == "Function.ResponseSizeTooLarge"


def test_a_request_may_have_six_megabytes(host):
    assert failure(host, filler="x" * 6 * 1024 * 1024).error_type == "RequestTooLargeException"


def test_data_that_looks_like_an_error_is_data(host):
    assert host.invoke("Misbehaves", {"do": "return a report"})["errorType"] == "Lost"


def test_a_module_that_cannot_be_imported_says_so_each_time(host):
    for _ in range(2):
        with pytest.raises(FunctionError, match="no_such_module") as caught:
            host.invoke("Broken", {})
        assert caught.value.error_type == "Runtime.ImportModuleError"


def test_nobody_has_another_name(host):
    with pytest.raises(UnknownFunctionError):
        host.invoke("Nobody", {})


def test_invocations_at_once_have_an_environment_each_up_to_the_most(template):
    host = RuntimeHost(template, ENDPOINT, most=2)
    try:
        with ThreadPoolExecutor(6) as pool:
            told = list(pool.map(lambda _: host.invoke("Misbehaves", {"do": "sleep", "seconds": 0.3}), range(6)))
    finally:
        host.stop()
    assert len({answer["pid"] for answer in told}) == 2


def test_nothing_is_left_running(template):
    host = RuntimeHost(template, ENDPOINT)
    pid = host.invoke("Misbehaves", {})["pid"]
    host.stop()
    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())
    with pytest.raises(FunctionError):
        host.invoke("Misbehaves", {})
