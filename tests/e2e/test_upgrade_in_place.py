"""What the previous release has stored is upgraded in place: today's functions read it, and carry on with it."""

import boto3
import httpx
import pytest

from local.cloud import seed
from tests.e2e.conftest import telephone_wav
from tests.e2e.test_rolling_update import (
    BEFORE,
    BOTH,
    EVERY,
    LATER,
    Crowd,
    both_running,
    expect,
    previous,
    refused_webhooks,
    sent,
    turn,
)
from tests.kit.releases.rolling import NEW, OLD

__all__ = ["previous"]


def ask(cloud, path, method="GET", **more):
    answer = httpx.request(method, f"{cloud.url}{path}", auth=(seed.USER, seed.PASSWORD), timeout=30, **more)
    assert answer.status_code in (200, 202), (path, answer.text)
    return answer.json()


def choose_lines(cloud, count):
    boto3.client("dynamodb").update_item(
        TableName=cloud.template.ref("RegistryTable"),
        Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}},
        UpdateExpression="SET chosen_lines = :count",
        ExpressionAttributeValues={":count": {"N": str(count)}},
    )


def lacks(before, after, path=""):
    """Where an answer of before says what the answer of now does not say, or says otherwise. More is no lack."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [lack for name, value in before.items() for lack in lacks(value, after.get(name), f"{path}.{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            lack
            for at, (one, two) in enumerate(zip(before, after, strict=True))
            for lack in lacks(one, two, f"{path}[{at}]")
        ]
    return [] if before == after else [(path, before, after)]


@pytest.mark.timeout(300)
def test_what_the_previous_release_has_stored_is_upgraded_in_place(previous):
    kind = "was accepted"
    with both_running(previous, "connect", OLD) as (cloud, rolling, crowds):
        turn(cloud, rolling, OLD, previous)
        crowd = Crowd()
        done = sent(cloud, crowds, crowd, {kind: LATER[kind]}, "done")
        cloud.journal.wait_for(
            lambda one: one["mid"] == done[kind] and one["kind"] == "state" and one["state"] == "finished", 60
        )
        retried = refused_webhooks(cloud, sent(cloud, crowds, crowd, BEFORE, "retried"))
        choose_lines(cloud, 0)
        waits = sent(cloud, crowds, crowd, {kind: LATER[kind]}, "waits")
        ask(cloud, "/bat/audio/mine", "PUT", content=telephone_wav(1.0))
        list_id = boto3.client("dynamodb").get_item(
            TableName=cloud.template.ref("MessagesTable"), Key={"pk": {"S": f"M#{done[kind]}"}, "sk": {"S": "MESSAGE"}}
        )["Item"]["list_id"]["S"]
        paths = [f"/bat/message/{done[kind]}", f"/bat/messagelist/{list_id}", "/bat/audio", "/bat/audio/mine"]
        before = {path: ask(cloud, path) for path in paths}
        assert before[paths[0]].pop("cost") == 0  # it always was; now it is left out where there are no rates
        turn(cloud, rolling, NEW, previous)
        assert {path: lacks(before[path], ask(cloud, path)) for path in paths} == {path: [] for path in paths}
        choose_lines(cloud, 20)
        for function in (
            "SweepFunction",
            "DialerFunction",
        ):  # as the clock does each minute: that release knew no queues
            rolling.invoke(function, {})
        assert EVERY[kind].hooks == BOTH["hooks"]
        for name, mids in ((kind, done), (kind, waits), *((name, retried) for name in BEFORE)):
            expect(cloud, rolling, EVERY[name], mids[name], (name, OLD, NEW))
        assert ask(cloud, f"/bat/message/{done[kind]}/webhooks/replay", "POST")
