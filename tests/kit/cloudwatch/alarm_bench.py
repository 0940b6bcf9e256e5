"""The stack's functions with everything that CloudWatch is sent of them, its alarms, and a clock that a test moves."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import boto3
import moto.sqs.models
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from local.cloud.account import ACCOUNT, REGION
from local.cloud.aws_services import LocalAws
from local.cloud.event_files import EVENTS
from local.cloud.functions import FunctionHost
from local.cloud.metrics import Metrics, Watched
from local.cloud.receiver import Receiver
from local.cloud.template import Template
from local.common.journal import Journal
from local.network.shared.invoker import FunctionError
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.rules.call import Call
from speechcall.menus.rules.call_log import Entry
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.pool import Pool
from speechcall.shared.adapters.clock import SystemClock
from tests.kit.cloudwatch.evaluator import Alarms, AlarmState
from tests.kit.samples import CALL, CALLING, MESSAGE, NOW

CONTACT = "9dfb369b-ab13-4fae-a276-55daa05f1119"
"""Of the contact flow's events."""
FLOW = "arn:aws:states:eu-central-1:123456789012:stateMachine:0a1b2c3d-0123"
MINUTES_OF_CALM = 40
"""After which every alarm is over whose cause is gone: the longest evaluation range is 15 minutes."""


class AlarmBench:
    """Made by `alarm_bench()`; `begin` before each fault."""

    def __init__(self, template: Template, exits: ExitStack) -> None:
        self.template, self.msec = template, NOW
        self.metrics = Metrics(template, lambda: self.msec / 1000)
        self.refused: dict[str, str] = {}
        """Operations of AWS that fail, or `SERVICE.*` for all of a service; with which error code."""
        self.slow: dict[str, float] = {}
        """Services of which the next request takes so many seconds."""
        self.receiver = Receiver(Journal())
        aws = LocalAws(template)
        aws.start()
        exits.callback(aws.stop)
        for patched in self._patches():
            exits.enter_context(patched)
        where = self.receiver.start()
        exits.callback(self.receiver.stop)
        self.functions = Watched(FunctionHost(template, {"WEBHOOK_RECEIVER": where}), self.metrics)
        client, environment = boto3.client("dynamodb"), template.functions["DialerFunction"].environment
        self.messages = DynamoMessages(client, environment["MESSAGES_TABLE"], environment["REGISTRY_TABLE"])
        self.calls = DynamoCalls(client, environment["MESSAGES_TABLE"])
        monitoring = template.nested("MonitoringStack")
        self._declared = (
            monitoring.resources_of("AWS::CloudWatch::Alarm"),
            monitoring.resources_of("AWS::CloudWatch::CompositeAlarm"),
        )
        self.alarms = Alarms(*self._declared)
        self._made = 0

    def _patches(self) -> Iterator[Any]:
        """Time, wherever something here reads it, and what AWS answers."""
        yield patch.object(SystemClock, "now_msec", lambda _clock: self.msec)
        yield patch.object(SystemClock, "sleep", lambda _clock, seconds: self.later(seconds))
        yield patch.object(moto.sqs.models, "unix_time_millis", lambda *_at: float(self.msec))
        yield patch.object(moto.sqs.models, "unix_time", lambda *_at: self.msec / 1000)
        ask: Any = vars(BaseClient)["_make_api_call"]

        def answer(client: Any, operation: str, given: Any) -> Any:
            service = client.meta.service_model.service_name
            self.later(self.slow.pop(service, 0.0))
            if code := self.refused.get(operation) or self.refused.get(f"{service}.*"):
                raise ClientError({"Error": {"Code": code, "Message": "told to fail"}}, operation)
            if operation == "SynthesizeSpeech":  # moto's Polly says nothing
                return {"AudioStream": io.BytesIO(bytes(16_000))}
            return ask(client, operation, given)

        yield patch.object(BaseClient, "_make_api_call", answer)

    # ------------------------------------------------------------------- time
    def begin(self) -> None:
        """Nothing is wrong, and nothing was."""
        self.repair()
        self.later(86_400)
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            table.items.clear()
        self.metrics.points.clear()
        self.alarms = Alarms(*self._declared)

    def repair(self) -> None:
        """What was wrong is repaired, the dead-letter queues too."""
        self.refused.clear()
        self.slow.clear()
        self.functions.no_room.clear()
        self.receiver.answer_with(200)
        for queue in sqs_backends[ACCOUNT][REGION].queues.values():
            queue._messages.clear()
            queue.pending_messages.clear()
            queue.pending_message_groups.clear()
            queue.__dict__.pop("seen_ids", None)

    def later(self, seconds: float) -> None:
        """Time passes, and CloudWatch does not look."""
        self.msec += round(seconds * 1000)

    def minutes(self, count: int = 1) -> None:
        """So many minutes pass; at the end of each CloudWatch looks."""
        for _ in range(count):
            self.msec = (self.msec // 60_000 + 1) * 60_000
            self.metrics.look_at_queues()
            self.alarms.evaluate(self.metrics.points, self.msec / 1000)

    @property
    def raised_now(self) -> set[str]:
        """The alarms in ALARM."""
        return {name for name, state in self.alarms.states.items() if state is AlarmState.ALARM}

    # -------------------------------------------------------------- what runs
    def invoke(self, logical_id: str, event: Any) -> Any:
        """Run a function; None where it fails."""
        with self.metrics.collected(), suppress(FunctionError):
            return self.functions.invoke(self.template.functions[logical_id].arn, event)

    def tick(self, logical_id: str) -> Any:
        """Run a function as the clock does."""
        return self.invoke(logical_id, load("schedule/each-minute.json"))

    def message(self, **changes: Any) -> Message:
        """A message that was accepted just now, and waits to be prepared."""
        self._made += 1
        mid = str(int(MESSAGE.mid) + self._made)
        expires_at = self.msec // 1000 + 2_592_000
        own: dict[str, Any] = {
            "mid": mid,
            "number": f"+3809{self._made:08}",
            "created_msec": self.msec,
            "expires_at": expires_at,
        }
        made = replace(MESSAGE, **{**own, **changes})
        self.messages.add([made])
        return made

    def claimed(self) -> Message:
        """A message that has a line, and is to be dialled."""
        made = self.message()
        self.messages.queue(made, CALLING.asks, self.msec)
        self.messages.claim_line(self._stored(made.mid), FLOW, Pool(300, 1_000_000), self.msec)
        return self._stored(made.mid)

    def call(self, call: Call = CALL, heard: Sequence[Entry] = ()) -> Message:
        """A message in a call of CONTACT, in which this was heard, the answer first; nothing: it rings."""
        made = self.claimed()
        plan = call.plan and call.plan._replace(until_msec=self.msec + 900_000)
        self.calls.open(call._replace(mid=made.mid, dialled_msec=self.msec, plan=plan), made.expires_at)
        for entry in heard:
            assert self.calls.append(made.mid, 1, CONTACT, entry._replace(at_msec=self.msec))[0]
        return made

    def _stored(self, mid: str) -> Message:
        found = self.messages.get(mid)
        assert found is not None
        return found

    def put(self, logical_id: str, body: str = "{}", received: int = 0) -> None:
        """A message in a queue, which was received so often."""
        queue = self.template.get_att(logical_id, "QueueName")
        fifo: Any = {"MessageGroupId": "1", "MessageDeduplicationId": body} if queue.endswith(".fifo") else {}
        boto3.client("sqs").send_message(QueueUrl=self.template.ref(logical_id), MessageBody=body, **fifo)
        sqs_backends[ACCOUNT][REGION].queues[queue]._messages[-1].approximate_receive_count = received

    def receive(self, logical_id: str) -> Any:
        """What a queue gives next; a message that was received too often goes to the dead-letter queue."""
        return boto3.client("sqs").receive_message(QueueUrl=self.template.ref(logical_id)).get("Messages", [])


def load(path: str) -> Any:
    """An event of events/."""
    return json.loads((EVENTS / path).read_text(encoding="utf-8"))


@contextmanager
def alarm_bench(template: Template) -> Iterator[AlarmBench]:
    """One for many faults, one after the other."""
    with ExitStack() as exits:
        yield AlarmBench(template, exits)


Fault = Callable[[AlarmBench], None]
