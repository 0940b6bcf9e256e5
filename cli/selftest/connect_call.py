"""A simulated call of Amazon Connect through the stack's own flow and function. No phone rings, no message is made.

    selftest                    Amazon Connect                 connect_flow
       │── two beeps, and a call of two menus ────────────────► (the item that a dial makes)
       │── CreateTestCase, StartTestCaseExecution ─►│
       │                              │── answered ──────────────►│
       │                              │◄─ ask menu 0 ─────────────│
       │                              │  plays, key 1 ───────────►│
       │                              │◄─ ask menu 1 ─────────────│
       │◄── what the call's log says, and the records of the test ┘
       │── DeleteTestCase, and the call is deleted

What is believed is the call's log, which only our function writes; the records add what it cannot see, that the second
prompt began. The call belongs to no message and has no number: nothing dials, charges, counts or exports it.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from cli.deployment import Deployment
from cli.doctor.findings import Check, Finding, Verdict
from cli.selftest.beeps import HIGH, LOW, SECONDS, beep
from cli.selftest.test_case import FIRST_PROMPT, NEXT_PROMPT, content, initialization
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.rules.call import Call, Command, Kind, Ticket
from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.call_log import IDLE, KEY, OTHERWISE, PROMPT_ERROR, Entry, Plan
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.shared.adapters.keys import call_key
from speechcall.shared.adapters.table import to_wire

ATTEMPT = 1
LOOK_SECONDS = 1.5
"""Between two looks: Amazon Connect takes 2 requests of a kind a second from an account and Region."""
LONGEST_SECONDS, AFTER_ANSWER_SECONDS = 320.0, 60.0
"""A test waits for others, and has failed after 5 minutes. Within 60 s of the answer our call is not `lost` yet."""
IDLE_FIRST, IDLE_NEXT = 20, 25
"""Seconds; different ones, for each has an input block of its own."""
OURS_MSEC = 3_600_000
"""After so long the call is over, should it be left behind."""
_FAR_FUTURE = 100_000_000_000
"""Epoch seconds of the year 5138; as milliseconds, 1973."""
_OVER = frozenset({"PASSED", "FAILED", "STOPPED"})
REGIONS = (
    *("us-east-1", "us-west-2", "ca-central-1", "eu-central-1", "eu-west-2", "af-south-1", "ap-south-1"),
    *("ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
)
"""Those with simulated calls by API (AWS, What's New, 2026-02-02)."""
_NOT_OFFERED = frozenset({"UnknownOperationException", "404"})
BY_HAND = "docs/first-account.md, trial 15, tries the same with your own phone"


def new_mid() -> str:
    """An id that no message has: theirs begin with the milliseconds since 2025-01-01, and this is of its first hour."""
    return str(1 + secrets.randbits(43))


def as_modelled(response_dict: dict[str, Any], **_more: Any) -> None:
    """Botocore's event `before-parse`: changes an answer that is not as botocore's model says.

    Others who ran such tests have seen two: times in milliseconds ("year 58120 is out of range"), which become seconds,
    and `problemDetails`, which become Problems.
    """
    try:
        told = json.loads(response_dict["body"])
        changed = {name: told[name] / 1000 for name in ("StartTime", "EndTime") if told.get(name, 0) > _FAR_FUTURE}
        if "problemDetails" in told:
            changed["Problems"] = told["problemDetails"]
    except (ValueError, TypeError, AttributeError):
        return  # it is parsed as it is
    if changed:
        response_dict["body"] = json.dumps({**told, **changed}).encode()


class SimulatedCall:
    """One simulated call, and what has become of it so far."""

    def __init__(
        self,
        deployment: Deployment,
        instance_id: str,
        flow_id: str,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`flow_id`: the contact flow of the stack. `clock`: epoch seconds."""
        self._deployment, self._instance, self._flow = deployment, instance_id, flow_id
        self._sleep, self._clock = sleep, clock
        self._mid = new_mid()
        self._uris = ("", "")
        """Of the two beeps, once they are in the bucket."""
        self._written = self._removed = False
        """Whether the call's item was written; whether all that was made is gone again."""
        self._case = self._execution = ""
        """The ids of the test case and its execution; empty: not made, not started."""
        self._status = ""
        """Of the execution, when it was last looked at; empty: not yet."""
        self._until = 0.0
        """When there is nothing to wait for any more, by the clock (epoch seconds)."""
        self._log: tuple[Entry, ...] = ()
        """What the call has heard, when it was last looked at."""
        self._records: dict[str, Any] = {}
        """What Amazon Connect says it has observed, by the names of the observations (FIRST_PROMPT, NEXT_PROMPT)."""
        self._told: list[str] = []
        """All its records, as text."""

    @cached_property
    def _connect(self) -> Any:
        client = self._deployment.client("connect")
        client.meta.events.register("before-parse.connect.*", as_modelled)
        return client

    @property
    def _asked(self) -> dict[str, str]:
        """What every request about the test case names."""
        return {"InstanceId": self._instance, "TestCaseId": self._case}

    @property
    def _calls(self) -> DynamoCalls:
        return DynamoCalls(self._deployment.client("dynamodb"), self._deployment.name_of("MessagesTable"))

    def checks(self) -> Iterator[Check]:
        """The steps as checks. Each is run before the next is chosen, by what it has made or found.

        A step that fails ends the test, but what was made is always removed.
        """
        yield Check("beeps", "the bucket of prompts takes two beeps", self._put)
        if self._uris[0]:
            yield Check("call", "a call of two menus stands in the table", self._write)
        if self._written:
            yield Check("test-case", "Amazon Connect takes the simulated call", self._create)
        if self._case:
            yield Check("start", "the simulated call is started", self._start)
        if self._execution:
            yield Check("answered", "the flow asks this stack's function", self._answered)
        if self._log:
            yield Check("prompt", "the first prompt is played", self._prompt)
            yield Check("key", "the key that is pressed reaches the function", self._key)
        if len(self._log) > 1 and self._log[1].event == KEY:
            yield Check("next-prompt", "the next menu's prompt is played", self._next_prompt)
        yield Check("removed", "the test case and the call are removed again", self.remove)

    # ------------------------------------------------------------------ the steps
    def _put(self) -> Iterator[Finding]:
        """Puts two beeps into the bucket, the prompts of the two menus. They stay: the next test uses them again."""
        bucket = S3Audio(self._deployment.client("s3"), self._deployment.name_of("PromptsBucket"))
        self._uris = (bucket.put(beep(LOW)), bucket.put(beep(HIGH)))
        yield from ()

    def _write(self) -> Iterator[Finding]:
        """Writes the call's item, as a dial does.

        Its plan has two menus. Key 1 leads from the first to the second; whatever else is heard repeats the menu.
        """
        now = round(self._clock() * 1000)
        wait = 60  # seconds for which a state machine would wait for each menu; this call has none
        stays = {OTHERWISE: 1}
        call = Call(
            mid=self._mid,
            attempt=ATTEMPT,
            number="",
            asks=(Ask(self._uris[0], SECONDS, IDLE_FIRST, wait), Ask(self._uris[1], SECONDS, IDLE_NEXT, wait)),
            seq=1,
            done_seq=0,
            command=Command(Kind.DIAL),
            ticket=Ticket(datetime.fromtimestamp(now / 1000, UTC).isoformat(), 0, "selftest"),
            visits=0,
            dialled_msec=now,
            plan=Plan(({"d1": 1, OTHERWISE: 0}, stays), max_visits=10, until_msec=now + OURS_MSEC),
        )
        self._calls.open(call, (now + OURS_MSEC) // 1000)
        self._written = True
        yield from ()  # no finding; by this line it is a generator

    def _create(self) -> Iterator[Finding]:
        """Makes the test case. That Amazon Connect does not take it, or has no simulated calls here, is a finding."""
        voice = {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": self._flow}}
        try:
            made = self._connect.create_test_case(
                InstanceId=self._instance,
                Name=f"speechcall-selftest-{self._mid}",
                Description="Made by speechcall selftest, which deletes it.",
                Content=content(*self._uris),
                EntryPoint=voice,
                InitializationData=initialization(self._mid, ATTEMPT),
                Status="PUBLISHED",
            )
        except EndpointConnectionError:
            yield _not_offered(self._deployment.region)
            return
        except ClientError as error:
            found = _refused(error, self._deployment.region)
            if found is None:
                raise
            yield found
            return
        self._case = made["TestCaseId"]

    def _start(self) -> Iterator[Finding]:
        """Starts the test case, and the time that it has. Others of the instance may be waiting before it."""
        try:
            self._execution = self._connect.start_test_case_execution(**self._asked, ClientToken=self._mid)[
                "TestCaseExecutionId"
            ]
        except ClientError as error:
            if _code(error) != "ServiceQuotaExceededException":
                raise
            yield Finding(
                "100 simulated calls wait in the instance already.", "Try again in a few minutes.", Verdict.UNKNOWN
            )
        self._until = self._clock() + LONGEST_SECONDS

    def _answered(self) -> Iterator[Finding]:
        """Waits for the flow to ask our function: then the log has its first entry. If it does not, why."""
        if self._wait(lambda: bool(self._log)):
            return
        if said := self._not_begun():
            yield Finding(
                f"Amazon Connect did not start the simulated call: {said}.", "Try again in a minute.", Verdict.UNKNOWN
            )
        elif self._status == "INITIATED":
            yield Finding(
                "The simulated call still waits behind others of the instance.", "Try again later.", Verdict.UNKNOWN
            )
        else:
            yield Finding(
                "The simulated call ran, and the flow did not ask this stack's function: a callee would hear an "
                "apology, or nothing.",
                "speechcall doctor: its checks flow, flow-content and flow-function; then the log of connect_flow.",
            )

    def _prompt(self) -> Iterator[Finding]:
        """Waits for what ends the first menu, and tells whether its prompt was played."""
        self._wait(lambda: len(self._log) > 1)
        yield from self._heard(FIRST_PROMPT, 1)

    def _key(self) -> Iterator[Finding]:
        """Whether the second entry of the log is the key that the test presses.

        A prompt error is for `_prompt` to tell.
        """
        if len(self._log) > 1 and self._log[1].event in (KEY, PROMPT_ERROR):
            if self._log[1].event == KEY and self._log[1].key != "d1":
                yield Finding(
                    f"Key 1 was pressed, and {self._log[1].key} was heard.", f"Tell us. {BY_HAND}.", Verdict.PROBLEM
                )
            return
        pressed = FIRST_PROMPT in self._records
        yield Finding(
            "Key 1 was pressed and never reached the function."
            if pressed
            else "No key was pressed: Amazon Connect did not see the prompt for which its test waited.",
            f"The flow's input blocks, and the log of connect_flow; {BY_HAND}."
            if pressed
            else f"Look at the test in the instance's console, Testing; {BY_HAND}.",
            Verdict.PROBLEM if pressed else Verdict.UNKNOWN,
        )

    def _next_prompt(self) -> Iterator[Finding]:
        """Waits until the second prompt was played or the second menu is over; whether the prompt was heard of."""
        self._wait(lambda: len(self._log) > 2 or NEXT_PROMPT in self._records)
        yield from self._heard(NEXT_PROMPT, 2)

    def _heard(self, observation: str, at: int) -> Iterator[Finding]:
        """Whether a prompt was played: by the record of the test, or by the log's entry of what ended its input block.

        `observation`: the record's name; `at`: the entry's place in the log.
        """
        entry = self._log[at] if len(self._log) > at else None
        if entry and entry.event == PROMPT_ERROR:
            yield Finding(
                "The prompt could not be played: Amazon Connect may not read it, or cannot play it.",
                "speechcall doctor: its checks bucket and apology; the bucket's policy (ConnectPlaysPrompts), Region "
                "and encryption (SSE-S3).",
            )
        elif observation not in self._records and (entry is None or entry.event not in (KEY, IDLE)):
            yield Finding(
                "The function told the flow to play it, and nothing was heard of it since.",
                f"Look at the test in the instance's console, Testing; {BY_HAND}.",
                Verdict.UNKNOWN,
            )

    # ------------------------------------------------------------------ to look and to wait
    def _wait(self, holds: Callable[[], bool]) -> bool:
        """Looks until `holds` is true, the test is over or its time is; whether it is true. Looks once at least."""
        while True:
            # As the look before has seen it: when the test is over there is one look more, for what came last.
            over = self._status in _OVER
            self._look()
            if holds():
                return True
            answered = self._log[0].at_msec / 1000 if self._log else None
            until = min(self._until, answered + AFTER_ANSWER_SECONDS) if answered else self._until
            if over or self._clock() >= until:
                return False
            self._sleep(LOOK_SECONDS)

    def _look(self) -> None:
        """Asks for the test's status and records, and for the call's log, which stays as it was if the call is gone."""
        asked = {**self._asked, "TestCaseExecutionId": self._execution}
        self._status = self._connect.get_test_case_execution_summary(**asked).get("Status", "")
        records = self._connect.list_test_case_execution_records(**asked).get("ExecutionRecords", [])
        self._records = {one.get("ObservationId", ""): one for one in records if one.get("Status") == "PASSED"}
        self._told = [one.get("Record", "") for one in records]
        call = self._calls.get(self._mid, ATTEMPT)
        self._log = call.log if call else self._log

    def _not_begun(self) -> str:
        """Why the execution was not begun, as a record of the kind COMPLETION says it; or ""."""
        for text in self._told:
            try:
                reason = json.loads(text)["CompletionReason"]
                if "INITIALIZATION_FAILURE" in reason["FailureReasons"]:
                    return str(reason.get("Message") or "INITIALIZATION_FAILURE").rstrip(".")
            except (ValueError, KeyError, TypeError):
                continue
        return ""

    # ------------------------------------------------------------------ afterwards
    def remove(self) -> Iterator[Finding]:
        """Removes what was made: the test case, and the call's item. Safe to repeat.

        A test case that cannot be deleted is a finding.
        """
        if self._removed:
            return
        if self._execution and self._status not in _OVER:
            _quietly(lambda: self._connect.stop_test_case_execution(**self._asked, TestCaseExecutionId=self._execution))
        if self._case:
            try:
                self._connect.delete_test_case(**self._asked)
            except ClientError as error:
                yield Finding(
                    f"The test case {self._case} is left in the instance: {_code(error)}.",
                    f"aws connect delete-test-case --instance-id {self._instance} --test-case-id {self._case}",
                    Verdict.WARNING,
                )
        if self._written:
            # From now on the flow of a contact that is still up is told to hang up.
            self._deployment.client("dynamodb").delete_item(
                TableName=self._deployment.name_of("MessagesTable"), Key=to_wire(call_key(self._mid, ATTEMPT))
            )
        self._removed = True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _quietly(ask: Callable[[], object]) -> None:
    """A test that cannot be stopped ends by itself: its time is 5 minutes."""
    try:
        ask()
    except ClientError:
        return


def _refused(error: ClientError, region: str) -> Finding | None:
    """What a refusal of CreateTestCase means; None: nothing of its own, so it is told as that of any other request."""
    match _code(error):
        case "ResourceNotFoundException":
            return Finding(
                "The instance has no such contact flow, or there is no such instance.",
                "speechcall doctor: its checks instance and flow.",
            )
        case "InvalidTestCaseException":
            response: Any = error.response
            told = [str(one.get("message", "")) for one in response.get("Problems", [])]
            problems = "; ".join(told) or response["Error"].get("Message", "")
            return Finding(
                f"Amazon Connect does not take this command's test case: {problems}.",
                f"That is a fault of this command: tell us these words. {BY_HAND}.",
                Verdict.UNKNOWN,
            )
        case code if code in _NOT_OFFERED:
            return _not_offered(region)
        case _:
            return None


def _not_offered(region: str) -> Finding:
    has_them = region in REGIONS
    return Finding(
        f"Amazon Connect does not offer simulated calls {'to this instance' if has_them else 'in ' + region}.",
        f"{BY_HAND}." if has_them else f"{BY_HAND}. They are offered in {', '.join(REGIONS)}.",
        Verdict.UNKNOWN,
    )
