"""What providers and AWS hand to the functions: contact events, contact flows, SIP media applications, records."""

import json
import logging
import sys
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

from local.network.chime.actions import read_answer
from speechcall.api.adapters.http_api import HttpRequest
from speechcall.calls.rules.call import Command, Kind, Ticket
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import HEARD
from speechcall.prompts.adapters.queue import read_job
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.adapters.stream import message_id, process_each
from speechcall.telephony.chime.call_backs import ChimeCallBacks
from speechcall.telephony.chime.events import ChimeEvents
from speechcall.telephony.connect.call_backs import ConnectCallBacks
from speechcall.telephony.connect.contact_events import parse_contact_event
from speechcall.telephony.connect.conversation import parse_report, render_next
from speechcall.webhooks.adapters.queue import parse_task
from tests.fuzzing.choices import Choices, edited
from tests.fuzzing.target import Target, holds
from tests.kit import call_back_desk
from tests.kit.samples import CALL, FakeClock, FakeEngine

EVENTS = Path(__file__).parents[2] / "events"


def _events(folder: str, beginning: str = "") -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted((EVENTS / folder).glob(f"{beginning}*.json"))]


_CONTACTS, _FLOWS, _CHIME = _events("connect", "contact"), _events("connect", "flow"), _events("chime")
_CALL_BACKS = _events("connect", "flow-called") + _events("connect", "flow-opt") + _events("chime", "call-back")
_RECORDS, _QUEUED, _API = _events("dynamodb"), _events("sqs"), _events("api")


def _event(data: bytes, known: list[Any]) -> Any:
    """One of the real events with changes; or whatever JSON the bytes are."""
    choices = Choices(data)
    if choices.byte() < 16:
        try:
            return json.loads(choices.rest())
        except (ValueError, RecursionError):
            return None
    return edited(choices.one_of(known), choices, 8)


def _calls(mid: object, attempt: object) -> MemoryCalls:
    """A call that waits for a key, under the name that an event gives."""
    calls = MemoryCalls()
    if (
        isinstance(mid, str)
        and isinstance(attempt, str)
        and attempt.isascii()
        and attempt.isdigit()
        and len(attempt) < 9
    ):
        asked = CALL._replace(
            mid=mid, attempt=int(attempt), seq=2, command=Command(Kind.ASK, 0), ticket=Ticket("1", 0, "t")
        )
        calls.open(asked, 0)
    return calls


def contact_event(data: bytes) -> None:
    """An event of a contact is read, or is none."""
    found = parse_contact_event(_event(data, _CONTACTS))
    if found is not None:
        holds(found.contact_id.isascii() and len(found.contact_id) <= 256, "an id that AWS would not take")
        holds(type(found.ended) is bool and type(found.answered) is bool, "neither ended nor not")


def contact_flow(data: bytes) -> None:
    """A flow is told what to do next in its flat map of texts, or to hang up."""
    report = parse_report(_event(data, _FLOWS))
    if report is None:
        return
    holds(report.heard.event in HEARD, "an event that is none")
    holds(type(report.mid) is str and type(report.attempt) is int, "another call")
    ports: dict[str, Any] = {
        "calls": _calls(report.mid, str(report.attempt)),
        "engine": FakeEngine(),
        "clock": FakeClock(),
    }
    answer = render_next(follow_call(report, **ports))
    holds(all(type(name) is type(value) is str for name, value in answer.items()), "not a map of texts")
    holds(answer["op"] in ("ask", "hold", "hangup"), "an order that the flow does not know")
    for told in ports["engine"].answers.values():
        holds(len(json.dumps(told)) < 1000, "a task is told more than a key")


def sip_event(data: bytes) -> None:
    """A SIP media application is answered with actions that it can run, whatever its event says."""
    event = _event(data, _CHIME)
    named: Any = {}
    with suppress(KeyError, TypeError, IndexError):
        named = event["CallDetails"]["TransactionAttributes"]
    calls = _calls(named.get("mid"), named.get("attempt")) if isinstance(named, dict) else MemoryCalls()
    failures = _Failures()
    answer = ChimeEvents(calls, FakeEngine(), FakeClock(), failures).answer(event)
    read_answer(json.loads(json.dumps(answer)))
    holds(not failures.told, f"it failed within: {failures.told}")


def call_back(data: bytes) -> None:
    """Who calls back is answered as the telephony can carry it out, and nobody opts out without having pressed 9."""
    event = _event(data, _CALL_BACKS)
    desk, failures = call_back_desk.desk(), _Failures()
    with redirect_stdout(StringIO()):  # metrics
        told = ConnectCallBacks(desk, failures).answer(event)
        holds(all(type(name) is type(value) is str and value for name, value in told.items()), "not a map of texts")
        holds(told["op"] in ("ask", "tell", "refused"), "an order that the flow does not know")
        answer = ChimeCallBacks(desk, failures).answer(event)
    read_answer(json.loads(json.dumps(answer)))
    holds(not failures.told, f"it failed within: {failures.told}")
    stored: Any = desk.opt_outs
    has_asked = "9" in json.dumps(event) or "optOut" in json.dumps(event)
    holds(not stored.found or has_asked, "somebody has opted out who did not ask for it")


class _Failures(logging.Logger):
    """Keeps what is logged with a traceback: an exception that nobody had thought of."""

    def __init__(self) -> None:
        super().__init__("fuzz")
        self.told: list[str] = []

    def exception(self, msg: object, *args: object, **_more: Any) -> None:
        self.told.append(f"{msg}: {sys.exc_info()[1]!r}")

    def _log(self, *_given: Any, **_more: Any) -> None:
        pass

    def warning(self, *_given: Any, **_more: Any) -> None:
        pass

    info = error = warning


def records(data: bytes) -> None:
    """A batch with records that cannot be read is answered: which of them come again."""
    choices = Choices(data)
    event = edited(choices.one_of(_RECORDS + _QUEUED), choices)
    if not (isinstance(event, dict) and isinstance(event.get("Records"), list)):
        return
    named = [one for one in event["Records"] if _name_of(one) is not None]

    def process(record: Any) -> None:
        if "dynamodb" in record:
            message_id(record)
        elif choices.byte() % 2:
            parse_task(record["body"])
        else:
            read_job(record)

    answer = process_each({"Records": named}, process, _SILENT)
    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    json.dumps(answer)
    holds(set(failed) <= {_name_of(one) for one in named}, "a record fails that is none")


def _name_of(record: Any) -> str | None:
    """AWS names every record that it hands out."""
    if not isinstance(record, dict):
        return None
    if "dynamodb" in record:
        number = record["dynamodb"].get("SequenceNumber") if isinstance(record["dynamodb"], dict) else None
        return number if isinstance(number, str) else None
    found = record.get("messageId")
    return found if isinstance(found, str) and isinstance(record.get("attributes", {}), dict) else None


def gateway_event(data: bytes) -> None:
    """The gateway's event with whatever headers, query and body a client may have sent."""
    choices = Choices(data)
    event = dict(choices.one_of(_API))
    event["headers"] = {choices.text(): choices.text() for _ in range(choices.below(4))}
    event["queryStringParameters"] = {choices.text(): choices.text() for _ in range(choices.below(3))}
    event["body"] = choices.text()
    event["isBase64Encoded"] = False
    request = HttpRequest(event)
    holds(type(request.body) is bytes, "a body that is no bytes")
    holds(all(name == name.lower() for name in request.headers), "a header's name has large letters")


_SILENT = logging.getLogger("fuzz.silent")
_SILENT.disabled = True


def _some(known: list[Any]) -> list[bytes]:
    return [bytes([99, n, 2, 200, n, 200]) for n in range(len(known))]


def _whole(known: list[Any]) -> list[bytes]:
    return [b"\x00" + json.dumps(one).encode() for one in known]


TARGETS = (
    Target("contact_event", contact_event, lambda: _some(_CONTACTS) + _whole(_CONTACTS)),
    Target("contact_flow", contact_flow, lambda: _some(_FLOWS) + _whole(_FLOWS)),
    Target("sip_event", sip_event, lambda: _some(_CHIME) + _whole(_CHIME)),
    Target("call_back", call_back, lambda: _some(_CALL_BACKS) + _whole(_CALL_BACKS)),
    Target("records", records, lambda: _some(_RECORDS + _QUEUED), most_bytes=512),
    Target("gateway_event", gateway_event, lambda: _some(_API), most_bytes=512),
)
