"""Functions are loaded and invoked as Lambda does it."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger

from local.cloud.aws_services import LocalAws
from local.cloud.functions import FunctionHost, UnknownFunctionError
from local.cloud.handler_output import logging_to
from local.cloud.intrinsics import TemplateError
from local.cloud.lambda_service import served_by
from local.network.shared.invoker import FunctionError
from tests.kit.laptop import probe


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    aws = LocalAws(probe.template())
    aws.start()
    yield
    aws.stop()


@pytest.fixture(scope="module")
def host() -> FunctionHost:
    return FunctionHost(probe.template())


@pytest.fixture(autouse=True)
def fresh_probe() -> None:
    probe.reset()


def test_a_function_sees_its_variables_and_no_others(host: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    FunctionHost(probe.template()).invoke("Streamed", {})
    _, environment = probe.last_call("Streamed")
    assert environment["TABLE"] == "Table"
    assert environment["COLOUR"] == "red"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "Streamed"
    assert "SECRET_OF_THE_SHELL" not in environment
    host.invoke("Queued", {})
    assert "COLOUR" not in probe.last_call("Queued")[1]


def test_a_log_line_names_its_own_function_though_another_began_meanwhile(host: FunctionHost) -> None:
    lines = io.StringIO()
    logger = Logger(service="probe", stream=lines)

    def function(name: str, then: Callable[[], Any]) -> Callable[[Any], Any]:
        @logger.inject_lambda_context
        def handler(_event: Any, _context: Any) -> None:
            then()
            logger.info(name)

        return lambda event: handler(event, probe.last_call(name)[0])

    def begin_another() -> None:
        thread = threading.Thread(target=host.invoke, args=("Queued", {}))
        thread.start()
        thread.join()

    probe.reset(Streamed=function("Streamed", begin_another), Queued=function("Queued", lambda: None))
    host.invoke("Streamed", {})
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(one["message"], one["function_name"]) for one in found] == [("Queued", "Queued"), ("Streamed", "Streamed")]
    assert found[1]["function_request_id"] == probe.last_call("Streamed")[0].aws_request_id


def test_an_override_replaces_what_the_template_gives() -> None:
    overridden = FunctionHost(probe.template(), {"Streamed": {"COLOUR": "blue"}, "TABLE": "Other"})
    overridden.invoke("Streamed", {})
    assert probe.last_call("Streamed")[1]["COLOUR"] == "blue"
    overridden.invoke("Queued", {})
    assert probe.last_call("Queued")[1]["TABLE"] == "Other"


@pytest.mark.parametrize("overrides", [{"Queued": {"COLOUR": "blue"}}, {"SIZE": "3"}, {"Nobody": {"TABLE": "x"}}])
def test_an_override_of_what_is_not_there_is_refused(overrides: Any) -> None:
    with pytest.raises(TemplateError):
        FunctionHost(probe.template(), overrides)


def test_name_arn_and_alias_lead_to_the_same_function(host: FunctionHost) -> None:
    probe.reset(Queued=lambda event: event)
    arn = probe.template().functions["Queued"].arn
    for function in ("Queued", "Queued:live", arn, f"{arn}:live"):
        assert host.invoke(function, {"a": 1}) == {"a": 1}
    with pytest.raises(UnknownFunctionError):
        host.invoke("Nobody", {})


def test_event_and_result_are_copies(host: FunctionHost) -> None:
    given: dict[str, Any] = {"list": []}
    probe.reset(Queued=lambda event: event["list"].append(1) or event)
    result = host.invoke("Queued", given)
    assert given == {"list": []}
    assert result == {"list": [1]}
    assert probe.events("Queued")[0] is not result


def test_the_context_is_lambdas(host: FunctionHost) -> None:
    host.invoke("Queued", {})
    context, _ = probe.last_call("Queued")
    assert context.invoked_function_arn.endswith(":function:Queued")
    assert 0 < context.get_remaining_time_in_millis() <= 5000
    assert context.memory_limit_in_mb == 128


def test_a_failure_keeps_its_class_and_is_told(host: FunctionHost) -> None:
    probe.reset(Queued=lambda _: 1 / 0)
    with pytest.raises(FunctionError) as caught:
        host.invoke("Queued", {})
    assert caught.value.error_type == "ZeroDivisionError"
    assert caught.value.message == "division by zero"
    probe.reset(Queued=lambda _: {1, 2})
    with pytest.raises(FunctionError, match="TypeError"):
        host.invoke("Queued", {})


def test_log_lines_and_prints_of_a_handler_go_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log = io.StringIO()
    with logging_to(log):
        host = FunctionHost(probe.template())
        probe.reset(Queued=lambda _: print("from the handler\x1b[31m\x9b"))
        print("from outside")
        host.invoke("Queued", {})
    assert "from the handler\\x1b[31m\\x9b\n" in log.getvalue()
    shown = capsys.readouterr().out
    assert "from outside" in shown
    assert "from the handler" not in shown


def test_lambdas_api_reaches_the_host(host: FunctionHost) -> None:
    submitted: list[tuple[str, Any]] = []
    probe.reset(Queued=lambda event: {"got": event})
    with served_by(host.invoke, lambda function, event: submitted.append((function, event))):
        client = boto3.client("lambda")
        answer = client.invoke(FunctionName="Queued", Payload=json.dumps({"a": "ü"}))
        assert json.loads(answer["Payload"].read()) == {"got": {"a": "ü"}}
        answer = client.invoke(FunctionName="Queued", InvocationType="Event", Payload="{}")
        assert answer["StatusCode"] == 202
        probe.reset(Queued=lambda _: 1 / 0)
        answer = client.invoke(FunctionName="Queued", Payload="{}")
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorType"] == "ZeroDivisionError"
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="Nobody", Payload="{}")
        with pytest.raises(client.exceptions.ClientError, match="ListFunctions is not offered"):
            client.list_functions()
    assert submitted == [("Queued", {})]


def test_a_task_of_a_state_machine_reaches_the_host(host: FunctionHost) -> None:
    probe.reset(Queued=lambda event: {"doubled": event["n"] * 2}, Streamed=lambda _: 1 / 0)
    arns = {name: probe.template().functions[name].arn for name in ("Queued", "Streamed")}
    resource = "arn:aws:states:::lambda:invoke"
    states = {
        "Double": {
            "Type": "Task",
            "Resource": resource,
            "Parameters": {"FunctionName": arns["Queued"], "Payload.$": "$"},
            "ResultSelector": {"n.$": "$.Payload.doubled"},
            "Next": "Fail",
        },
        "Fail": {
            "Type": "Task",
            "Resource": resource,
            "Parameters": {"FunctionName": arns["Streamed"], "Payload.$": "$"},
            "Catch": [{"ErrorEquals": ["ZeroDivisionError"], "ResultPath": "$.error", "Next": "Done"}],
            "End": True,
        },
        "Done": {"Type": "Pass", "End": True},
    }
    client = boto3.client("stepfunctions")
    with served_by(host.invoke, lambda _function, _event: None):
        definition = json.dumps({"StartAt": "Double", "States": states})
        role = "arn:aws:iam::123456789012:role/any"
        machine = client.create_state_machine(name="tasks", definition=definition, roleArn=role)["stateMachineArn"]
        arn = client.start_execution(stateMachineArn=machine, name="one", input='{"n": 21}')["executionArn"]
        probe.wait_until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING")
        output = json.loads(client.describe_execution(executionArn=arn)["output"])
    assert output["n"] == 42
    assert output["error"]["Error"] == "ZeroDivisionError"
