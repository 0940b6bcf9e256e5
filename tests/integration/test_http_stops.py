"""Messages, lists and campaigns are cancelled, paused and resumed over HTTP; what cannot be read says where."""

import boto3
import pytest

from local.cloud.lambda_service import served_by
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.shared.adapters.keys import campaign_key
from speechcall.shared.adapters.table import to_wire
from speechcall.shared.rules.outcome import Outcome
from tests.kit.http_api import NUMBER, TEMPLATE
from tests.kit.samples import ASK, CALL, NOW

POOL = Pool(lines=9, calls_per_second=1000)
NO_LIST = "There is no message list of this id in this account, or it has expired."


@pytest.fixture(autouse=True)
def worker(api):
    """Who carries out what was cancelled is asked for here, and runs when a test says so."""
    asked = []
    with served_by(api.host.invoke, lambda work, *given: asked.append((work, given))):
        yield asked


def body(count=3):
    menu = [{"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}]
    one = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": menu}
    return {"messages": [{**one, "to": f"{NUMBER[:-2]}{number:02}"} for number in range(count)]}


def sent(api, count=3):
    answer = api.post(body(count))
    assert answer.status == 200, answer.text
    mids = [one["messageId"] for one in answer.json["messages"]]
    for mid in mids:
        assert api.messages.queue(api.messages.get(mid), (ASK,), api.messages.get(mid).created_msec)
    return answer.json["messagelistId"], mids


def call(api, mid, step=0):
    now = api.messages.get(mid).created_msec + step * 1000
    assert api.messages.claim_line(api.messages.get(mid), "arn:flow", POOL, now) == LineTaken()
    return api.messages.get(mid)


def finish(api, message, outcome="busy"):
    assert api.messages.finish(message, Outcome(outcome, outcome), NOW)


def carry_out(api):
    api.host.invoke(TEMPLATE.functions["CarryOutStopsFunction"].name, {})


def campaign(api, **numbers):
    item = {**campaign_key("acme", "spring"), "message_count": 0, "unfinished_count": 0, **numbers}
    boto3.client("dynamodb").put_item(TableName=api.tables[1], Item=to_wire(item))


def test_a_list_is_cancelled_at_once_and_its_messages_follow(api, worker):
    list_id, (waits, calling, ended) = sent(api)
    in_call = call(api, calling)
    finish(api, call(api, ended, 1))
    answer = api.stop(f"/bat/messagelist/{list_id}/cancel")
    expected = {"messagelistId": list_id, "state": "cancelled", "notDialled": 1, "inProgress": 1, "finished": 1}
    assert (answer.status, answer.json) == (200, expected)
    # Before anybody has carried it out: the flag says it.
    status = api.get(f"/bat/message/{waits}").json
    assert (status["deliverystatus"], status["call"]["state"], status["call"]["outcome"]) == (
        "undeliverable",
        "finished",
        "cancelled",
    )
    assert status["call"]["finishedAt"] is not None
    listed = api.get(f"/bat/messagelist/{list_id}").json
    assert (listed["state"], listed["outcomes"]) == ("cancelled", {"cancelled": 1, "busy": 1})
    assert api.messages.get(waits).state is State.QUEUED
    assert len(worker) == 1
    carry_out(api)
    assert (api.messages.get(waits).outcome, api.messages.get(waits).reason) == ("cancelled", "cancelled")
    assert api.messages.get(calling) == in_call
    assert api.stop(f"/bat/messagelist/{list_id}/cancel", b"{}").json == expected
    for verb in ("pause", "resume"):
        refused = api.stop(f"/bat/messagelist/{list_id}/{verb}")
        assert (refused.status, refused.json["error"]["code"]) == (409, "LIST_CANCELLED")


def test_a_paused_list_says_so_and_what_was_held_back_comes_back_with_it(api):
    list_id, mids = sent(api)
    paused = api.stop(f"/bat/messagelist/{list_id}/pause")
    assert (paused.status, paused.json["state"]) == (200, "paused")
    assert [one["code"] for one in paused.json["warnings"]] == ["TTL_RUNS_ON"]
    assert api.stop(f"/bat/messagelist/{list_id}/pause").json == paused.json
    listed = api.get(f"/bat/messagelist/{list_id}").json
    assert (listed["state"], listed["estimatedSecondsLeft"]) == ("paused", None)
    assert api.get(f"/bat/message/{mids[0]}").json["call"]["paused"] is True
    waiting = api.messages.get(mids[0])
    assert api.messages.hold_back(waiting, waiting.created_msec + 900_000)
    resumed = api.stop(f"/bat/messagelist/{list_id}/resume")
    assert (resumed.status, resumed.json) == (200, {"messagelistId": list_id, "state": "active"})
    assert api.stop(f"/bat/messagelist/{list_id}/resume").json == resumed.json
    again = api.messages.get(mids[0])
    assert not again.is_held
    assert again.stands
    assert "paused" not in api.get(f"/bat/message/{mids[0]}").json["call"]


def test_a_campaign_is_paused_resumed_and_cancelled_with_its_numbers(api, worker):
    unknown = api.stop("/bat/campaign/spring/pause")
    assert (unknown.status, unknown.json["error"]["code"]) == (404, "NOT_FOUND")
    campaign(api, message_count=10, unfinished_count=7, in_calls=2, outcome_busy=3)
    assert api.stop("/bat/campaign/spring/pause").json["state"] == "paused"
    assert api.stop("/bat/campaign/spring/resume").json == {"campaign": "spring", "state": "active"}
    cancelled = api.stop("/bat/campaign/spring/cancel", {"hangup": True})
    assert cancelled.json == {
        "campaign": "spring",
        "state": "cancelled",
        "notDialled": 5,
        "inProgress": 2,
        "finished": 3,
    }
    assert len(worker) == 1
    refused = api.stop("/bat/campaign/spring/resume")
    assert (refused.status, refused.json["error"]["code"]) == (409, "CAMPAIGN_CANCELLED")
    assert api.stop("/bat/campaign/spring/cancel", user="other").status == 404


def test_a_message_that_waits_is_cancelled_and_one_in_a_call_is_not_dialled_again(api):
    _, (waits, calling, _) = sent(api)
    done = api.stop(f"/bat/message/{waits}/cancel")
    assert (done.status, done.json) == (200, {"messageId": waits, "state": "cancelled"})
    assert api.stop(f"/bat/message/{waits}/cancel", {"hangup": True}).json["state"] == "cancelled"
    call(api, calling)
    late = api.stop(f"/bat/message/{calling}/cancel", {"hangup": False})
    assert (late.status, late.json["state"]) == (200, "tooLate")
    assert api.messages.get(calling).cancelled_msec is not None
    finish(api, api.messages.get(calling))
    assert api.stop(f"/bat/message/{calling}/cancel").json["state"] == "tooLate"
    assert api.stop(f"/bat/message/{calling}/cancel", user="other").status == 404
    assert api.stop("/bat/message/1/cancel").status == 404


def test_a_call_that_was_not_written_yet_is_over_when_its_message_is_cancelled(api):
    _, (calling, *_) = sent(api)
    call(api, calling)
    done = api.stop(f"/bat/message/{calling}/cancel", {"hangup": True})
    assert (done.status, done.json["state"]) == (200, "hungUp")
    assert DynamoCalls(boto3.client("dynamodb"), api.tables[0]).get(calling, 1).ended
    stops = DynamoStops(boto3.client("dynamodb"), api.tables[1])
    assert [job.what.name for job in stops.jobs(9)] == [calling]
    carry_out(api)
    assert stops.jobs(9) == []


def test_a_phone_that_rings_is_stopped_and_that_is_told_as_going_on(api):
    _, (calling, *_) = sent(api)
    now = call(api, calling).created_msec
    calls = DynamoCalls(boto3.client("dynamodb"), api.tables[0])
    calls.open(CALL._replace(mid=calling, dialled_msec=now), 2**31)
    assert calls.begin_placing(calling, 1, now, 0)
    asked = api.stop(f"/bat/message/{calling}/cancel", {"hangup": True})
    assert (asked.status, asked.json["state"]) == (202, "hangingUp")
    found = calls.get(calling, 1)
    assert (found.stop_reason, found.ended, found.gave_up_msec is not None) == ("cancelled", False, True)
    assert not calls.begin_placing(calling, 1, now + 60_000, now + 60_000)


BAD = [
    (b'{"hangup":"yes"}', "hangup", "must be true or false"),
    (b'{"hangup":1}', "hangup", "must be true or false"),
    (b'{"hangup":null}', "hangup", "must be true or false"),
    (b'{"Hangup":true}', "Hangup", 'is not known here; "hangup" is'),
    ('{"hang\u200bup":true}'.encode(), "hang\u200bup", "U+200B"),
    (b"[true]", "", "must be an object"),
    (b'"hangup"', "", "must be an object"),
]


@pytest.mark.parametrize(("given", "path", "said"), BAD, ids=[str(index) for index in range(len(BAD))])
def test_a_body_that_cannot_be_used_stops_nothing_and_says_where(api, given, path, said):
    list_id, mids = sent(api, 1)
    before = api.stored()
    for target in (f"/bat/messagelist/{list_id}/cancel", f"/bat/message/{mids[0]}/cancel", "/bat/campaign/a/cancel"):
        answer = api.stop(target, given)
        assert (answer.status, answer.json["error"]["code"]) == (400, "INVALID_REQUEST")
        (detail,) = answer.json["error"]["details"]
        assert detail["path"] == path
        assert said in detail["message"]
    assert api.stored() == before


def test_what_is_not_json_and_hangup_at_another_place_are_refused(api):
    list_id, _ = sent(api, 1)
    assert api.stop(f"/bat/messagelist/{list_id}/cancel", b"{").json["error"]["code"] == "MALFORMED_JSON"
    query = api.stop(f"/bat/messagelist/{list_id}/cancel?hangup=true")
    assert query.json["error"]["details"][0]["message"] == 'belongs into the body: {"hangup": true}'
    paused = api.stop(f"/bat/messagelist/{list_id}/pause", {"hangup": True})
    assert paused.json["error"]["details"][0]["message"] == "is not known here; nothing is"
    for target in ("/bat/messagelist/1/cancel", "/bat/messagelist/x/pause"):
        refused = api.stop(target)
        assert (refused.status, refused.json["error"]["message"]) == (404, NO_LIST)
    assert api.stop("/bat/campaign/a.b/cancel").status == 404
