"""The laptop cloud as a whole: the template's functions with everything that AWS puts around them."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TextIO
from urllib.parse import urlparse

import boto3
from werkzeug.wrappers import Request

from local.cloud.account import REGION
from local.cloud.api_gateway import ApiGateway
from local.cloud.artifact import BUILT_TEMPLATE, NotBuiltError
from local.cloud.aws_endpoint import MOUNT, AwsDoor, WSGIApplication
from local.cloud.aws_services import LocalAws
from local.cloud.functions import Functions, Overrides
from local.cloud.handler_output import LOG
from local.cloud.hosting import Hosting, host_functions, surroundings_of, warm
from local.cloud.journal_feed import JournalFeed, menus_told, tell_accepted
from local.cloud.lambda_service import served_by
from local.cloud.metrics import Metrics, Watched
from local.cloud.moto_patches.executions import add_end_listener
from local.cloud.polly import answer_as_polly
from local.cloud.providers.record import Simulator, Surroundings
from local.cloud.receiver import Receiver
from local.cloud.seed import WEBHOOK_SECRET, seed
from local.cloud.simulated_providers import RINGING, SMS_IDENTITY, api_setting, parameters_of, simulated
from local.cloud.template import TEMPLATE, EventSpec, FunctionSpec, Template, read_template
from local.cloud.triggers.asynchronous import AsynchronousInvocations
from local.cloud.triggers.event_bus import EventBus, execution_ended
from local.cloud.triggers.queues import QueueTrigger
from local.cloud.triggers.schedules import ScheduleTrigger
from local.cloud.triggers.streams import StreamTrigger
from local.common.http_server import HttpServer, PortTaken
from local.common.journal import Journal
from local.network.shared.invoker import FunctionError
from local.network.sms.service import SmsService
from speechcall.outbound.adapters.http_clients import LOOPBACK
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.telephony.carried import carried
from speechcall.telephony.provider import ProviderName, provider

__all__ = ["Cloud", "CloudSettings", "Hosting", "PortTaken"]


@dataclass(frozen=True)
class CloudSettings:
    """How a laptop cloud differs from the template's defaults."""

    port: int = 0
    """Of the API and the phone page; 0: any free one."""
    telephony: ProviderName = ProviderName.CONNECT
    """Who places the calls (the template's TelephonyProvider)."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the template: {"Lines": "3"}."""
    overrides: Overrides = field(default_factory=dict)
    """Variables of functions, by function or for all that have them."""
    carrier: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the simulator's settings (such as `CarrierSettings`) beyond those that follow from the template."""
    webhooks: Literal["receiver", "real"] = "receiver"
    """Where webhooks go: all to the built-in receiver, or to their URLs."""
    schedule_seconds: float | None = None
    """Takes the place of every schedule's rate."""
    log: TextIO | Callable[[int], TextIO] | None = None
    """Where the functions' log lines go; None: nowhere. A function opens it, once the port that it is given is ours."""
    functions: Hosting = "process"
    """Who runs them: this process, from their source; Lambda's runtime or `sam local`, from what was built."""
    api_port: int = 0
    """Of `sam local start-api`; 0: any free one."""
    warm: bool = True
    """Whether containers are started before they are needed; that of the contact flow is waited for 8 s only."""
    template: Path = TEMPLATE
    seed: Callable[[Template], None] = seed


class _Part(Protocol):
    def start(self) -> Any: ...
    def stop(self) -> None: ...


class Cloud:
    """A context manager: within it the whole service runs. One at a time in a process."""

    def __init__(self, settings: CloudSettings = CloudSettings()) -> None:
        self.settings = settings
        self.journal = Journal()
        template = settings.template if settings.functions == "process" else BUILT_TEMPLATE
        if not template.is_file():
            raise NotBuiltError("the application is not built: run bin/sam-build")
        parameters = parameters_of(ProviderName(settings.telephony))
        self.template = read_template(template, {**parameters, **settings.parameters})
        self.receiver = Receiver(self.journal, WEBHOOK_SECRET)
        self.sms = SmsService(REGION, SMS_IDENTITY, self.journal)
        self.metrics = Metrics(self.template)
        """What CloudWatch would have been sent."""
        self.carrier: Simulator
        self.functions: Functions
        self.events: EventBus
        self.url = ""
        """Of the API; the phone page is at /phone there."""
        self.api_url = ""
        """Of the API as it is served by what runs the functions: `sam local start-api`, or the same as `url`."""
        self.start_seconds = 0.0
        self._log: TextIO | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        began = time.monotonic()
        with ExitStack() as exits:
            self._start(exits)
            self._exits = exits.pop_all()
        self.start_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_reason: object) -> None:
        self._exits.close()

    def _start(self, exits: ExitStack) -> None:
        """Start every part, each before those that need it; `exits` stops them the other way round."""

        def start(part: _Part) -> None:
            part.start()
            exits.callback(part.stop)

        self._surroundings = surroundings_of(self.settings.functions)
        # First of all: without a free port the rest need not be waited for. Served when everything is there.
        front = HttpServer(self._answer, self.settings.port, "front")
        exits.callback(front.stop)
        self.url = front.url
        self._log = self._open_log(front.port, exits)
        telephony = HttpServer(self._answer_as_telephony, name="telephony")
        start(telephony)
        polly = HttpServer(answer_as_polly, name="polly")
        start(polly)
        sms = HttpServer(self.sms.api, name="sms")
        start(sms)
        own = {"POLLY": polly.url, "PINPOINT_SMS_VOICE_V2": sms.url}
        others = {**dict.fromkeys(map(api_setting, RINGING), telephony.url), **own}
        aws = LocalAws(self.template, others)
        start(aws)
        self._carry_prompts()
        self.settings.seed(self.template)
        exits.enter_context(self.metrics.collected(self._log))
        hosted, sam_url = host_functions(
            self.settings.functions,
            self.template,
            self._overrides(exits),
            self._tell_failure,
            self._tell_refusal,
            others=self._other_services(),
            surroundings=self._surroundings,
            log=self._log,
            api_port=self.settings.api_port,
            exits=exits,
        )
        self.functions = Watched(hosted, self.metrics)
        later = AsynchronousInvocations(self.template, self.functions)
        exits.callback(later.stop)
        exits.enter_context(served_by(self.functions.invoke, later.submit))
        self.events = EventBus(self.template, later.submit)
        exits.callback(add_end_listener(lambda end: self.events.put(execution_ended(end))))
        here = Surroundings(self.template, self.functions.invoke, self.events.put, read_prompt, self.journal)
        self.carrier = simulated(ProviderName(self.settings.telephony)).make(here, self.settings.carrier)
        self.carrier.phone_app.menus_of = menus_told(self.template.ref("MessagesTable"))
        start(self.carrier)
        for trigger in self._triggers(later):
            start(trigger)
        self._api = ApiGateway(self.template, self.functions.invoke)
        self._door = AwsDoor(self.template, self._telephony_services())
        # Stopped first: nobody is to be served by half of it. A page that waits for the journal is let go before.
        exits.callback(front.stop)
        exits.callback(self.journal.close)
        self.api_url = sam_url or front.url
        front.start()
        if self.settings.warm:
            warm(hosted)

    def _carry_prompts(self) -> None:
        """What the custom resource CarriedPrompts does in a deployment."""
        for name in self.template.resources_of("Custom::CarriedPrompts"):
            bucket = self.template.resource(name)["Properties"]["Bucket"]
            for content in carried():
                S3Audio(boto3.client("s3"), bucket).put(content)

    def _open_log(self, port: int, exits: ExitStack) -> TextIO | None:
        log = self.settings.log
        return exits.enter_context(log(port)) if callable(log) else log

    def _overrides(self, exits: ExitStack) -> Overrides:
        """The functions' variables that cannot stand in the template, under those that were asked for."""
        receiver = LOOPBACK  # the guard of real deliveries, but this machine may be reached
        if self.settings.webhooks == "receiver":
            receiver = self.receiver.start(self._surroundings.address)
            receiver = receiver.replace(self._surroundings.address, self._surroundings.name)
            exits.callback(self.receiver.stop)
        own = {"WEBHOOK_RECEIVER": receiver, "UPLOAD_ENDPOINT": f"{self.url}{MOUNT}", "UPLOADS_ORIGIN": self.url}
        declared = {name for spec in self.template.functions.values() for name in spec.environment}
        return {**{name: value for name, value in own.items() if name in declared}, **self.settings.overrides}

    def _triggers(self, later: AsynchronousInvocations) -> Iterable[_Part]:
        yield JournalFeed(self.template.get_att("MessagesTable", "StreamArn"), self.journal)
        for function in self.template.functions.values():
            for event in function.events:
                if trigger := self._trigger(function, event, later):
                    yield trigger

    def _trigger(self, function: FunctionSpec, event: EventSpec, later: AsynchronousInvocations) -> _Part | None:
        if event.type == "DynamoDB":
            return StreamTrigger(function, event, self.functions.invoke)
        if event.type == "SQS":
            return QueueTrigger(function, event, self.functions.invoke)
        if event.type == "Schedule":
            return ScheduleTrigger(function, event, later.submit, self.settings.schedule_seconds)
        return None

    def _tell_failure(self, function: str, error: FunctionError) -> None:
        trace = "".join(error.stack_trace)
        self.journal.record("failure", function=function, error=error.error_type, message=error.message, trace=trace)
        LOG.write(f"{function}: {trace}")

    def _tell_refusal(self, function: str, why: str) -> None:
        """A function asked for what its policies do not allow: a mistake in template.yaml."""
        self.journal.record("failure", function=function, error="AccessDeniedException", message=why, trace="")

    def functions_aws(self) -> AwsDoor:
        """All that the functions ask of AWS, as one endpoint for processes that are not this one."""
        return AwsDoor(self.template, self._other_services())

    def _other_services(self) -> dict[str, WSGIApplication]:
        """What is not moto's, by the service's name in a signature."""
        own: dict[str, WSGIApplication] = {"polly": answer_as_polly, "sms-voice": self.sms.api}
        return {**self._telephony_services(), **own}

    def _telephony_services(self) -> dict[str, WSGIApplication]:
        return dict.fromkeys((provider(name).signs_as for name in RINGING), self._answer_as_telephony)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The front door: the phone page under /phone, AWS for other processes under /aws, the API everywhere else."""
        request = Request(environ)
        if request.path == "/phone" or request.path.startswith("/phone/"):
            page: Iterable[bytes] = self.carrier.phone_app(environ, start_response)
            return page
        if request.path == MOUNT or request.path.startswith(f"{MOUNT}/"):
            return self._door(environ, start_response)
        response = self._api.respond(request)
        self.metrics.answered(response.status_code)
        if request.method == "POST" and request.path == "/bat/messagelist" and response.status_code == 200:
            tell_accepted(self.journal, response.get_data())
        return response(environ, start_response)

    def _answer_as_telephony(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.carrier.api(environ, start_response)
        return answer


def read_prompt(uri: str) -> bytes:
    """The audio behind a prompt's address in S3, `https://<bucket>.s3.<region>.amazonaws.com/<key>` or `s3://…`."""
    parts = urlparse(uri)
    bucket = parts.netloc.partition(".s3.")[0]
    return boto3.client("s3").get_object(Bucket=bucket, Key=parts.path.lstrip("/"))["Body"].read()
