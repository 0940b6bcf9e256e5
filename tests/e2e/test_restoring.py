"""Tables lost in the middle of calls are put back from a copy: nobody is called twice for one attempt."""

import threading
from collections import Counter

import boto3
import httpx
import pytest

from local.cloud import seed
from tests.e2e.conftest import HANGUP, Client, menu, message, running, webhook
from tests.kit.lost_tables import copy_tables, items_of, lose_tables, now, restore_tables

MENU = menu(idle=180_000, d1=[webhook({"key": 1}), HANGUP], wrong=[HANGUP])


class Callee:
    """Answers, and presses 1 when it is told that its batch may."""

    def __init__(self) -> None:
        self.may_press: dict[str, threading.Event] = {}
        self.listens = threading.Semaphore(0)
        self.numbers: dict[str, str] = {}
        """The number of each message."""
        self.rung: list[str] = []
        """Each number that was dialled, as often as it was; the journal forgets its oldest entries."""

    def take(self, phone) -> None:
        self.rung.append(phone.number)
        if not phone.wait_until_ringing(30) or not phone.answer():
            return
        if phone.wait_for_input(0, 30):
            self.listens.release()
            self.may_press[phone.number].wait(600)
            phone.press("1")


def sent(cloud, callee, first, count, event):
    """So many messages, which are redialled after whatever failure."""
    numbers = [f"+38067{first + place:07}" for place in range(count)]
    callee.may_press |= dict.fromkeys(numbers, event)
    redial = {"attempts": 2, "afterSec": [60], "on": ["failed", "busy", "noAnswer"]}
    found = []
    for begin in range(0, count, 100):
        part = numbers[begin : begin + 100]
        found += Client(cloud.url).send([{**message(MENU, to=number), "redial": redial} for number in part])
    callee.numbers |= dict(zip(found, numbers, strict=True))
    return found


def paused(cloud, callee, first, event):
    """A message of a list that is paused before it can be dialled: every line is taken."""
    mids = sent(cloud, callee, first, 1, event)
    ask(cloud, f"messagelist/{list_of(cloud, mids[0])}/pause")
    return mids


def list_of(cloud, mid):
    return boto3.client("dynamodb").get_item(
        TableName=cloud.template.ref("MessagesTable"), Key={"pk": {"S": f"M#{mid}"}, "sk": {"S": "MESSAGE"}}
    )["Item"]["list_id"]["S"]


def ask(cloud, path):
    answer = httpx.post(f"{cloud.url}/bat/{path}", auth=(seed.USER, seed.PASSWORD))
    assert answer.status_code == 200, answer.text


def stored(cloud, copy=None):
    """State, attempt and end of each message, in the live table or in a copy."""
    items = [one for one in items_of(copy or cloud.template.ref("MessagesTable")) if one["sk"]["S"] == "MESSAGE"]
    return {
        one["mid"]["S"]: (one["state"]["S"], int(one["attempt"]["N"]), one.get("outcome", {}).get("S")) for one in items
    }


def sweep(cloud):
    """What the clock does each minute, every call in progress being a minute old."""
    table = cloud.template.ref("MessagesTable")
    for one in items_of(table):
        if one["sk"]["S"] == "MESSAGE" and one["state"]["S"] == "calling":
            boto3.client("dynamodb").update_item(
                TableName=table,
                Key={name: one[name] for name in ("pk", "sk")},
                UpdateExpression="SET due_at = :now",
                ExpressionAttributeValues={":now": {"N": "1"}},
            )
    cloud.functions.invoke("SweepFunction", {})


def settle(cloud, mids):
    """Until these have ended: with what the clock does each minute."""
    left = mids
    for _ in range(60):
        sweep(cloud)
        cloud.functions.invoke("DialerFunction", {"source": "aws.events"})
        now_stored = stored(cloud)
        left = [mid for mid in mids if now_stored[mid][0] != "finished"]
        if not left:
            break
    assert left == []


def lose_and_restore(count, lines):
    """`count` messages; a copy while the first are in calls; what happens then is lost; and it is put back."""
    callee = Callee()
    at_once, never = threading.Event(), threading.Event()
    with running(callee, parameters={"Lines": str(lines), "CallsPerSecond": "100"}) as cloud:
        first = sent(cloud, callee, 0, count, at_once)
        for _ in range(lines):
            assert callee.listens.acquire(timeout=60)
        (held,) = paused(cloud, callee, count + lines, at_once)
        at, sources = now(), copy_tables(cloud.template)
        copied = stored(cloud, sources[1].copy)
        at_once.set()  # those in calls press and end, and others are called
        later = sent(cloud, callee, count, lines, never)  # and these are accepted, and called at the end
        for _ in range(count):
            assert callee.listens.acquire(timeout=60)
        dialled = set(callee.rung)
        lose_tables(sources)
        report = restore_tables(cloud.template, sources, at)
        never.set()
        settle(cloud, first)
        assert set(stored(cloud)) == {*first, held}
        assert stored(cloud)[held][:2] == ("queued", 0)  # its list is paused still
        ask(cloud, f"messagelist/{list_of(cloud, held)}/resume")
        settle(cloud, [*first, held])
        numbers = callee.numbers
        assert {number for number, times in Counter(callee.rung).items() if times > 1} == set()
        since = {mid for mid, (_, attempt, _outcome) in copied.items() if attempt == 0 and numbers[mid] in dialled}
        assert set(report.called_since) == since
        assert set(report.in_call) == {mid for mid, (state, *_more) in copied.items() if state == "calling"}
        assert set(report.lost) == {mid for mid in later if numbers[mid] in dialled}
        assert set(callee.rung) - dialled == {numbers[held]}
        status = httpx.get(f"{cloud.url}/bat/message/{report.called_since[0]}", auth=(seed.USER, seed.PASSWORD)).json()
        assert (status["call"]["outcome"], status["call"]["endReason"]) == ("failed", "unconfirmed")
        assert restore_tables(cloud.template, sources, at)[:2] == (0, 0)


@pytest.mark.timeout(300)
def test_tables_lost_in_the_middle_of_calls_are_put_back():
    lose_and_restore(6, 3)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_tables_lost_in_the_middle_of_200_calls_are_put_back():
    lose_and_restore(200, 40)
