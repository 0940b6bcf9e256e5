"""Amazon Connect and Step Functions behind their ports: requests as they go out, failures as they come back."""

import datetime as dt
import itertools
import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from speechcall.calls.rules.call import Cause, Command, Kind
from speechcall.calls.use_cases.place_call import PATIENCE_SECONDS
from speechcall.calls.use_cases.report import HANG_UP, Heard, Next, Op
from speechcall.dialling.adapters.executions import resume_execution
from speechcall.dialling.use_cases.sweep import Execution
from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.adapters.machines import MachineMissing, begin_execution
from speechcall.menus.adapters.published_flows import PublishedFlows
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.compile_flow import Wiring
from speechcall.shared.adapters.settings import AWS_CONFIG, CALLER_WAITS_CONFIG
from speechcall.shared.adapters.stepfunctions import TaskEngine
from speechcall.shared.rules.errors import (
    DestinationRefused,
    EngineUnavailable,
    MenusRefused,
    TelephonyMisconfigured,
    TelephonyThrottled,
    TelephonyUnavailable,
)
from speechcall.shared.use_cases.tasks import TaskAnswer
from speechcall.telephony.connect.client import CLIENT_CONFIG, DIAL_CONFIG, ConnectTelephony, to_contact
from speechcall.telephony.connect.contact_events import parse_contact_event
from speechcall.telephony.connect.conversation import parse_report, render_next
from tests.kit.samples import ASK, CALL, MENU, MID

EVENTS = Path(__file__).parents[2] / "events"
CONTACT = "0f4d7c60-1111-4222-8333-444455556666"
WHEN = dt.datetime(2026, 9, 21, 12, 0, tzinfo=dt.UTC)
NEVER = dt.datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=dt.UTC)
GONE = ["ResourceNotFoundException", "ContactNotFoundException"]


@pytest.fixture(scope="module")
def clients():
    session = boto3.Session("testing", "testing", region_name="eu-central-1")
    return {"connect": session.client("connect"), "stepfunctions": session.client("stepfunctions")}


@pytest.fixture
def connect(clients):
    with Stubber(clients["connect"]) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def telephony(connect):
    return ConnectTelephony(lambda: connect.client, "instance", "flow", "+4930123456")


@pytest.fixture
def engine(clients):
    with Stubber(clients["stepfunctions"]) as stub:
        yield stub
        stub.assert_no_pending_responses()


def broken(monkeypatch, stub, error):
    """Every request of a client ends in `error`, before it has an answer."""

    def make_api_call(*_):
        raise error

    monkeypatch.setattr(type(stub.client), "_make_api_call", make_api_call)


NETWORK = [
    ReadTimeoutError(endpoint_url="https://x"),
    ConnectTimeoutError(endpoint_url="https://x"),
    EndpointConnectionError(endpoint_url="https://x"),
]


# ------------------------------------------------------------------- placing
def test_a_call_is_placed_once_a_call_attempt_and_knows_whose_it_is(connect, telephony):
    expected = {
        "InstanceId": "instance",
        "ContactFlowId": "flow",
        "DestinationPhoneNumber": CALL.number,
        "SourcePhoneNumber": "+4930123456",
        "ClientToken": f"{MID}-1",
        "Attributes": {"mid": MID, "attempt": "1"},
    }
    connect.add_response("start_outbound_voice_contact", {"ContactId": CONTACT}, expected)
    assert telephony.place(CALL, 45) == CONTACT
    # The instance is told for how long a phone may ring only where an operator has asked for it.
    told = ConnectTelephony(lambda: connect.client, "instance", "flow", "+4930123456", provider_rings=True)
    connect.add_response(
        "start_outbound_voice_contact", {"ContactId": CONTACT}, expected | {"RingTimeoutInSeconds": 45}
    )
    assert told.place(CALL, 45) == CONTACT


@pytest.mark.parametrize("method", ["place", "stop", "look_up"])
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TooManyRequestsException", 429, TelephonyThrottled),
        ("ThrottlingException", 400, TelephonyThrottled),
        ("LimitExceededException", 429, TelephonyThrottled),
        ("InternalServiceException", 500, TelephonyUnavailable),
        ("ServiceUnavailable", 503, TelephonyUnavailable),
    ],
)
def test_a_provider_in_trouble_is_an_error_that_may_pass(connect, telephony, method, code, status, error):
    operation = {"place": "start_outbound_voice_contact", "stop": "stop_contact", "look_up": "describe_contact"}
    connect.add_client_error(operation[method], code, f"no {CALL.number}", http_status_code=status)
    with pytest.raises(error) as raised:
        telephony.place(CALL, 45) if method == "place" else getattr(telephony, method)(CONTACT)
    assert CALL.number not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "status", "maybe_done"),
    [
        ("InternalServiceException", 500, True),
        ("ServiceUnavailable", 503, True),
        ("RequestTimeoutException", 408, True),
        ("ConflictException", 409, True),
        ("IdempotencyException", 409, True),
    ],
)
def test_an_error_that_says_nothing_about_its_request_leaves_a_question(connect, telephony, code, status, maybe_done):
    connect.add_client_error("start_outbound_voice_contact", code, http_status_code=status)
    with pytest.raises(TelephonyUnavailable) as raised:
        telephony.place(CALL, 45)
    assert raised.value.maybe_done is maybe_done


@pytest.mark.parametrize(
    ("failure", "maybe_done"),
    [
        (NETWORK[0], True),
        (ConnectionClosedError(endpoint_url="https://x"), True),
        (NETWORK[1], False),
        (NETWORK[2], False),
        (NoCredentialsError(), False),
    ],
)
def test_whether_a_call_may_have_been_placed_all_the_same(connect, telephony, monkeypatch, failure, maybe_done):
    broken(monkeypatch, connect, failure)
    with pytest.raises(TelephonyUnavailable) as raised:
        telephony.place(CALL, 45)
    assert raised.value.maybe_done is maybe_done


@pytest.mark.parametrize("method", ["place", "stop", "look_up"])
@pytest.mark.parametrize("failure", NETWORK)
def test_a_provider_that_cannot_be_reached_is_an_error_that_may_pass(connect, telephony, monkeypatch, method, failure):
    broken(monkeypatch, connect, failure)
    with pytest.raises(TelephonyUnavailable):
        telephony.place(CALL, 45) if method == "place" else getattr(telephony, method)(CONTACT)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [("OUTBOUND_DESTINATION_ENDPOINT_ERROR", Cause.BLOCKED), ("OUTBOUND_RESOURCE_ERROR", Cause.FAILED)],
)
def test_an_end_before_anything_rang_has_its_cause(reason, cause):
    over = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    assert to_contact("c", {"DisconnectTimestamp": over, "DisconnectReason": reason}).cause is cause


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("DestinationNotAllowedException", "Outbound calls to {} are not allowed", "destinationNotAllowed"),
        ("InvalidParameterException", "DestinationPhoneNumber {} is not valid", "invalidNumber"),
        ("InvalidRequestException", "Value at 'destinationPhoneNumber' {}", "invalidNumber"),
    ],
)
def test_a_number_that_will_never_be_called_is_refused_with_a_reason(connect, telephony, code, message, reason):
    text = message.format(CALL.number)
    connect.add_client_error("start_outbound_voice_contact", code, text, http_status_code=400)
    with pytest.raises(DestinationRefused, match=reason) as refused:
        telephony.place(CALL, 45)
    assert CALL.number not in str(refused.value)


OURS = (DestinationRefused, TelephonyMisconfigured, TelephonyThrottled, TelephonyUnavailable)


@pytest.mark.parametrize(
    ("method", "operation"),
    [("place", "StartOutboundVoiceContact"), ("stop", "StopContact"), ("look_up", "DescribeContact")],
)
def test_every_modelled_error_is_one_of_ours(connect, telephony, method, operation):
    # Given every error that the service's own description has for the operation
    shapes = connect.client.meta.service_model.operation_model(operation).error_shapes
    assert len(shapes) >= 4
    for shape in shapes:
        name = {"place": "start_outbound_voice_contact", "stop": "stop_contact", "look_up": "describe_contact"}[method]
        connect.add_client_error(name, shape.name, "no", http_status_code=shape.metadata["error"]["httpStatusCode"])
        # Then it is an error that our callers decide by, or none: a contact that is gone
        if method != "place" and shape.name in GONE:
            found = getattr(telephony, method)(CONTACT)
            assert method == "stop" or found.ended
            continue
        with pytest.raises(OURS):
            telephony.place(CALL, 45) if method == "place" else getattr(telephony, method)(CONTACT)


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        ("InvalidParameterException", "SourcePhoneNumber is not claimed in the instance", 400),
        ("OutboundContactNotPermittedException", "The contact is not permitted", 403),
        ("InvalidParameterException", "Invalid parameter", 400),
        ("InvalidRequestException", "The contact flow is not published", 400),
        ("ResourceNotFoundException", "no such contact flow", 404),
        ("AccessDeniedException", "not authorized to perform connect:StartOutboundVoiceContact", 403),
    ],
)
def test_a_setting_of_ours_that_is_refused_is_not_the_numbers_fault(connect, telephony, code, message, status):
    connect.add_client_error("start_outbound_voice_contact", code, message, http_status_code=status)
    with pytest.raises(TelephonyMisconfigured, match=code):
        telephony.place(CALL, 45)


def test_a_request_that_cannot_even_be_made_is_our_settings_fault(clients):
    told = ConnectTelephony(lambda: clients["connect"], "instance", "flow", "+4930123456", provider_rings=True)
    with pytest.raises(TelephonyMisconfigured):
        told.place(CALL, 3)


@pytest.mark.parametrize("method", ["stop", "look_up"])
def test_what_an_operator_has_to_mend_is_not_tried_again(connect, telephony, method):
    operation = {"stop": "stop_contact", "look_up": "describe_contact"}
    connect.add_client_error(operation[method], "AccessDeniedException", http_status_code=403)
    with pytest.raises(TelephonyMisconfigured, match="AccessDenied"):
        getattr(telephony, method)(CONTACT)


def test_a_contact_is_stopped(connect, telephony):
    connect.add_response("stop_contact", {}, {"ContactId": CONTACT, "InstanceId": "instance"})
    telephony.stop(CONTACT)


@pytest.mark.parametrize("code", GONE)
def test_a_contact_that_is_gone_is_stopped_and_has_ended(connect, telephony, code):
    connect.add_client_error("stop_contact", code, http_status_code=404)
    connect.add_client_error("describe_contact", code, http_status_code=404)
    telephony.stop(CONTACT)
    found = telephony.look_up(CONTACT)
    assert found.contact_id == CONTACT
    assert found.ended is True
    assert found.answered is False
    assert found.cause == Cause.FAILED
    assert found.missing


# ---------------------------------------------------------------- looking up
def test_a_contact_is_looked_up_with_its_attributes(connect, telephony):
    contact = {"Attributes": {"mid": MID, "attempt": "1"}, "ConnectedToSystemTimestamp": WHEN}
    expected = {"InstanceId": "instance", "ContactId": CONTACT}
    connect.add_response("describe_contact", {"Contact": contact}, expected)
    found = telephony.look_up(CONTACT)
    assert dict(found.attributes) == {"mid": MID, "attempt": "1"}
    assert found.ended is False
    assert found.answered is True
    assert found.cause is None


@pytest.mark.parametrize(
    ("reason", "answered", "cause"),
    [
        ("TELECOM_BUSY", False, Cause.BUSY),
        ("TELECOM_UNANSWERED", False, Cause.NO_ANSWER),
        ("TELECOM_TIMEOUT", False, Cause.NO_ANSWER),
        ("TELECOM_ORIGINATOR_CANCEL", False, Cause.NO_ANSWER),
        ("TELECOM_NUMBER_INVALID", False, Cause.INVALID_NUMBER),
        ("TELECOM_POTENTIAL_BLOCKING", False, Cause.BLOCKED),
        ("TELECOM_PROBLEM", False, Cause.FAILED),
        ("CUSTOMER_DISCONNECT", True, Cause.CALLER_HUNG_UP),
        ("CONTACT_FLOW_DISCONNECT", True, Cause.HUNG_UP),
        ("API", True, Cause.STOPPED),
        ("EXPIRED", True, Cause.STOPPED),
        ("SOMETHING_NEW", True, Cause.STOPPED),
        ("SOMETHING_NEW", False, Cause.FAILED),
        (None, True, Cause.CALLER_HUNG_UP),
        (None, False, Cause.NO_ANSWER),
        ("", False, Cause.NO_ANSWER),
    ],
)
def test_why_a_contact_ended(reason, answered, cause):
    described = {"DisconnectTimestamp": WHEN, "ConnectedToSystemTimestamp": WHEN if answered else None}
    if reason is not None:
        described["DisconnectReason"] = reason
    found = to_contact(CONTACT, described)
    assert found.ended is True
    assert found.answered == answered
    assert found.cause == cause
    assert found.cause_is_guess == (not reason)


@pytest.mark.parametrize("unset", [None, NEVER])
def test_a_time_in_1970_is_no_time(unset):
    # Given a contact that rings, as the documentation's samples show it
    found = to_contact(CONTACT, {"ConnectedToSystemTimestamp": unset, "DisconnectTimestamp": unset})
    # Then it has neither been answered nor ended
    assert found.ended is False
    assert found.answered is False
    assert found.cause is None


@pytest.mark.parametrize("attributes", [None, {}])
def test_a_contact_without_attributes_is_nobodys(attributes):
    assert to_contact(CONTACT, {"Attributes": attributes}).attributes == {}


# -------------------------------------------------------------------- events
def contact_event(**detail):
    return {"detail": {"contactId": CONTACT, "eventType": "DISCONNECTED", **detail}}


@pytest.mark.parametrize(
    "event",
    [None, [], "x", {}, {"detail": None}, {"detail": {}}, {"detail": []}]
    + [contact_event(contactId=given) for given in ("", 1, None, "x" * 257, "a b", "€", ["a"])],
)
def test_an_event_about_no_contact_is_none(event):
    assert parse_contact_event(event) is None


@pytest.mark.parametrize(
    ("detail", "ended", "answered"),
    [
        ({"connectedToSystemTimestamp": "2026-11-22T09:30:16.000Z"}, True, True),
        ({"ConnectedToSystemTimestamp": "2026-11-22T09:30:16.000Z", "EventType": "COMPLETED"}, True, True),
        ({"connectedToSystemTimestamp": "1970-01-01T00:00:00.001Z"}, True, False),
        ({"connectedToSystemTimestamp": None}, True, False),
        ({"connectedToSystemTimestamp": 1}, True, False),
        ({"eventType": "Completed"}, True, False),
        ({"eventType": "INITIATED"}, False, False),
        ({"eventType": None}, False, False),
        ({"eventType": ["DISCONNECTED"]}, False, False),
    ],
)
def test_an_event_says_whether_its_contact_has_ended_and_was_answered(detail, ended, answered):
    told = parse_contact_event(contact_event(**detail))
    assert told.contact_id == CONTACT
    assert told.ended == ended
    assert told.answered == answered


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("flow-answered", Heard("answered", 0)),
        ("flow-key", Heard("key", 2, "1")),
        ("flow-idle", Heard("idle", 2)),
        ("flow-next", Heard("next", 2)),
    ],
)
def test_the_contact_flow_says_which_call_it_is_and_what_it_heard(name, heard):
    report = parse_report(json.loads((EVENTS / "connect" / f"{name}.json").read_text()))
    assert report.heard.event == heard.event
    assert report.heard.key == heard.key
    assert report.mid.isdigit()
    assert report.attempt == 1
    assert report.contact_id


def flow_event(parameters=None, attributes=None, **contact):
    data = {"ContactId": CONTACT, "Attributes": attributes or {"mid": MID, "attempt": "1"}, **contact}
    return {"Details": {"ContactData": data, "Parameters": parameters or {"event": "key", "seq": "2", "key": "#"}}}


def test_keys_and_seq_come_as_text():
    assert parse_report(flow_event()).heard == Heard("key", 2, "#")
    for protocol in ("1", "2"):
        assert parse_report(flow_event({"event": "answered", "protocol": protocol})).heard == Heard("answered", 0, "")


@pytest.mark.parametrize(
    ("stored", "heard"),
    [("4071", Heard("digits", 2, "4071")), ("", Heard("digits", 2, "")), ("Timeout", Heard("idle", 2))],
)
def test_digits_come_as_they_were_stored_and_their_timeout_is_silence(stored, heard):
    assert parse_report(flow_event({"event": "digits", "seq": "2", "digits": stored})).heard == heard


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Details": None},
        {"Details": {"ContactData": {}, "Parameters": {}}},
        flow_event({"event": "dance"}),
        flow_event({"key": "1"}),
        flow_event({"event": "key", "seq": "two"}),
        flow_event(attributes={"attempt": "1"}),
        flow_event(attributes={"mid": MID}),
        flow_event(attributes={"mid": MID, "attempt": "one"}),
        flow_event(attributes={"mid": "1" * 3000, "attempt": "1"}),
        flow_event(attributes={"mid": MID, "attempt": "1" * 3000}),
        flow_event({"event": "key", "seq": float("inf")}),
        flow_event({"event": "answered", "protocol": "3"}),
        None,
        "x",
        flow_event(Attributes=None),
    ],
)
def test_a_report_that_is_none_of_ours_is_none(event):
    assert parse_report(event) is None


NO_DIGITS = {"maxDigits": "1", "interDigitSeconds": "3", "endKey": "#", "bargeIn": "true", "silenceUri": "none"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (HANG_UP, {"op": "hangup", "seq": "0", "promptUri": "none", "seconds": "0", **NO_DIGITS}),
        (Next(Op.HOLD, 3), {"op": "hold", "seq": "3", "promptUri": "none", "seconds": "0", **NO_DIGITS}),
        (
            Next(Op.ASK, 2, Command(Kind.ASK, 0), CALL),
            {"op": "ask", "seq": "2", "promptUri": ASK.prompt_uri, "seconds": "10", **NO_DIGITS},
        ),
        (
            Next(Op.ASK, 2, Command(Kind.ASK, 0), CALL._replace(asks=(ASK._replace(input=Input(2, 8, "*", 1500)),))),
            {
                "op": "input",
                "seq": "2",
                "promptUri": ASK.prompt_uri,
                "seconds": "10",
                "maxDigits": "8",
                "interDigitSeconds": "2",
                "endKey": "*",
                "bargeIn": "true",
                "silenceUri": "none",
            },
        ),
        (
            Next(Op.HANG_UP, 3, Command(Kind.HANG_UP), CALL),
            {"op": "hangup", "seq": "3", "promptUri": "none", "seconds": "0", **NO_DIGITS},
        ),
    ],
)
def test_the_flow_gets_every_field_as_text_each_time(step, expected):
    assert render_next(step) == expected


# -------------------------------------------------------------------- engine
ANSWER: TaskAnswer = {"event": "key", "key": "d1", "seq": 2}


def test_the_first_answer_to_a_task_is_the_first(engine):
    engine.add_response("send_task_success", {}, {"taskToken": "t", "output": json.dumps(ANSWER)})
    engine.add_response("send_task_failure", {}, {"taskToken": "t", "error": "NotAnswered", "cause": "busy"})
    assert TaskEngine(engine.client).succeed("t", ANSWER)
    assert TaskEngine(engine.client).fail("t", "NotAnswered", "busy")


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_any_other_answer_is_told_so(engine, code):
    engine.add_client_error("send_task_success", code, http_status_code=400)
    engine.add_client_error("send_task_failure", code, http_status_code=400)
    assert not TaskEngine(engine.client).succeed("t", ANSWER)
    assert not TaskEngine(engine.client).fail("t", "NotAnswered", "x")


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalFailure", 500), ("ServiceUnavailable", 503)]
)
def test_an_engine_in_trouble_is_an_error_that_may_pass(engine, code, status):
    for operation in ("send_task_success", "send_task_failure", "start_execution"):
        engine.add_client_error(operation, code, http_status_code=status)
    with pytest.raises(EngineUnavailable):
        TaskEngine(engine.client).succeed("t", ANSWER)
    with pytest.raises(EngineUnavailable):
        TaskEngine(engine.client).fail("t", "NotAnswered", "x")
    with pytest.raises(EngineUnavailable):
        begin_execution(engine.client, "arn:m", "1-1", {})


@pytest.mark.parametrize("failure", NETWORK)
def test_an_engine_that_cannot_be_reached_is_an_error_that_may_pass(engine, monkeypatch, failure):
    broken(monkeypatch, engine, failure)
    with pytest.raises(EngineUnavailable):
        TaskEngine(engine.client).succeed("t", ANSWER)
    with pytest.raises(EngineUnavailable):
        begin_execution(engine.client, "arn:m", "1-1", {})


ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:12345678-x"


def test_an_execution_runs_whoever_started_it_or_has_ended(engine):
    started = {"executionArn": ARN, "startDate": WHEN}
    engine.add_response("start_execution", started, {"stateMachineArn": ARN, "name": "1-1", "input": '{"mid": "1"}'})
    engine.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    assert begin_execution(engine.client, ARN, "1-1", {"mid": "1"}) == WHEN
    engine.add_client_error("start_execution", "StateMachineDoesNotExist", http_status_code=400)
    assert begin_execution(engine.client, ARN, "1-1", {"mid": "1"}) is None
    with pytest.raises(MachineMissing):
        begin_execution(engine.client, ARN, "1-1", {"mid": "1"})
    engine.add_client_error("start_execution", "StateMachineDoesNotExist", http_status_code=400)
    assert resume_execution(engine.client, ARN, "1-1", {"mid": "1"}) is Execution.ENDED


@pytest.mark.parametrize(("age", "execution"), [(0, Execution.STARTED), (60, Execution.RUNS)])
def test_an_execution_that_was_just_started_is_told_from_one_that_runs(engine, age, execution):
    started = {"executionArn": ARN, "startDate": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)}
    engine.add_response("start_execution", started)
    assert resume_execution(engine.client, ARN, "1-1", {}) is execution


@pytest.mark.parametrize(
    ("status", "execution"),
    [
        ("RUNNING", Execution.RUNS),
        ("SUCCEEDED", Execution.ENDED),
        ("ABORTED", Execution.ENDED),
        (None, Execution.ENDED),
    ],
)
def test_an_execution_that_another_release_has_started_with_another_input_is_looked_at(engine, status, execution):
    engine.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    arn = f"{ARN}:1-1".replace(":stateMachine:", ":execution:")
    asked = {"executionArn": arn}
    if status:
        found = {"executionArn": arn, "stateMachineArn": ARN, "startDate": WHEN, "status": status}
        engine.add_response("describe_execution", found, asked)
    else:
        engine.add_client_error("describe_execution", "ExecutionDoesNotExist", http_status_code=400)
    assert resume_execution(engine.client, ARN, "1-1", {}) is execution


def test_an_engine_that_does_not_say_whether_an_execution_runs_is_asked_again(engine):
    engine.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    engine.add_client_error("describe_execution", "ThrottlingException", http_status_code=400)
    with pytest.raises(EngineUnavailable):
        resume_execution(engine.client, ARN, "1-1", {})


class Machines(Registry):
    """The names of published machines, in memory."""

    def __init__(self):
        self.known = {}

    def find_flow(self, name):
        return self.known.get(name)

    def put_flow(self, name, arn):
        self.known[name] = arn


def test_a_machine_is_created_once_a_shape_and_found_by_other_diallers(engine):
    registry, wiring = Machines(), Wiring("arn:c", "arn:f", "https://q")
    first, second = (PublishedFlows(engine.client, registry, wiring, "arn:role", "12345678") for _ in range(2))
    engine.add_response("create_state_machine", {"stateMachineArn": ARN, "creationDate": WHEN})
    assert [flows.publish((MENU,)) for flows in (first, first, second)] == [ARN] * 3
    (name,) = registry.known
    assert name.startswith("12345678-")


def test_a_machine_that_cannot_be_created_now_is_an_error_that_may_pass(engine):
    wiring = Wiring("arn:c", "arn:f", "https://q")
    minutes = itertools.count(step=60.0).__next__
    flows = PublishedFlows(engine.client, Machines(), wiring, "arn:role", "12345678", monotonic=minutes)
    for code, status in (("ThrottlingException", 400), ("StateMachineDeleting", 400), ("InternalFailure", 500)):
        engine.add_client_error("create_state_machine", code, http_status_code=status)
        with pytest.raises(EngineUnavailable):
            flows.publish((MENU,))


def test_a_machine_that_can_never_be_created_is_another_error_than_one_that_an_operator_can_mend(engine):
    flows = PublishedFlows(engine.client, Machines(), Wiring("arn:c", "arn:f", "https://q"), "arn:role", "12345678")
    for code, error in (
        ("InvalidDefinition", MenusRefused),
        ("StateMachineLimitExceeded", ClientError),
        ("AccessDeniedException", ClientError),
    ):
        engine.add_client_error("create_state_machine", code, f"at {ARN}", http_status_code=400)
        with pytest.raises(error) as raised:
            flows.publish((MENU,))
        # The sender is told of it, and is none to be told our ARNs.
        assert ("arn:" in str(raised.value)) == (error is ClientError)


# ------------------------------------------------------------------- patience
def worst_seconds(config):
    attempts = config.retries["total_max_attempts"]
    return attempts * (config.connect_timeout + config.read_timeout)


@pytest.mark.parametrize(
    ("config", "limit"),
    [(AWS_CONFIG, 30), (CLIENT_CONFIG, 30), (DIAL_CONFIG, 30 - PATIENCE_SECONDS), (CALLER_WAITS_CONFIG, 8)],
)
def test_one_request_ends_before_lambda_would_end_the_function(config, limit):
    assert worst_seconds(config) < limit
