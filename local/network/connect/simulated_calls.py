"""Amazon Connect's simulated calls: test cases are kept, and each execution is a contact that runs the flow.

Sources: Amazon Connect API reference, CreateTestCase and its like; administrator guide, "Execute test cases" (a new
contact is created; 5 tests at once, 100 with those that wait; 5 minutes, then it has failed); for what the contact is
given, flow-as-code, simulate.ts (verified on 2026-09-01): InitializationData is {"Attributes": …, "SegmentAttributes":
…}, and any other form is taken and not seen by the flow; FlowId and phone numbers exclude each other.
Nothing is written about: the contact's initiation method (here INBOUND, which the entry point's type suggests), how it
ends at EndTest (here OTHER), and how soon after a prompt has begun a key is pressed (here at once).
"""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local.network.connect.contact import Contact
from local.network.connect.contact_events import now
from local.network.connect.contacts import Contacts
from local.network.connect.exchange import Exchange
from local.network.connect.testing_language import MESSAGE, STARTED, BadTestCase, Observation, read_content
from local.network.shared.wire import ServiceDescription, ServiceError

CREATE, DELETE, LIST = "CreateTestCase", "DeleteTestCase", "ListTestCases"
RUN, STOP = "StartTestCaseExecution", "StopTestCaseExecution"
SUMMARY, RECORDS = "GetTestCaseExecutionSummary", "ListTestCaseExecutionRecords"
OPERATIONS = (CREATE, DELETE, LIST, RUN, STOP, SUMMARY, RECORDS)
_AT_ONCE, _IN_ALL, _SECONDS = 5, 100, 300.0
_CALLER = "+15550100"
_OVER = frozenset({"PASSED", "FAILED", "STOPPED"})


class Execution:
    """One run of a test case. `phone.changed` of its contact guards it once that is there."""

    def __init__(self, test_case: "Case", exchange: Exchange) -> None:
        self.id, self.test_case = str(uuid.uuid4()), test_case
        self.status = "INITIATED"
        self.began, self.ended = now(), None  # type: datetime, datetime | None
        self.made: dict[str, datetime] = {}
        """When each observation was made, by its identifier."""
        self.contact: Contact | None = None
        self._exchange = exchange
        observations = test_case.observations
        led_to = {name for one in observations for name in one.then}
        self._awaited = [one for one in observations if one.identifier not in led_to]

    @property
    def is_over(self) -> bool:
        return self.status in _OVER

    def begin(self, contact: Contact) -> None:
        """The contact is there; its flow has not begun."""
        self.contact, self.status = contact, "IN_PROGRESS"
        contact.watcher = self._watch
        self._see(STARTED, {})
        self._exchange.clock.after(_SECONDS, lambda: self.end("FAILED"))

    def end(self, status: str) -> None:
        """It is over, and so is its contact."""
        if not self.is_over:
            self.status, self.ended = status, now()
            if self.contact is not None:
                self.contact.end("OTHER")

    def _watch(self, kind: str, details: Mapping[str, Any]) -> None:
        """What the contact records of itself."""
        if kind in ("prompt", "spoken"):
            self._see(MESSAGE, {name: str(details[name]) for name in ("uri", "text") if name in details})

    def _see(self, kind: str, told: Mapping[str, str]) -> None:
        found = next((one for one in self._awaited if one.is_made_by(kind, told)), None)
        if found is None or self.is_over:
            return
        self.made[found.identifier] = now()
        self._awaited.remove(found)
        self._awaited += [one for one in self.test_case.observations if one.identifier in found.then]
        # In a thread of its own: who records holds the contact.
        self._exchange.workers.spawn(f"test-{self.id}", lambda: self._act(found))

    def _act(self, observation: Observation) -> None:
        for action in observation.actions:
            if action.key is None:
                self.end("FAILED" if self._awaited else "PASSED")
            elif self.contact is not None:
                self.contact.phone.press(action.key)

    def records(self) -> list[dict[str, Any]]:
        """As ListTestCaseExecutionRecords tells them. `Record` is JSON whose form is not published."""
        times = [*self.made.items(), *((one.identifier, None) for one in self._awaited if self.is_over)]
        told = []
        for identifier, moment in times:
            status = "PASSED" if moment else "FAILED"
            record = {"Type": "OBSERVATION", "Identifier": identifier, "Status": status}
            stamp = (moment or self.ended or self.began).timestamp()
            told.append(
                {"ObservationId": identifier, "Status": status, "Timestamp": stamp, "Record": json.dumps(record)}
            )
        return told

    def summary(self, in_msec: bool) -> dict[str, Any]:
        """As GetTestCaseExecutionSummary tells it."""
        scale = 1000 if in_msec else 1
        times = {"StartTime": self.began, "EndTime": self.ended}
        total = len(self.test_case.observations)
        failed = total - len(self.made) if self.is_over else 0
        return {
            **{name: moment.timestamp() * scale for name, moment in times.items() if moment},
            "Status": self.status,
            "ObservationSummary": {
                "TotalObservations": total,
                "ObservationsPassed": len(self.made),
                "ObservationsFailed": failed,
            },
        }


class Case:
    """One test case as it was published."""

    def __init__(self, request: Mapping[str, Any], observations: tuple[Observation, ...]) -> None:
        self.id, self.name, self.observations = str(uuid.uuid4()), str(request["Name"]), observations
        self.number = request["EntryPoint"]["VoiceCallEntryPointParameters"].get("SourcePhoneNumber", _CALLER)
        self.attributes = _attributes(request.get("InitializationData", "{}"))


class SimulatedCalls:
    """The test cases of an instance, and their executions."""

    def __init__(self, exchange: Exchange, contacts: Contacts, description: ServiceDescription) -> None:
        self._exchange, self._contacts, self._service = exchange, contacts, description
        self._settings = exchange.settings
        self._cases: dict[str, Case] = {}
        self._executions: dict[str, Execution] = {}
        self._by_token: dict[str, Execution] = {}

    @property
    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """What is done, by the operation's name."""
        does = {
            CREATE: self._create,
            DELETE: self._delete,
            LIST: self._list,
            RUN: self._run,
            STOP: self._stop,
            SUMMARY: self._summary,
            RECORDS: self._records,
        }
        return {name: self._in_instance(operation) for name, operation in does.items()}

    def _in_instance(self, operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
        def do(request: dict[str, Any]) -> dict[str, Any]:
            if not self._settings.has_simulated_calls:
                raise self._service.error("UnknownOperationException", "not offered in this Region")
            if request["InstanceId"] not in (self._settings.instance_id, self._settings.instance_arn):
                raise self._missing("instance")
            return operation(request)

        return do

    def _missing(self, what: str) -> ServiceError:
        return self._service.error("ResourceNotFoundException", f"no such {what}")

    def _case(self, request: Mapping[str, Any]) -> Case:
        if request["TestCaseId"] not in self._cases:
            raise self._missing("test case")
        return self._cases[request["TestCaseId"]]

    def _execution(self, request: Mapping[str, Any]) -> Execution:
        found = self._executions.get(request["TestCaseExecutionId"])
        if found is None or found.test_case.id != request["TestCaseId"]:
            raise self._missing("execution of this test case")
        return found

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("Status") != "PUBLISHED":
            raise self._service.error("InvalidRequestException", "what is not PUBLISHED is not acted out here")
        self._check_entry(request.get("EntryPoint", {}))
        if any(one.name == request["Name"] for one in self._cases.values()):
            raise self._service.error("DuplicateResourceException", "there is a test case of this name")
        try:
            made = Case(request, read_content(request["Content"]))
        except BadTestCase as error:
            # The wire has `problemDetails`; botocore's model calls them Problems.
            told = {"problemDetails": [{"message": one[:256]} for one in error.problems[:50]]}
            raise self._service.error("InvalidTestCaseException", "Invalid test case content", told) from error
        self._cases[made.id] = made
        return {"TestCaseId": made.id, "TestCaseArn": f"{self._settings.instance_arn}/test-case/{made.id}"}

    def _check_entry(self, entry: Mapping[str, Any]) -> None:
        voice = entry.get("VoiceCallEntryPointParameters", {})
        if entry.get("Type") != "VOICE_CALL" or ("FlowId" in voice) == ("DestinationPhoneNumber" in voice):
            raise self._service.error("InvalidParameterException", "Must specify either FlowId or phone numbers")
        flow = self._settings.flow_id
        if voice.get("FlowId") not in (flow, f"{self._settings.instance_arn}/contact-flow/{flow}"):
            raise self._missing("flow")

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        del self._cases[self._case(request).id]
        return {}

    def _list(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"TestCaseSummaryList": [{"Id": one.id, "Name": one.name} for one in self._cases.values()]}

    def _run(self, request: dict[str, Any]) -> dict[str, Any]:
        case, token = self._case(request), request.get("ClientToken", "")
        execution = self._by_token.get(token)
        if execution is None:
            if sum(not one.is_over for one in self._executions.values()) >= _IN_ALL:
                raise self._service.error("ServiceQuotaExceededException", "100 executions wait already")
            execution = Execution(case, self._exchange)
            self._executions[execution.id] = execution
            self._by_token.update({token: execution} if token else {})
            self._begin_waiting()
        return {"TestCaseExecutionId": execution.id, "TestCaseId": case.id, "Status": "INITIATED"}

    def _begin_waiting(self) -> None:
        running = sum(one.status == "IN_PROGRESS" for one in self._executions.values())
        waiting = [one for one in self._executions.values() if one.status == "INITIATED"]
        for execution in waiting[: max(0, _AT_ONCE - running)]:
            case = execution.test_case
            self._contacts.simulate(case.number, case.attributes, execution.begin)

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._execution(request).end("STOPPED")
        self._begin_waiting()
        return {}

    def _summary(self, request: dict[str, Any]) -> dict[str, Any]:
        self._begin_waiting()
        return self._execution(request).summary(self._settings.test_times_in_msec)

    def _records(self, request: dict[str, Any]) -> dict[str, Any]:
        """In pages of `MaxResults`; a page's token is where it begins."""
        begin, status = int(request.get("NextToken", "0")), request.get("Status")
        records = [one for one in self._execution(request).records() if status in (None, one["Status"])]
        end = begin + int(request.get("MaxResults", 100))
        more = {"NextToken": str(end)} if end < len(records) else {}
        return {"ExecutionRecords": records[begin:end], **more}


def _attributes(initialization: str) -> dict[str, str]:
    """The contact's attributes. A form that is not the one is taken, and gives none."""
    try:
        given = json.loads(initialization)
    except ValueError:
        return {}
    if not isinstance(given, dict) or not {"Attributes", "SegmentAttributes"} <= set(given):
        return {}
    return {str(name): str(value) for name, value in given["Attributes"].items()}
