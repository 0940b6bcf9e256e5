"""`speechcall selftest`: a simulated call of Amazon Connect through our own flow and function; and what is refused.

The instance is the laptop's, the function is `follow_call` over moto's tables. Each fault is one that a stack can have.
"""

import json
import time
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from cli.api import Api
from cli.deployment import Place
from cli.doctor.findings import Check, Verdict, examine
from cli.failures import Refusal
from cli.selftest import command, connect_call
from cli.selftest.api_call import ScriptedCall
from cli.selftest.connect_call import SimulatedCall
from cli.selftest.test_case import content
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.shared.adapters.clock import SystemClock
from speechcall.telephony.connect.conversation import parse_report, render_next
from speechcall.telephony.provider import ProviderName
from tests.kit.carrier_bench import ARN, FLOW_ID, INSTANCE, WAIT, bench

REGION, ACCOUNT = "eu-central-1", "123456789012"
NAMES = {"PromptsBucket": "promptsbucket", "MessagesTable": "MessagesTable"}
STEPS = ["beeps", "call", "test-case", "start", "answered", "prompt", "key", "next-prompt", "removed"]


@pytest.fixture(scope="module")
def aws():
    with mock_aws():
        boto3.client("dynamodb", REGION).create_table(
            TableName="MessagesTable",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        where: Any = {"LocationConstraint": REGION}
        boto3.client("s3", REGION).create_bucket(Bucket="promptsbucket", CreateBucketConfiguration=where)
        yield {"dynamodb": boto3.client("dynamodb", REGION), "s3": boto3.client("s3", REGION)}


@contextmanager
def deployed(aws, *, function=None, flow=FLOW_ID, **settings):
    """A stack whose flow, function and instance are real ones; `call` is a simulated call of it."""
    calls, engine = DynamoCalls(aws["dynamodb"], "MessagesTable"), SimpleNamespace(succeed=lambda *_: False)

    def connect_flow(event):
        report = parse_report(event)
        assert report is not None
        return render_next(follow_call(report, calls=calls, engine=engine, clock=SystemClock()))

    files = _Files(aws["s3"])
    with bench([function or connect_flow] * 9, prompts=files, **settings) as b:
        clients = {**aws, "connect": b.connect}
        deployment: Any = SimpleNamespace(
            client=clients.__getitem__,
            name_of=NAMES.__getitem__,
            region=REGION,
        )
        yield SimpleNamespace(
            bench=b,
            aws=aws,
            deployment=deployment,
            call=SimulatedCall(deployment, INSTANCE, flow, sleep=lambda _: time.sleep(0.01)),
        )


class _Files(dict[str, bytes]):
    """The bucket, as the telephony reads it."""

    def __init__(self, s3):
        super().__init__()
        self._s3 = s3

    def __getitem__(self, uri):
        key = uri.partition("amazonaws.com/")[2]
        return self._s3.get_object(Bucket="promptsbucket", Key=key)["Body"].read() if key else b""


def results_of(stack):
    return {one.check.name: one for one in examine(stack.call.checks())}


def nothing_is_left(stack):
    with suppress(ClientError):  # a Region without simulated calls
        assert stack.bench.connect.list_test_cases(InstanceId=INSTANCE)["TestCaseSummaryList"] == []
    assert stack.aws["dynamodb"].scan(TableName="MessagesTable")["Items"] == []


def test_a_call_without_a_phone_goes_through_the_flow_and_leaves_nothing(aws):
    with deployed(aws) as stack:
        found = results_of(stack)
        assert [(name, one.verdict) for name, one in found.items()] == [(name, Verdict.OK) for name in STEPS]
        assert stack.bench.function.heard == ["answered", "key 1"]
        (contact,) = stack.bench.carrier.contacts
        # What the test has seen to its end, the flow ends a moment later
        assert contact.phone.wait_until_ended(WAIT)
        assert contact.initiated_by == "INBOUND"
        nothing_is_left(stack)


def break_down(event):
    raise RuntimeError("no")


def say_hang_up(event):
    return {"op": "hangup", "seq": "0", "promptUri": "none", "seconds": "0"}


FAULTS: list[tuple[str, dict[str, Any], str, Verdict, str]] = [
    ("the function fails", {"function": break_down}, "answered", Verdict.PROBLEM, "did not ask this stack's function"),
    ("the function is another's", {"function": say_hang_up}, "answered", Verdict.PROBLEM, "did not ask"),
    ("no prompt can be played", {"unplayable": lambda uri: True}, "prompt", Verdict.PROBLEM, "could not be played"),
    ("the flow is gone", {"flow": "another"}, "test-case", Verdict.PROBLEM, "no such contact flow"),
    ("the Region has none", {"has_simulated_calls": False}, "test-case", Verdict.UNKNOWN, "does not offer"),
    ("times in milliseconds", {"test_times_in_msec": True}, "removed", Verdict.OK, ""),
]


@pytest.mark.parametrize(("_name", "settings", "at", "verdict", "says"), FAULTS, ids=[one[0] for one in FAULTS])
def test_a_fault_is_found_at_its_step_and_nothing_is_left(aws, _name, settings, at, verdict, says, monkeypatch):
    monkeypatch.setattr(connect_call, "LONGEST_SECONDS", 0.5)
    with deployed(aws, **settings) as stack:
        found = results_of(stack)
        assert found[at].verdict is verdict
        told = " ".join(one.text for one in found[at].findings)
        assert says in told
        assert found["removed"].verdict is Verdict.OK
        nothing_is_left(stack)


def test_a_later_prompt_that_cannot_be_played_is_told_of_the_later_one(aws):
    asked = []

    def second(uri):
        asked.append(uri)
        return len({*asked}) > 1

    with deployed(aws, unplayable=second) as stack:
        found = results_of(stack)
        assert {name for name, one in found.items() if one.verdict is not Verdict.OK} == {"next-prompt"}


def test_a_test_that_never_sees_its_prompt_says_so_and_does_not_blame_the_stack(aws, monkeypatch):
    """As it would be if Amazon Connect told its tests nothing of prompts from S3."""
    monkeypatch.setattr(connect_call, "AFTER_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(connect_call, "content", lambda *_: content("https://other", "https://another"))
    with deployed(aws) as stack:
        found = results_of(stack)
        assert found["answered"].verdict is Verdict.OK
        assert found["key"].verdict is Verdict.UNKNOWN
        assert "did not see the prompt" in found["key"].findings[0].text
        nothing_is_left(stack)


@pytest.mark.parametrize(
    ("operation", "error", "step", "verdict", "says"),
    [
        ("CreateTestCase", "AccessDeniedException", "test-case", Verdict.UNKNOWN, "you may not CreateTestCase"),
        ("StartTestCaseExecution", "AccessDeniedException", "start", Verdict.UNKNOWN, "StartTestCaseExecution"),
        ("StartTestCaseExecution", "ServiceQuotaExceededException", "start", Verdict.UNKNOWN, "100 simulated calls"),
        ("GetTestCaseExecutionSummary", "AccessDeniedException", "answered", Verdict.UNKNOWN, "you may not Get"),
        ("ListTestCaseExecutionRecords", "ThrottlingException", "answered", Verdict.UNKNOWN, "AWS refuses List"),
        ("DeleteTestCase", "AccessDeniedException", "removed", Verdict.WARNING, "is left in the instance"),
        ("CreateTestCase", "EndpointConnectionError", "test-case", Verdict.UNKNOWN, "does not offer"),
        ("CreateTestCase", "LimitExceededException", "test-case", Verdict.UNKNOWN, "LimitExceeded"),
    ],
)
def test_what_you_may_not_do_is_a_finding(aws, operation, error, step, verdict, says):
    with deployed(aws) as stack:

        def refuse(model, **_more):
            if model.name == operation and error == "EndpointConnectionError":
                raise EndpointConnectionError(endpoint_url="https://connect.eu-north-1.amazonaws.com")
            if model.name == operation:
                raise ClientError({"Error": {"Code": error, "Message": "no"}}, operation)

        stack.bench.connect.meta.events.register("before-call.connect.*", refuse)
        found = results_of(stack)
        assert found[step].verdict is verdict
        assert says in found[step].findings[0].text
        assert list(found)[-1] == "removed"
        assert stack.aws["dynamodb"].scan(TableName="MessagesTable")["Items"] == []


def test_a_test_case_that_is_not_taken_tells_the_services_words(aws, monkeypatch):
    monkeypatch.setattr(connect_call, "content", lambda *_: '{"Version": "2025-06-21", "Observations": [{}]}')
    with deployed(aws) as stack:
        found = results_of(stack)
        assert found["test-case"].verdict is Verdict.UNKNOWN
        assert "Version is not 2019-10-30" in found["test-case"].findings[0].text


def test_a_call_that_amazon_connect_did_not_start_is_told_with_its_reason(aws, monkeypatch):
    """The form of these records is not published; this is what somebody was told (flow-as-code, simulate.ts)."""
    reason = {"FailureReasons": ["INITIALIZATION_FAILURE"], "Message": "limit reached"}
    record = {"Record": json.dumps({"Type": "COMPLETION", "CompletionReason": reason})}
    connect = SimpleNamespace(
        meta=SimpleNamespace(events=SimpleNamespace(register=lambda *_: None)),
        create_test_case=lambda **_: {"TestCaseId": "1"},
        start_test_case_execution=lambda **_: {"TestCaseExecutionId": "2"},
        get_test_case_execution_summary=lambda **_: {"Status": "FAILED"},
        list_test_case_execution_records=lambda **_: {"ExecutionRecords": [{"Record": "none"}, record]},
        delete_test_case=lambda **_: None,
    )
    clients = {**aws, "connect": connect}
    deployment: Any = SimpleNamespace(
        client=clients.__getitem__, name_of=lambda name: name.replace("PromptsB", "promptsb"), region=REGION
    )
    call = SimulatedCall(deployment, INSTANCE, FLOW_ID, sleep=lambda _: None)
    found = {one.check.name: one for one in examine(call.checks())}
    assert found["answered"].verdict is Verdict.UNKNOWN
    assert "did not start the simulated call: limit reached" in found["answered"].findings[0].text


def test_what_was_made_is_removed_when_somebody_interrupts_it(aws):
    with deployed(aws) as stack:
        checks = stack.call.checks()
        for check in checks:
            list(examine([check]))
            if check.name == "start":
                break
        checks.close()
        assert next(examine([Check("removed", "", stack.call.remove)])).verdict is Verdict.OK
        nothing_is_left(stack)


# ------------------------------------------------------------------ which test a deployment has
def stack_of(provider, region=REGION, **more):
    given = {"TelephonyProvider": provider, "ConnectInstanceArn": ARN if provider == "connect" else ""}
    described = {
        "StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/prod/1",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com"}],
    }
    cloudformation = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [described]}, **more)
    return SimpleNamespace(client=lambda _service: cloudformation, region=region)


def run(deployment, to=None, shown=None):
    return command.selftest(
        deployment, Place(stack="prod"), ([] if shown is None else shown).append, to=to, as_json=False
    )


def test_chime_is_refused_with_what_helps():
    with pytest.raises(Refusal, match=r"no simulated calls.*trial 15.*doctor"):
        run(stack_of("chime"))


def test_a_number_is_not_dropped_where_none_is_called():
    shown: list[str] = []
    with pytest.raises(typer.BadParameter, match="--to goes with simulated telephony"):
        run(stack_of("connect"), to="+493012345601", shown=shown)
    assert shown == []


def test_an_instance_elsewhere_is_a_finding():
    shown: list[str] = []
    assert run(stack_of("connect", "eu-west-2"), shown=shown) == 1
    assert "The Amazon Connect instance is in eu-central-1" in shown[0]


def test_no_stack_is_a_finding():
    def missing(**_given):
        raise ClientError({"Error": {"Code": "ValidationError", "Message": "no"}}, "DescribeStacks")

    shown: list[str] = []
    deployment = SimpleNamespace(client=lambda _: SimpleNamespace(describe_stacks=missing), region=REGION)
    assert run(deployment, shown=shown) == 1
    assert "There is no stack prod in eu-central-1" in shown[0]


@pytest.mark.parametrize("to", [None, "+493012345699"])
def test_a_simulated_stack_asks_for_a_number(to):
    with pytest.raises(typer.BadParameter, match="ends on 01"):
        run(stack_of("simulated"), to=to)


def test_every_provider_is_known():
    assert {one.value for one in ProviderName} == {"connect", "chime", "simulated"}


# ------------------------------------------------------------------ simulated: by the API
SENT = {"messages": [{"messageId": "1", "status": "sent"}]}
CALL = {"state": "finished", "outcome": "answered", "path": [{"heard": "d1"}]}
ENDED = {"simulated": True, "call": CALL}


@pytest.mark.parametrize(
    ("answers", "verdicts", "says"),
    [
        ([SENT, {"call": {"state": "calling"}}, ENDED], ["ok", "ok", "ok"], ""),
        ([{"messages": [{"status": "rejected", "error": {"message": "no"}}]}], ["problem"], "refused: no"),
        ([SENT, {"call": {"state": "queued"}}, {"call": {"state": "queued"}}], ["ok", "unknown"], "still queued"),
        ([SENT, {**ENDED, "call": {**CALL, "outcome": "busy", "path": []}}], ["ok", "ok", "problem"], "busy"),
        ([SENT, {"call": CALL}], ["ok", "ok", "problem"], "does not say"),
    ],
)
def test_a_simulated_stack_is_sent_one_message(answers, verdicts, says):
    requests = []

    def answer(request):
        requests.append(request)
        return httpx.Response(200, json=answers.pop(0))

    times = iter([0.0, 1.0, 500.0])
    api = Api("https://api.example.com", httpx.Client(transport=httpx.MockTransport(answer)))
    call = ScriptedCall(api, "+493012345601", sleep=lambda _: None, clock=lambda: next(times))
    found = list(examine(call.checks()))
    assert [one.verdict.value for one in found] == verdicts
    assert says in " ".join(finding.text for one in found for finding in one.findings)
    (message,) = json.loads(requests[0].content)["messages"]
    assert message["to"] == "+493012345601"
    assert "webhook" not in json.dumps(message)
