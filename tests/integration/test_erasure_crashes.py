"""An erasure whose worker is killed, or refused, at every step: in the end all is gone, and nothing else is."""

from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.evidence.adapters.person_jobs import DynamoPersonJobs
from speechcall.evidence.adapters.person_records import DynamoPersonRecords
from speechcall.evidence.rules.person_job import Kind, PersonJob
from speechcall.evidence.use_cases.work_for_people import PeopleWork
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.messages.use_cases.refuse_message import refuse_message
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.outcome import CANCELLED, Outcome
from tests.kit.http_api import NUMBER, TEMPLATE, HttpApi
from tests.kit.samples import ASK, CALL, FakeClock

POOL = Pool(lines=9, calls_per_second=1000)
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}
ONE = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": [MENU]}
OTHER = NUMBER[:-2] + "99"


@dataclass
class Killed:
    """A port whose n-th operation is refused, or is the last thing that its user does."""

    port: Any
    steps: SimpleNamespace

    def __getattr__(self, name: str) -> Any:
        def work(*given: Any) -> Any:
            self.steps.done += 1
            if self.steps.done == self.steps.last:
                raise StoreUnavailable("not now")
            result = getattr(self.port, name)(*given)
            if self.steps.done == -self.steps.last:
                raise ZeroDivisionError("killed")
            return result

        return work


class World:
    """Messages of acme to a person: one that has ended, one that waits, one that is in a call; and others."""

    def __init__(self, api: HttpApi) -> None:
        api.reset()
        self.api, client = api, boto3.client("dynamodb")
        function: Any = api.host._handlers[TEMPLATE.functions["MessagelistFunction"].name]
        self.digest = function.__wrapped__.__globals__["digests"].of(NUMBER)
        self.jobs = DynamoPersonJobs(client, api.tables[1])
        self.records = DynamoPersonRecords(client, api.tables[0], api.lists)
        self.calls = DynamoCalls(client, api.tables[0])
        answer = api.post({"messages": [ONE | {"to": number} for number in (NUMBER, NUMBER, NUMBER, OTHER)]}, k="x")
        self.ended, self.waits, self.calling, self.others = (one["messageId"] for one in answer.json["messages"])
        self.list_id = answer.json["messagelistId"]
        self.foreign = api.post({"messages": [ONE | {"to": NUMBER}]}, user="other").json["messages"][0]["messageId"]
        self.clock, self.claims = FakeClock(), 0
        for mid in (self.ended, self.waits, self.others):
            assert api.messages.queue(self.get(mid), (ASK,), self.get(mid).created_msec)
        self.call(self.ended)
        self.finish(self.ended)
        api.messages.queue(self.get(self.calling), (ASK,), self.get(self.calling).created_msec)
        self.call(self.calling)
        self.clock.msec = self.get(self.foreign).created_msec
        self.jobs.add(PersonJob("7", Kind.ERASURE, "acme", self.digest, self.clock.msec))
        # What is accepted after the request is another matter.
        self.later = api.post({"messages": [ONE | {"to": NUMBER}]}).json["messages"][0]["messageId"]

    def get(self, mid: str) -> Message:
        found = self.api.messages.get(mid)
        assert found is not None
        return found

    def call(self, mid: str) -> None:
        self.claims += 1
        now = self.get(mid).created_msec + self.claims * 1000  # calls are not begun all at once
        assert self.api.messages.claim_line(self.get(mid), "arn:flow", POOL, now) == LineTaken()
        self.calls.open(CALL._replace(mid=mid, number=NUMBER, contact_id=f"contact-{mid}"), self.get(mid).expires_at)
        self.calls.set_contact(mid, 1, f"contact-{mid}")
        self.calls.name_contact(f"contact-{mid}", mid, 1, self.get(mid).expires_at)

    def finish(self, mid: str) -> None:
        assert self.api.messages.finish(self.get(mid), Outcome("busy", "busy"), self.clock.msec)

    def cancel(self, message: Message) -> None:
        if message.state in (State.PREPARING, State.QUEUED):
            refuse_message(message, CANCELLED, None, self.clock.msec, messages=self.api.messages)
        else:
            self.api.messages.stop_redials(message, self.clock.msec, hangs_up=False)

    def run(self, last: int) -> None:
        steps = SimpleNamespace(done=0, last=last)
        ports: Any = {
            "jobs": Killed(self.jobs, steps),
            "records": Killed(self.records, steps),
            "messages": Killed(self.api.messages, steps),
        }
        # Where not even what is due is told, the function fails, and the next minute's is another.
        with suppress(StoreUnavailable, ZeroDivisionError):
            PeopleWork(**ports, cancel=self.cancel, clock=self.clock, time_left=lambda: 9).do()

    def of_person(self) -> list[str]:
        """Where the person, or one of the messages, is still found."""
        stored = self.api.stored().items()
        return [pk for (_, pk, sk), text in stored if NUMBER[1:] in text or pk[2:] in self.mids or "contact-" in pk]

    @property
    def mids(self) -> tuple[str, ...]:
        return self.ended, self.waits, self.calling


STEPS = (0, 2, 9, 26, 30, -30, 33, -35)
ALL = [step for step in range(-90, 90) if step not in STEPS]


@pytest.mark.parametrize("last", [*STEPS, *(pytest.param(step, marks=pytest.mark.long) for step in ALL)])
def test_whatever_a_worker_is_killed_at_all_is_gone_in_the_end(made, last):
    world = World(made)
    job: PersonJob | None = None
    for minute in range(40):
        world.run(last if minute in (0, 2, 4) else 0)
        world.clock.msec += 71_000
        if minute == 6:
            # While it is in a call nothing of it goes; it is not dialled again.
            assert world.get(world.calling).cancelled_msec is not None
            assert f"C#contact-{world.calling}" in world.of_person()
            world.finish(world.calling)
        job = world.jobs.find("7")
        assert job is not None
        if job.finished_msec:
            break
    assert job is not None
    assert minute > 6
    assert (job.left, job.digest, job.mids) == (0, "", frozenset())
    assert {pk.removeprefix("M#") for pk in world.of_person()} == {world.foreign, world.later}
    assert world.get(world.others).state is State.QUEUED
    found = world.api.lists.find_list(world.list_id)
    assert found is not None
    assert found.erased == {*world.mids}
    assert world.jobs.due(world.clock.msec + 10**9, 9) == []


def test_a_message_that_cannot_be_read_holds_up_nothing_but_the_receipt(made):
    world = World(made)
    key = {"pk": {"S": f"M#{world.calling}"}, "sk": {"S": "MESSAGE"}}
    world.finish(world.calling)
    boto3.client("dynamodb").update_item(TableName=made.tables[0], Key=key, UpdateExpression="REMOVE menus")
    for _ in range(6):
        world.run(0)
        world.clock.msec += 901_000
    job = world.jobs.find("7")
    assert job is not None
    assert (job.left, job.finished_msec, job.messages) == (1, None, 2)
    assert {world.ended, world.waits} & {pk.removeprefix("M#") for pk in world.of_person()} == set()
