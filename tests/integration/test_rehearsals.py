"""Rehearsals over the API: asked for, done behind a queue, told; killed anywhere, brought twice, asked for by others.

The functions as they are deployed, over moto. What stands in the tables besides a rehearsal's own items never changes.
"""

import json
import logging
import threading
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
import pytest

from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Brake, LineTaken
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.rehearsal.adapters.rehearsal_store import DynamoRehearsals
from speechcall.rehearsal.adapters.virtual_stack import apart
from speechcall.rehearsal.rules.rehearsal_job import (
    AGAIN_SECONDS,
    LEASE_SECONDS,
    MOST_A_DAY,
    MOST_ATTEMPTS,
    QUEUED_SECONDS,
    WAITS_SECONDS,
    WORK_SECONDS,
    Failure,
    JobState,
    RehearsalJob,
    as_told,
)
from speechcall.rehearsal.use_cases import work_rehearsals
from speechcall.rehearsal.use_cases.rehearsal_ports import NotAdded, Running
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.ids import new_ids
from tests.kit.http_api import TEMPLATE, HttpApi
from tests.kit.samples import ASK, MESSAGE

MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}], "d9": [{"action": "optOut"}]}}
CALLEES = {"outcomes": {"answered": 1}, "ringSeconds": 5, "talkSeconds": 25, "keys": {"1": 1}, "handlingSeconds": 0}
QUEUE = TEMPLATE.ref("RehearsalQueue")


def body_of(count: int = 8, **members: Any) -> dict[str, Any]:
    messages = [
        {"from": "Shop", "to": f"+38067{at:07}", "text": "secret words", "type": "speechcall", "menu": [MENU]}
        for at in range(count)
    ]
    return {"messages": messages, "callees": CALLEES, "seeds": 2, **members}


class Desk:
    """Who asks, and the worker's function with its queue."""

    def __init__(self, api: HttpApi) -> None:
        self.api = api
        api.reset(Account("acme", ("*",)), Account("other", ("*",)))
        self.client, self.sqs = boto3.client("dynamodb"), boto3.client("sqs")
        # A new one: that of the API believes queues of the test before to be awake.
        self.messages = DynamoMessages(self.client, *api.tables)
        self.store = DynamoRehearsals(self.client, api.tables[1])
        while self.received():  # what a test before has left is hidden
            pass
        self.module: Any = api.host._handlers[TEMPLATE.functions["RehearseFunction"].name].__wrapped__.__globals__  # type: ignore[attr-defined]

    def begin(self, body: Any, user: str = "acme") -> str:
        told = self.api.post(body, path="/bat/rehearsal", user=user)
        assert told.status == 202, told.text
        assert (told.json["state"], told.json["messages"]) == ("waiting", len(body["messages"]))
        return str(told.json["rehearsalId"])

    def ask(self, job_id: str, user: str = "acme") -> Any:
        event = self.api._event("GET", f"/bat/rehearsal/{job_id}", user, {})
        return self.api._invoke("MessagelistFunction", {**event, "body": None})

    def told(self, job_id: str) -> Any:
        answer = self.ask(job_id)
        assert answer.status == 200, answer.text
        return answer.json

    def received(self) -> list[dict[str, Any]]:
        """The records of the queue, each with the form in which Lambda is given it."""
        found = self.sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10).get("Messages", [])
        return [
            {"messageId": one["MessageId"], "receiptHandle": one["ReceiptHandle"], "body": one["Body"]} for one in found
        ]

    def work(self) -> list[Any]:
        """Lets the worker have what is in the queue; which of it comes again."""
        records = self.received()
        answer = self.api.host.invoke(TEMPLATE.functions["RehearseFunction"].name, {"Records": records})
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        for one in records:
            if one["messageId"] not in failed:
                self.sqs.delete_message(QueueUrl=QUEUE, ReceiptHandle=one["receiptHandle"])
        return failed

    def stored(self) -> dict[tuple[str, str, str], str]:
        """All items but those of rehearsals."""
        return {key: text for key, text in self.api.stored().items() if not key[1].startswith("REHEARSAL")}

    def lists(self) -> list[str]:
        return [pk for _, pk, sk in self.api.stored() if pk.startswith("REHEARSAL#") and sk == "LIST"]

    def wait(self, count: int, account: str, at: int = 60_000) -> list[Any]:
        """Messages of an account that wait, one of them in a call."""
        messages, now = self.messages, SystemClock().now_msec()
        list_id, *mids = new_ids(count + 1, now - at, lambda _bits: 0)
        base = replace(MESSAGE, list_id=list_id, account_id=account, created_msec=now - at)
        made = [replace(base, mid=mid, number=f"+4930{mid[-9:]}") for mid in mids]
        messages.add(made)
        for one in made:
            messages.queue(one, (ASK,), now)
        return made


@pytest.fixture
def desk(made: HttpApi) -> Desk:
    return Desk(made)


def use(desk: Desk, monkeypatch: pytest.MonkeyPatch, **ports: Any) -> None:
    """Gives the worker other ports."""
    monkeypatch.setitem(desk.module, "work", replace(desk.module["work"], **ports))


class Later:
    """The real clock, moved on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def now_msec(self) -> int:
        return SystemClock().now_msec() + round(self.seconds * 1000)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_a_list_is_rehearsed_and_nothing_else_changes(desk: Desk) -> None:
    DynamoPool(desk.client, desk.api.tables[1]).tell_stack(Pool(2, 5))
    before = desk.stored()
    job_id = desk.begin(body_of())
    assert len(desk.lists()) == 1
    assert desk.work() == []
    told = desk.told(job_id)
    assert desk.stored() == before
    assert desk.lists() == []
    assert (told["state"], told["messages"]) == ("done", 8)
    figures = told["figures"]
    assert figures["outcomes"] == {"answered": {"p50": 8, "p95": 8}}
    assert figures["firstKeys"] == {"1": {"p50": 8, "p95": 8}}
    assert figures["talkedMinutes"] == {"p50": 3.3, "p95": 3.3}
    # 10 lines and 2 calls a second, as the template's defaults say: the function's own, which the dialler told before.
    assert 25 <= figures["seconds"]["p50"] <= 45
    assert sum(figures["callsBegun"]["mean"]) == pytest.approx(8)


def test_nothing_of_a_list_that_names_a_person_is_stored_or_queued(desk: Desk) -> None:
    desk.begin(body_of())
    (packed,) = [
        item["packed"]["B"]
        for item in desk.client.scan(TableName=desk.api.tables[1])["Items"]
        if item["sk"]["S"] == "LIST" and "packed" in item
    ]
    import zlib  # noqa: PLC0415

    text = zlib.decompress(packed).decode()
    queued = json.dumps(desk.received())
    for word in ("38067", "secret words", "Shop", "introUrl", "ivr_651854"):
        assert word not in text
        assert word not in queued


def test_what_the_account_waits_for_goes_first(desk: Desk) -> None:
    alone = desk.begin(body_of(40))
    desk.work()
    desk.wait(40, "acme")
    behind = desk.begin(body_of(40))
    desk.work()
    figures = [desk.told(one)["figures"] for one in (alone, behind)]
    assert figures[1]["seconds"]["p50"] > figures[0]["seconds"]["p50"] + 60
    assert figures[1]["calls"] == figures[0]["calls"] == {"p50": 40, "p95": 40}


def test_a_paused_list_of_the_account_lets_the_new_one_pass(desk: Desk) -> None:
    waiting = desk.wait(40, "acme")
    stopped = Stopped(Brake.LIST, "acme", waiting[0].list_id)
    DynamoStops(desk.client, desk.api.tables[1]).pause(stopped, SystemClock().now_msec(), 0)
    job_id = desk.begin(body_of(40))
    desk.work()
    assert desk.told(job_id)["figures"]["seconds"]["p50"] < 4 * 30 + 30


def test_a_new_list_of_a_paused_campaign_is_not_dialled(desk: Desk) -> None:
    body = {"messages": body_of(1)["messages"], "campaign": "spring"}
    assert desk.api.post(body, user="acme").status == 200
    stops = DynamoStops(desk.client, desk.api.tables[1])
    assert stops.pause(Stopped(Brake.CAMPAIGN, "acme", "spring"), SystemClock().now_msec(), 0)
    told = []
    for campaign in ("spring", "autumn"):
        job_id = desk.begin(body_of(4, campaign=campaign, ttlSec=600))
        desk.work()
        told.append(desk.told(job_id)["figures"])
    assert [one["outcomes"] for one in told] == [
        {"expired": {"p50": 4, "p95": 4}},
        {"answered": {"p50": 4, "p95": 4}},
    ]
    assert told[0]["calls"] == {"p50": 0, "p95": 0}


def test_of_others_the_figures_know_their_shares_and_nothing_more(desk: Desk) -> None:
    alone = desk.begin(body_of(40))
    desk.work()
    others = desk.wait(3, "other")
    few = desk.begin(body_of(40))
    desk.work()
    desk.wait(60, "other", 50_000)
    many = desk.begin(body_of(40))
    desk.work()
    found = [{**desk.told(one)["figures"], "from": "", "end": ""} for one in (alone, few, many)]
    # With 3 messages that wait or with 63, the other account takes its half of the lines.
    assert found[1] == found[2]
    assert found[1]["seconds"]["p50"] > 1.6 * found[0]["seconds"]["p50"]
    assert found[1]["calls"] == found[0]["calls"]
    text = json.dumps([desk.told(one) for one in (alone, few, many)])
    assert not any(word in text for one in others for word in (one.mid, one.number, "other"))


def test_lines_that_others_hold_are_taken_and_come_back(desk: Desk) -> None:
    pool, now = Pool(10, 50), SystemClock().now_msec()
    for one in desk.wait(10, "other"):
        stored = desk.messages.get(one.mid)
        taken = desk.messages.claim_line(stored, "arn:flow", pool, now + 1000)
        now += 1000
        assert isinstance(taken, LineTaken), taken
    job_id = desk.begin(body_of(4))
    desk.work()
    # Every line is taken for 30 s, as who is called says; then the list's calls take 30 s.
    assert desk.told(job_id)["figures"]["seconds"]["p50"] >= 60


# --------------------------------------------------------------------- bounds
def test_one_at_a_time(desk: Desk) -> None:
    first = desk.begin(body_of())
    refused = desk.api.post(body_of(), path="/bat/rehearsal")
    assert (refused.status, refused.json["error"]["code"]) == (409, "REHEARSAL_RUNNING")
    assert first in refused.json["error"]["message"]
    other = desk.begin(body_of(), user="other")
    desk.work()
    assert desk.told(first)["state"] == "done"
    assert desk.ask(other, user="other").json["state"] == "done"
    desk.begin(body_of())


def test_of_two_requests_at_one_moment_one_is_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request writes between what this one reads and what it writes."""
    packed = desk.store
    first, second = (made(desk, name) for name in ("1", "2"))
    given = given_of(desk)
    real = packed._note_latest
    raced: list[Any] = []

    def race(job: RehearsalJob, *rest: Any) -> Any:
        part = real(job, *rest)
        if not raced:
            raced.append("")
            raced[0] = packed.add(second, given)
        return part

    monkeypatch.setattr(packed, "_note_latest", race)
    assert packed.add(first, given) == Running("2")
    assert raced == [None]
    assert packed.find("1") is None
    assert packed.find("2") == second


def made(desk: Desk, job_id: str, at: int = 0) -> RehearsalJob:
    now = SystemClock().now_msec() + at
    return RehearsalJob(job_id, "acme", now, 1, 1, now + WAITS_SECONDS * 1000)


def given_of(desk: Desk) -> Any:
    """A list as it is stored."""
    job_id = desk.begin(body_of(1), user="other")
    job = desk.store.find(job_id)
    assert job is not None
    return desk.store.list_of(job)


def test_the_twenty_first_of_a_day_is_refused_and_the_next_day_is_another(desk: Desk) -> None:
    given = given_of(desk)
    day = 86_400_000
    now = SystemClock().now_msec() // day * day
    for number in range(MOST_A_DAY):
        job = replace(made(desk, str(number + 1)), asked_msec=now + number)
        assert desk.store.add(job, given) is None
        taken = desk.store.take(job.job_id, now + number)
        assert taken is not None
        assert desk.store.finish(taken, now + number, result="{}")
    job = replace(made(desk, "21"), asked_msec=now + 1000)
    assert desk.store.add(job, given) is NotAdded.DAY_FULL
    refused = desk.api.post(body_of(), path="/bat/rehearsal")
    assert (refused.status, refused.json["error"]["code"]) == (429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) > 0
    assert desk.store.add(replace(job, asked_msec=now + day), given) is None


def test_a_list_of_many_requests_is_judged_as_a_whole(desk: Desk) -> None:
    body = body_of(250)
    body["messages"][203]["to"] = "+1"
    body["messages"][7]["menu"] = []
    refused = desk.api.post(body, path="/bat/rehearsal")
    assert refused.status == 400
    paths = [one["path"] for one in refused.json["error"]["details"]]
    assert paths == ["messages[7].menu", "messages[203].to"]
    assert desk.lists() == []
    job_id = desk.begin(body_of(250, seeds=1))
    desk.work()
    assert desk.told(job_id)["figures"]["calls"]["p50"] == 250


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"callees": {**CALLEES, "outcomes": {"answered": 0.5}}}, "callees.outcomes", "INVALID_CALLEES"),
        ({"seeds": 21}, "seeds", "INVALID_SEEDS"),
        ({"seeds": True}, "seeds", "INVALID_SEEDS"),
        ({"start": "tomorrow"}, "start", "INVALID_START"),
        ({"start": "2020-01-01T00:00:00Z"}, "start", "INVALID_START"),
        ({"seed": 3}, "seed", "UNKNOWN_FIELD"),
        ({"messages": []}, "messages", "INVALID_REQUEST"),
        ({"messages": "none"}, "messages", "INVALID_REQUEST"),
        ({"campaign": "no name"}, "campaign", "INVALID_CAMPAIGN"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_with_its_place(
    desk: Desk, changed: dict[str, Any], path: str, code: str
) -> None:
    refused = desk.api.post(body_of(**changed), path="/bat/rehearsal")
    assert refused.status == 400
    (found,) = refused.json["error"]["details"]
    assert (found["path"], found["code"]) == (path, code)
    assert desk.lists() == []


def test_another_accounts_rehearsal_is_none(desk: Desk) -> None:
    job_id = desk.begin(body_of())
    for name in (job_id, "1", "x", "9" * 30):
        assert desk.ask(name, user="other").status == 404
    assert desk.ask(job_id).status == 200


# ----------------------------------------------------------- death and repeats
def test_a_message_that_is_brought_twice_is_done_once(desk: Desk) -> None:
    job_id = desk.begin(body_of())
    (record,) = desk.received()
    hidden: list[int] = []
    work = desk.module["work"]
    assert work.do(job_id, hidden.append) is True
    done = desk.told(job_id)
    assert work.do(job_id, hidden.append) is True
    assert desk.told(job_id) == done
    assert desk.store.find(job_id).attempt == 1
    assert hidden == [LEASE_SECONDS]
    assert record["body"] == json.dumps({"rehearsal_id": job_id})


def test_a_copy_that_comes_while_it_is_worked_on_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = desk.begin(body_of())
    hidden: list[int] = []
    told: list[bool] = []

    def place_of(*given: Any) -> Any:
        told.append(desk.module["work"].do(job_id, hidden.append))
        return desk.module["place_of"](*given)

    use(desk, monkeypatch, place_of=place_of)
    assert desk.work() == []
    assert told == [False]
    assert LEASE_SECONDS - 5 <= hidden[0] <= LEASE_SECONDS + 1
    assert desk.told(job_id)["state"] == "done"


def test_one_that_is_given_back_in_the_moment_of_a_copy_is_not_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy looks while another worker has it, and again when that one has just given it back."""
    job_id = desk.begin(body_of())
    taken = desk.store.take(job_id, SystemClock().now_msec())
    assert taken is not None
    hidden: list[int] = []

    class Between(DynamoRehearsals):
        def take(self, job_id: str, now_msec: int) -> RehearsalJob | None:
            found = super().take(job_id, now_msec)
            assert desk.store.give_back(taken, now_msec)
            return found

    use(desk, monkeypatch, jobs=Between(desk.client, desk.api.tables[1]))
    assert desk.module["work"].do(job_id, hidden.append) is False
    assert hidden == [AGAIN_SECONDS]
    use(desk, monkeypatch, jobs=desk.store)
    assert desk.work() == []
    assert desk.told(job_id)["state"] == "done"


class Killed(BaseException):
    """The process ends, between two requests or in the midst of work."""


WRITES = ("take", "list_of", "finish")


@pytest.mark.parametrize("where", [*WRITES, "place_of", "apart"])
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_is_killed_is_repeated_or_the_rehearsal_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str, after: bool
) -> None:
    job_id = desk.begin(body_of())
    before = desk.stored()
    work = desk.module["work"]
    real = getattr(desk.store if where in WRITES else work, where)

    def killed(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patch:
        if where in WRITES:
            patch.setattr(DynamoRehearsals, where, lambda _self, *given, **named: killed(*given, **named))
        else:
            use(desk, patch, **{where: killed})
        with pytest.raises(Killed):
            desk.module["work"].do(job_id, lambda _seconds: None)
    first = desk.told(job_id)["state"]
    assert first in ("waiting", "running", "done")
    later = replace(work, clock=Later(LEASE_SECONDS + 1))
    assert later.do(job_id, lambda _seconds: None) is True
    told = desk.told(job_id)
    assert told["state"] == "done"
    assert told["figures"]["outcomes"] == {"answered": {"p50": 8, "p95": 8}}
    assert desk.lists() == []
    assert desk.stored() == before


def test_one_whose_every_worker_is_killed_ends_failed_and_leaves_no_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = desk.begin(body_of())

    def killed(*_given: Any) -> Any:
        raise Killed

    for number in range(MOST_ATTEMPTS):
        use(desk, monkeypatch, place_of=killed, clock=Later(number * (LEASE_SECONDS + 1)))
        with pytest.raises(Killed):
            desk.module["work"].do(job_id, lambda _seconds: None)
    assert desk.told(job_id)["state"] == "running"
    late = Later(MOST_ATTEMPTS * (LEASE_SECONDS + 1))
    use(desk, monkeypatch, clock=late)
    assert desk.module["work"].do(job_id, lambda _seconds: None) is True
    told = desk.told(job_id)
    assert (told["state"], told["failure"]["reason"]) == ("failed", "interrupted")
    assert desk.lists() == []
    desk.begin(body_of())


def test_one_that_no_queue_brings_fails_by_itself_and_does_not_bar_the_next(desk: Desk) -> None:
    job_id = desk.begin(body_of())
    job = desk.store.find(job_id)
    assert job is not None
    soon, late = job.ends_by_msec - 1, job.ends_by_msec
    given = desk.store.list_of(job)
    assert given is not None
    assert desk.store.add(replace(made(desk, "1"), asked_msec=soon), given) == Running(job_id)
    assert desk.store.take(job_id, late) is None
    assert desk.store.add(replace(made(desk, "1"), asked_msec=late), given) is None
    assert desk.store.list_of(job) is None
    # Who was told that it has failed is never told that it is done.
    assert not desk.store.finish(replace(job, state=JobState.RUNNING), late, result="{}")


def test_what_cannot_be_read_is_tried_again_and_then_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = desk.begin(body_of())
    hidden: list[int] = []

    def unavailable(*_given: Any) -> Any:
        raise StoreUnavailable("ThrottlingException")

    use(desk, monkeypatch, place_of=unavailable)
    told = [desk.module["work"].do(job_id, hidden.append) for _ in range(MOST_ATTEMPTS)]
    assert told == [False, False, True]
    assert hidden == [LEASE_SECONDS, AGAIN_SECONDS] * 2 + [LEASE_SECONDS]
    assert desk.told(job_id)["failure"]["reason"] == "unavailable"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (RuntimeError("a fault of ours"), "fault"),
        (work_rehearsals.NoRehearsal(Failure.TOO_MANY_WAIT), "tooManyWait"),
    ],
)
def test_a_rehearsal_that_cannot_be_says_why(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: Exception, reason: str
) -> None:
    job_id = desk.begin(body_of())

    def fails(*_given: Any) -> Any:
        raise fault

    use(desk, monkeypatch, place_of=fails)
    assert desk.work() == []
    told = desk.told(job_id)
    assert (told["state"], told["failure"]["reason"]) == ("failed", reason)
    assert told["failure"]["message"]
    assert "figures" not in told
    assert desk.lists() == []


def test_more_own_messages_than_are_read_are_too_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import speechcall.rehearsal.adapters.own_standing as module  # noqa: PLC0415

    monkeypatch.setattr(module, "MOST_OWN_WAITING", 3)
    desk.wait(4, "acme")
    job_id = desk.begin(body_of())
    desk.work()
    assert desk.told(job_id)["failure"]["reason"] == "tooManyWait"


def test_time_that_is_up_leaves_fewer_seeds_or_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 0.0, 1.0, 1.0])
    use(desk, monkeypatch, seconds=lambda: next(seconds, WORK_SECONDS + 1.0))
    job_id = desk.begin(body_of(seeds=20))
    desk.work()
    told = desk.told(job_id)
    assert (told["state"], told["figures"]["seeds"]) == ("done", 2)
    none = iter([0.0, 0.0])
    use(desk, monkeypatch, seconds=lambda: next(none, WORK_SECONDS + 1.0))
    job_id = desk.begin(body_of(400))
    desk.work()
    assert desk.told(job_id)["failure"]["reason"] == "tookTooLong"


def test_a_queue_that_takes_nothing_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_job_id: str) -> None:
        raise StoreUnavailable("the queue of rehearsals did not take one")

    module: Any = desk.api.host._handlers[TEMPLATE.functions["MessagelistFunction"].name].__wrapped__.__globals__  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        without_queue = module["rehearsal_desk"]()._replace(send=fails)
        patch.setitem(module, "rehearsal_desk", lambda: without_queue)
        for _ in range(2):
            assert desk.api.post(body_of(), path="/bat/rehearsal").status == 500
    assert desk.lists() == []
    assert not [pk for _, pk, _sk in desk.api.stored() if pk.startswith("REHEARSAL#")]
    latest = desk.client.get_item(
        TableName=desk.api.tables[1], Key={"pk": {"S": "REHEARSALS#acme"}, "sk": {"S": "LATEST"}}
    )
    assert latest["Item"]["begun"] == {"N": "0"}
    desk.begin(body_of())


def test_a_worker_that_is_late_writes_nothing_over_another(desk: Desk) -> None:
    job_id = desk.begin(body_of())
    now = SystemClock().now_msec()
    slow = desk.store.take(job_id, now)
    assert slow is not None
    assert desk.store.take(job_id, now + 1000) is None
    quick = desk.store.take(job_id, now + LEASE_SECONDS * 1000)
    assert quick is not None
    assert not desk.store.finish(slow, now + LEASE_SECONDS * 1000, result='{"of": "the slow one"}')
    assert not desk.store.give_back(slow, now + LEASE_SECONDS * 1000)
    assert desk.store.list_of(quick) is not None
    assert desk.store.finish(quick, now + LEASE_SECONDS * 1000, result='{"of": "the quick one"}')
    assert json.loads(desk.store.find(job_id).result) == {"of": "the quick one"}


def test_a_start_ahead_is_when_the_list_is_taken_to_be_sent(desk: Desk) -> None:
    now = SystemClock().now_msec()
    start = (now // 86_400_000 + 2) * 86_400_000
    from speechcall.shared.rules.timing import utc_text  # noqa: PLC0415

    job_id = desk.begin(body_of(start=utc_text(start)))
    desk.work()
    figures = desk.told(job_id)["figures"]
    assert figures["from"] == utc_text(start)
    assert figures["seconds"]["p50"] < 60


@pytest.mark.parametrize("where", ["send", "confirm"])
@pytest.mark.parametrize("after", [False, True])
def test_a_request_that_dies_leaves_a_rehearsal_that_is_done_or_fails_soon(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str, after: bool
) -> None:
    module: Any = desk.api.host._handlers[TEMPLATE.functions["MessagelistFunction"].name].__wrapped__.__globals__  # type: ignore[attr-defined]
    made_desk = module["rehearsal_desk"]()
    real: Any = made_desk.send if where == "send" else partial(DynamoRehearsals.confirm, desk.store)

    def killed(given: Any) -> None:
        if after:
            real(given)
        raise Killed

    if where == "send":
        monkeypatch.setitem(module, "rehearsal_desk", lambda: made_desk._replace(send=killed))
    else:
        monkeypatch.setattr(DynamoRehearsals, "confirm", lambda _self, job: killed(job))
    with pytest.raises(Killed):
        desk.api.post(body_of(), path="/bat/rehearsal")
    monkeypatch.undo()
    (job_id,) = {pk.removeprefix("REHEARSAL#") for _, pk, _ in desk.api.stored() if pk.startswith("REHEARSAL#")}
    is_queued = where == "confirm" or after
    if is_queued:
        assert desk.work() == []
        assert desk.told(job_id)["state"] == "done"
    else:
        job = desk.store.find(job_id)
        assert job is not None
        late = job.asked_msec + QUEUED_SECONDS * 1000
        assert as_told(job, late) == (JobState.FAILED, Failure.INTERRUPTED)
        assert desk.store.add(replace(made(desk, "1"), asked_msec=late), given_of(desk)) is None


def test_nothing_of_a_rehearsal_is_logged_as_if_it_had_happened(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    job_id = desk.begin(body_of())
    dialler = logging.getLogger("speechcall.dialling.use_cases.dial_messages")
    with caplog.at_level(logging.INFO):
        desk.work()
        assert desk.told(job_id)["state"] == "done"
        assert [one.message for one in caplog.records if one.name == dialler.name] == []
        dialler.info("and after it everything is")
        other = threading.Thread(target=lambda: dialler.info("by all"))
        with apart():
            dialler.info("not this")
            other.start()
            other.join()
    assert [one.message for one in caplog.records if one.name == dialler.name] == [
        "and after it everything is",
        "by all",
    ]
