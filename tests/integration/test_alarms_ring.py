"""Every alarm is provoked: the fault is made, its metric is sent, its own rule raises it, and one page is sent.

The functions, the receiver, queues, triggers and the metrics are those of the laptop; the rules are read from the
template as it is deployed. After the repair each alarm ends by itself.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import boto3
import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.cloud.api_gateway import ApiGateway
from local.cloud.providers.connect import INSTANCE_ARN, INSTANCE_ID
from local.cloud.seed import WEBHOOK_SECRET
from local.cloud.simulated_providers import CALLER_ID, parameters_of
from local.cloud.template import TEMPLATE, Template, read_template
from local.cloud.triggers.asynchronous import AsynchronousInvocations
from local.cloud.triggers.streams import StreamTrigger
from local.common.journal import Journal
from local.network.connect.settings import CarrierSettings
from local.network.connect.simulator import Carrier
from local.network.shared.scripted_callees import Script, answer
from local.network.shared.wire import ServiceError
from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.call_log import Entry, Then, ThenKind
from speechcall.menus.rules.menu import Hangup, Menu
from speechcall.menus.rules.speech import Say
from speechcall.shared.rules.outcome import EXPIRED, End
from speechcall.telephony.provider import ProviderName
from speechcall.telephony.simulated.events import MOST_TRIES
from speechcall.webhooks.adapters.seal import KmsSeal
from speechcall.webhooks.adapters.secrets_store import DynamoWebhookSecrets
from speechcall.webhooks.use_cases.webhook_secrets import rotate_secret
from tests.kit.cloudwatch.alarm_bench import MINUTES_OF_CALM, AlarmBench, Fault, alarm_bench, load
from tests.kit.samples import MESSAGE
from tests.kit.store_samples import LOGGED

TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"
SPOKEN = Say("Hello.", "en-GB", "Amy")

Bench = AlarmBench


def stack(telephony: ProviderName) -> Template:
    return read_template(TEMPLATE, {**parameters_of(telephony), "AlarmTopicArn": TOPIC})


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> Iterator[AlarmBench]:
    """Of the stack of the provider that the test names."""
    with alarm_bench(stack(request.param)) as bench:
        yield bench


@pytest.fixture
def bench(made: AlarmBench) -> AlarmBench:
    made.begin()
    return made


# ------------------------------------------------------- events of one call
def flow_event(name: str, mid: str) -> Any:
    event = load(f"connect/{name}.json")
    event["Details"]["ContactData"]["Attributes"]["mid"] = mid
    return event


def dial(mid: str) -> Any:
    return {**load("stepfunctions/control-call-dial.json"), "mid": mid}


def execution(mid: str, status: str) -> Any:
    event = load("stepfunctions/execution-failed.json")
    event["detail"].update(name=f"{mid}-1", status=status)
    return event


def finish(bench: Bench, mid: str) -> Any:
    return bench.invoke("FinishCallFunction", {"mid": mid, "attempt": 1, "end": "failed"})


# ------------------------------------------------------------------- faults
REPORTS: dict[str, Callable[[str], Any]] = {
    "ConnectFlowFunction": lambda mid: flow_event("flow-answered", mid),
    "ControlCallFunction": dial,
    "FinishCallFunction": lambda mid: {"mid": mid, "attempt": 1, "end": "failed"},
    "AskReceiverFunction": lambda mid: {**load("stepfunctions/ask-receiver.json"), "mid": mid},
}


def table_fails(function: str) -> Fault:
    """The table cannot be reached, whatever is asked of it."""

    def fault(bench: Bench) -> None:
        bench.refused["dynamodb.*"] = "InternalServerError"
        for _ in range(3):
            bench.invoke(function, REPORTS[function]("1"))
        bench.minutes()

    return fault


def no_room(function: str) -> Fault:
    """All executions that Lambda has are taken."""

    def fault(bench: Bench) -> None:
        bench.functions.no_room.add(function)
        for _ in range(3):
            bench.invoke(function, REPORTS[function]("1"))
        bench.minutes()

    return fault


def table_is_slow(function: str, seconds: float) -> Fault:
    """In two minutes of five a request to the table takes so long."""

    def fault(bench: Bench) -> None:
        for _ in range(2):
            bench.slow["dynamodb"] = seconds
            bench.invoke(function, REPORTS[function]("1"))
            bench.minutes(2)

    return fault


def clock_fails(function: str) -> Fault:
    """The table cannot be reached; what the clock runs fails each minute."""

    def fault(bench: Bench) -> None:
        bench.refused["dynamodb.*"] = "InternalServerError"
        for _ in range(3):
            bench.tick(function)
            bench.minutes()

    return fault


def callee_waits(bench: Bench) -> None:
    """The table takes its time while somebody who has answered waits."""
    message = bench.call(LOGGED)
    bench.slow["dynamodb"] = 2.5
    assert bench.invoke("ConnectFlowFunction", flow_event("flow-answered", message.mid))["op"] == "ask"
    bench.minutes()


ANSWERED = Entry(1, None, "answered", "", 0, Then(ThenKind.ASK, 0))


def machine_is_silent(bench: Bench) -> None:
    """A key after which only the state machine knows what follows; and it says nothing for half a minute."""
    message = bench.call(LOGGED, [ANSWERED, Entry(2, 0, "key", "d2", 0, Then(ThenKind.WAIT))])
    bench.later(31)
    assert bench.invoke("ConnectFlowFunction", flow_event("flow-next", message.mid))["op"] == "hangup"
    bench.minutes()


def ended(bench: Bench, cause: Cause, stop_reason: str = "", heard: Sequence[Entry] = ()) -> str:
    """A call that has ended so; its message's id."""
    message = bench.call(LOGGED, heard)
    if stop_reason:
        bench.calls.set_stop_reason(message.mid, 1, stop_reason)
    bench.later(2)
    bench.calls.end(message.mid, 1, cause, bench.msec)
    return message.mid


def ends(cause: Cause, stop_reason: str = "") -> Fault:
    """Somebody answered, nothing was asked of them, and the call ended so."""

    def fault(bench: Bench) -> None:
        nothing_asked = ANSWERED._replace(then=Then(ThenKind.WAIT))
        assert finish(bench, ended(bench, cause, stop_reason, [nothing_asked]))["outcome"] == "failed"
        bench.minutes()

    return fault


def refused_settings(bench: Bench) -> None:
    """Amazon Connect does not know the contact flow."""
    bench.refused["StartOutboundVoiceContact"] = "ResourceNotFoundException"
    assert bench.invoke("ControlCallFunction", dial(bench.claimed().mid))["refused"] == "telephonyMisconfigured"
    bench.minutes()


def execution_ends(status: str) -> Fault:
    """EventBridge tells of it; the callee had hung up."""

    def fault(bench: Bench) -> None:
        mid = ended(bench, Cause.CALLER_HUNG_UP, heard=[ANSWERED])
        assert bench.invoke("FinishCallFunction", execution(mid, status))
        bench.minutes()

    return fault


def settles_for_ever(bench: Bench) -> None:
    """Nothing can be written at the end of a call: its message stays as it is."""
    mid = ended(bench, Cause.FAILED)
    message = bench.messages.get(mid)
    assert message is not None
    assert bench.messages.settle(message, End.NOT_ANSWERED, EXPIRED, bench.msec)
    bench.refused.update(dict.fromkeys(("UpdateItem", "TransactWriteItems"), "InternalServerError"))
    bench.later(660)
    bench.tick("SweepFunction")
    bench.minutes()


def event_is_not_taken(bench: Bench) -> None:
    """What EventBridge does with an event that Lambda would not take for an hour."""
    bench.put("EventDeadLetterQueue", json.dumps(load("connect/contact-disconnected.json")))
    bench.minutes()


def event_fails(bench: Bench) -> None:
    """The table cannot be reached at each of the three tries."""
    bench.refused["dynamodb.*"] = "InternalServerError"
    later = AsynchronousInvocations(bench.template, bench.functions, (0.0, 0.0))
    spec = bench.template.functions["ConnectEventsFunction"]
    later._run(spec, json.dumps(load("connect/contact-disconnected.json")))
    bench.minutes()


def change_fails(bench: Bench) -> None:
    """A change of the table at which a function failed the last of its times."""
    bench.refused["dynamodb.*"] = "InternalServerError"
    spec = bench.template.functions["PreparePromptsFunction"]
    (event,) = (one for one in spec.events if one.type == "DynamoDB")
    change = load("dynamodb/message-inserted.json")["Records"]
    change[-1]["dynamodb"]["ApproximateCreationDateTime"] = bench.msec / 1000
    StreamTrigger(spec, event, bench.functions.invoke)._handle(change, int(event.properties["MaximumRetryAttempts"]))
    bench.minutes()


def stream_is_late(function: str, event: str) -> Fault:
    """The stream was not read for a while."""

    def fault(bench: Bench) -> None:
        for _ in range(2):
            batch = load(event)
            batch["Records"][-1]["dynamodb"]["ApproximateCreationDateTime"] = bench.msec / 1000 - 90
            bench.invoke(function, batch)
            bench.minutes()

    return fault


def queue_stands(queue: str, seconds: float) -> Fault:
    """A queue was not read for a while."""

    def fault(bench: Bench) -> None:
        bench.put(queue)
        bench.later(seconds)
        bench.minutes(4)

    return fault


def received_too_often(queue: str) -> Fault:
    """A message that came back each time, and was received as often as may be."""

    def fault(bench: Bench) -> None:
        redrive = bench.template.resource(queue)["Properties"]["RedrivePolicy"]
        bench.put(queue, received=int(redrive["maxReceiveCount"]))
        assert bench.receive(queue) == []
        bench.minutes()

    return fault


def moment_fails(bench: Bench) -> None:
    """The table cannot be reached, however often the next moment of a simulated call is received."""
    bench.refused["dynamodb.*"] = "InternalServerError"
    event = load("simulated/answered.json")
    (record,) = event["Records"]
    record["body"] = json.dumps({**json.loads(record["body"]), "tries": MOST_TRIES})
    bench.put("SimulatedCallsQueue", record["body"])
    while bench.receive("SimulatedCallsQueue"):
        failed = bench.invoke("SimulatedCallsFunction", event)
        assert failed == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
        bench.later(61)
    bench.minutes()


def bucket_is_shut(bench: Bench) -> None:
    """Nothing can be put into the bucket for half an hour."""
    bench.refused["PutObject"] = "InternalError"
    message = bench.message(menus=(Menu(SPOKEN.name, 10_000, {"d1": (Hangup(),)}, SPOKEN),))
    job = load("sqs/prompt.json")
    job["Records"][0]["body"] = json.dumps({"mid": message.mid, "menu": 0, "apart": "message"})
    for count in range(1, 61):
        job["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(count)
        bench.invoke("FetchPromptFunction", job)
        if any(one.name == "PromptsGivenUp" for one in bench.metrics.points):
            break
        bench.later(60)
    bench.minutes()


def receiver_answers(status: int, attempts: int) -> Fault:
    """The receiver of a webhook answers so to so many attempts."""

    def fault(bench: Bench) -> None:
        bench.receiver.answer_with(status)
        message = bench.call()
        event_id = f"{message.mid}-1-2-m0-d1-0"
        task = {"mid": message.mid, "attempt": 1, "seq": 2, "menu": 0, "key": "d1", "step": 0, "event_id": event_id}
        for number in range(attempts):
            records = load("sqs/webhook-retry.json" if number else "sqs/webhook.json")
            records["Records"][0]["body"] = json.dumps({**task, "version": _version(bench, message.mid, event_id)})
            bench.invoke("SendWebhookFunction", records)
            bench.later(86_400)
        bench.later(-86_400)
        bench.minutes()

    return fault


def key_rests(bench: Bench) -> None:
    """KMS does not open the secrets with which webhooks are signed, so that none is sent."""
    environment = bench.template.functions["SendWebhookFunction"].environment
    store = DynamoWebhookSecrets(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    seal = KmsSeal(lambda: boto3.client("kms"), environment["WEBHOOK_SECRETS_KEY"]).seal
    rotate_secret(MESSAGE.account_id, WEBHOOK_SECRET, 0, store=store, seal=seal, now_msec=bench.msec)
    bench.refused["kms.*"] = "DisabledException"
    for _ in range(2):
        receiver_answers(200, 1)(bench)
        bench.minutes(5)


def _version(bench: Bench, mid: str, event_id: str) -> int:
    """Of the delivery: a task of an earlier wait is passed over."""
    key = {"pk": {"S": f"M#{mid}"}, "sk": {"S": f"HOOK#{event_id}"}}
    table = bench.template.ref("MessagesTable")
    found = boto3.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
    return int(found.get("version", {"N": "0"})["N"])


def api_fails(bench: Bench) -> None:
    """The tables cannot be reached: the API answers 500."""
    bench.refused["dynamodb.*"] = "InternalServerError"
    api = ApiGateway(bench.template, bench.functions.invoke)
    for _ in range(3):
        credentials = [("Authorization", "Basic c2hvcDpzZWNyZXQ=")]
        request = Request(EnvironBuilder("/bat/account", headers=credentials).get_environ())
        bench.metrics.answered(api.respond(request).status_code)
    bench.minutes()


def connect_is(trouble: str) -> Fault:
    """What Amazon Connect itself has trouble with, as its simulator does: no room, or a flow that leads nowhere."""

    def fault(bench: Bench) -> None:
        journal = Journal()
        with instance(bench, journal, 0 if trouble == "full" else 9, CIRCLE) as carrier:
            with suppress(ServiceError):
                carrier.contacts.start(OUT)
            journal.wait_for(lambda entry: entry["kind"] in ("over_quota", "flow_error"), 20)
        bench.metrics.read_journal(journal)
        bench.minutes()

    return fault


_LOG = {"Type": "UpdateFlowLoggingBehavior", "Parameters": {"FlowLoggingBehavior": "Enabled"}}
CIRCLE = {
    "Version": "2019-10-30",
    "StartAction": "one",
    "Actions": [
        {"Identifier": "one", **_LOG, "Transitions": {"NextAction": "two"}},
        {"Identifier": "two", **_LOG, "Transitions": {"NextAction": "one"}},
    ],
}
OUT = {
    "InstanceId": INSTANCE_ID,
    "ContactFlowId": "flow",
    "DestinationPhoneNumber": "+380671234567",
    "SourcePhoneNumber": CALLER_ID,
}


@contextmanager
def instance(bench: Bench, journal: Journal, room: int, flow: Any) -> Iterator[Carrier]:
    """An instance of Amazon Connect with room for so many calls, whose callees answer."""
    settings = CarrierSettings(
        instance_id=INSTANCE_ID,
        instance_arn=INSTANCE_ARN,
        region="eu-central-1",
        account="123456789012",
        flow_id="flow",
        caller_for=lambda _number: Script([answer()]),
        concurrent_calls=room,
    )
    carrier = Carrier(
        settings,
        invoke=bench.functions.invoke,
        emit=lambda _event: None,
        flow=flow,
        read_prompt=lambda _uri: b"",
        journal=journal,
    )
    carrier.start()
    try:
        yield carrier
    finally:
        carrier.stop()


FAULTS: dict[str, tuple[Fault, str]] = {
    "ListenerErrorsAlarm": (table_fails("ConnectFlowFunction"), "CallsAlarm"),
    "ListenerThrottlesAlarm": (no_room("ConnectFlowFunction"), "CallsAlarm"),
    "ListenerDurationAlarm": (table_is_slow("ConnectFlowFunction", 4.5), "CallsAlarm"),
    "ControlCallErrorsAlarm": (table_fails("ControlCallFunction"), "CallsAlarm"),
    "ControlCallThrottlesAlarm": (no_room("ControlCallFunction"), "CallsAlarm"),
    "ControlCallDurationAlarm": (table_is_slow("ControlCallFunction", 16), "CallsAlarm"),
    "FinishCallErrorsAlarm": (table_fails("FinishCallFunction"), "CallsAlarm"),
    "FinishCallThrottlesAlarm": (no_room("FinishCallFunction"), "CallsAlarm"),
    "FinishCallDurationAlarm": (table_is_slow("FinishCallFunction", 21), "CallsAlarm"),
    "AskReceiverErrorsAlarm": (table_fails("AskReceiverFunction"), "CallsAlarm"),
    "AskReceiverThrottlesAlarm": (no_room("AskReceiverFunction"), "CallsAlarm"),
    "SlowFirstCommandAlarm": (callee_waits, "CallsAlarm"),
    "CallsLostAlarm": (machine_is_silent, "CallsAlarm"),
    "ExecutionsFailedAlarm": (execution_ends("FAILED"), "CallsAlarm"),
    "ExecutionsTimedOutAlarm": (execution_ends("TIMED_OUT"), "CallsAlarm"),
    "NotPlayedCallsAlarm": (ends(Cause.HUNG_UP), "CallsAlarm"),
    "UnplayablePromptsAlarm": (ends(Cause.HUNG_UP, "promptUnavailable"), "CallsAlarm"),
    "TelephonyMisconfiguredAlarm": (refused_settings, "CallsAlarm"),
    "UnconfirmedEndsAlarm": (ends(Cause.UNCONFIRMED), "CallsAlarm"),
    "LateSettlingAlarm": (settles_for_ever, "CallsAlarm"),
    "DeadEventsAlarm": (event_is_not_taken, "CallsAlarm"),
    "DeadInvocationsAlarm": (event_fails, "CallsAlarm"),
    "ConnectQuotaAlarm": (connect_is("full"), "CallsAlarm"),
    "ConnectFlowAlarm": (connect_is("stuck"), "CallsAlarm"),
    "PreparingAgeAlarm": (stream_is_late("PreparePromptsFunction", "dynamodb/message-inserted.json"), "DiallingAlarm"),
    "DialerAgeAlarm": (stream_is_late("DialerFunction", "dynamodb/message-queued.json"), "DiallingAlarm"),
    "DialerErrorsAlarm": (clock_fails("DialerFunction"), "DiallingAlarm"),
    "SweepErrorsAlarm": (clock_fails("SweepFunction"), "DiallingAlarm"),
    "DeadStreamAlarm": (change_fails, "DiallingAlarm"),
    "PromptsGivenUpAlarm": (bucket_is_shut, "IntroductionsAlarm"),
    "PromptQueueAgeAlarm": (queue_stands("PromptQueue", 960), "IntroductionsAlarm"),
    "DeadPromptsAlarm": (received_too_often("PromptQueue"), "IntroductionsAlarm"),
    "UndeliveredWebhooksAlarm": (receiver_answers(503, 8), "WebhooksAlarm"),
    "WebhookFaultsAlarm": (key_rests, "WebhooksAlarm"),
    "RefusedWebhooksAlarm": (receiver_answers(404, 1), "WebhooksAlarm"),
    "WebhookQueueAgeAlarm": (queue_stands("WebhookQueue", 660), "WebhooksAlarm"),
    "WebhookRetryQueueAgeAlarm": (queue_stands("WebhookRetryQueue", 1900), "WebhooksAlarm"),
    "DeadWebhooksAlarm": (received_too_often("WebhookRetryQueue"), "WebhooksAlarm"),
    "DeadWebhooksFifoAlarm": (received_too_often("WebhookQueue"), "WebhooksAlarm"),
    "ApiErrorsAlarm": (api_fails, "ApiErrorsAlarm"),
    "DeadRehearsalsAlarm": (received_too_often("RehearsalQueue"), "DeadRehearsalsAlarm"),
    "DeadSimulatedCallsAlarm": (moment_fails, "DeadSimulatedCallsAlarm"),
}
"""By alarm: what raises it, and the alarm that pages."""
OF_SIMULATED_CALLS = ("DeadSimulatedCallsAlarm",)
"""Provoked in a stack whose calls are simulated; the others in one with Amazon Connect."""


def test_no_alarm_is_without_its_fault() -> None:
    stacks = [stack(telephony).nested("MonitoringStack") for telephony in ProviderName]
    assert set(FAULTS) == {name for one in stacks for name in one.resources_of("AWS::CloudWatch::Alarm")}
    assert {page for _, page in FAULTS.values()} == {
        *(name for one in stacks for name in one.resources_of("AWS::CloudWatch::CompositeAlarm")),
        *("ApiErrorsAlarm", "DeadRehearsalsAlarm", "DeadSimulatedCallsAlarm"),
    }


def _provoked_in(name: str) -> ProviderName:
    return ProviderName.SIMULATED if name in OF_SIMULATED_CALLS else ProviderName.CONNECT


@pytest.mark.parametrize(("made", "name"), [(_provoked_in(name), name) for name in FAULTS], indirect=["made"])
def test_a_fault_raises_its_alarm_and_is_one_page_until_it_is_repaired(bench: AlarmBench, name: str) -> None:
    fault, page = FAULTS[name]
    bench.minutes(2)
    assert bench.raised_now == set()
    fault(bench)
    assert {name, page} <= bench.raised_now
    assert bench.alarms.paged == [page]
    bench.repair()
    bench.minutes(MINUTES_OF_CALM)
    assert bench.raised_now == set()
    assert bench.alarms.paged == [page]


@pytest.mark.parametrize("made", [ProviderName.CONNECT], indirect=True)
def test_a_stack_in_which_all_is_well_pages_nobody(bench: AlarmBench) -> None:
    message = bench.call(LOGGED)
    bench.invoke("ConnectFlowFunction", flow_event("flow-answered", message.mid))
    bench.tick("SweepFunction")
    bench.tick("DialerFunction")
    bench.minutes(20)
    assert bench.alarms.raised == set()
