"""What an account is told about its messages and lists, and that no other account is."""

import datetime as dt
import json
import time
from typing import Any

import boto3
import pytest
from pydantic import TypeAdapter

from local.cloud.permissions import statements_of
from speechcall import VERSION
from speechcall.api.rules import answers
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.rules.call import Cause, Step
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.shared.rules.outcome import EXPIRED, End, Outcome
from tests.kit.http_api import NUMBER, TEMPLATE, specification
from tests.kit.samples import ASK, CALL, NOW

MESSAGE: TypeAdapter[Any] = TypeAdapter(answers.MessageStatus)
LIST: TypeAdapter[Any] = TypeAdapter(answers.ListStatus)
ERROR: TypeAdapter[Any] = TypeAdapter(answers.Error)
POOL = Pool(lines=1000, calls_per_second=1000)


def send(api, count=1):
    entry = specification("simple")["messages"][0]
    entries = [{**entry, "to": f"+38093667{3 + number:04}"} for number in range(count)]
    answer = api.post({"messages": entries}).json
    return answer["messagelistId"], [one["messageId"] for one in answer["messages"]]


def message(api, mid):
    answer = api.get(f"/bat/message/{mid}")
    assert answer.status == 200, answer
    return MESSAGE.validate_json(answer.text, strict=True)


def page(api, list_id, query=""):
    answer = api.get(f"/bat/messagelist/{list_id}{query}")
    assert answer.status == 200, answer
    return LIST.validate_json(answer.text, strict=True)


def move(api, mid, *, to, outcome="answered"):
    """Brings a message into a state, as the functions do."""
    if outcome == "promptUnavailable":
        api.messages.refuse(api.messages.get(mid), Outcome(outcome, outcome), "404", NOW)
        return
    if to is not State.PREPARING:
        api.messages.queue(api.messages.get(mid), (ASK,), NOW)
    if to in (State.CALLING, State.SETTLING, State.FINISHED):
        stored = api.messages.get(mid)
        api.messages.claim_line(stored, "arn:flow", POOL, NOW + int(mid) % 1_000_000)
    if to is State.SETTLING:
        assert api.messages.settle(api.messages.get(mid), End.NOT_ANSWERED, Outcome("noAnswer", "noAnswer"), NOW + 9000)
    if to is State.FINISHED:
        assert api.messages.finish(api.messages.get(mid), Outcome(outcome, "completed"), NOW + 9000)


WORDS = [
    (State.PREPARING, None, "scheduled"),
    (State.QUEUED, None, "scheduled"),
    (State.CALLING, None, "processing"),
    (State.SETTLING, None, "processing"),
    (State.FINISHED, "answered", "delivered"),
    (State.FINISHED, "busy", "undeliverable"),
    (State.FINISHED, "noAnswer", "undeliverable"),
    (State.FINISHED, "failed", "undeliverable"),
    (State.FINISHED, "expired", "undeliverable"),
    (State.FINISHED, "menusRefused", "permanenterror"),
    (State.FINISHED, "invalidNumber", "permanenterror"),
    (State.FINISHED, "blocked", "permanenterror"),
    (State.FINISHED, "promptUnavailable", "permanenterror"),
]


def next_slot(api):
    """The pool gives one line a millisecond; the tests' moments are all the same."""
    table = boto3.resource("dynamodb").Table(api.tables[1])
    table.delete_item(Key={"pk": "POOL", "sk": "POOL"})


@pytest.mark.parametrize(("state", "outcome", "word"), WORDS)
def test_the_five_words_are_the_vendors(api, state, outcome, word):
    list_id, (mid,) = send(api)
    move(api, mid, to=state, outcome=outcome)
    found = message(api, mid)
    assert found["deliverystatus"] == word
    assert found["call"]["state"] == state.value
    assert found["call"]["outcome"] == outcome
    assert found["messagelistId"] == list_id
    assert found["messageId"] == mid
    assert found["recipient"] == NUMBER
    (summary,) = page(api, list_id)["messages"]
    assert summary["deliverystatus"] == word
    assert summary["outcome"] == outcome


def test_the_menus_are_told_to_who_asks_for_them_and_no_secret_of_their_headers(api):
    # Given menus with every action, a number that has its digits, and a secret in a header
    menus: list[Any] = [
        {
            "introUrl": "ivr_651854",
            "idleTimeoutMsec": 5000,
            "dtmfActions": {
                "d1": [
                    {
                        "action": "webhook",
                        "url": "https://shop.example/a?of=1",
                        "body": {"sum": "DIGITS", "<b>": None},
                        "headers": {"X-Token": "s3cret", "Authorization": "Bearer s3cret"},
                    },
                    {"action": "hangup"},
                ],
                "d2": [{"action": "gotoMenu", "menu": 1}],
            },
        },
        {
            "say": {"text": "Good morning", "language": "en-GB", "voice": "Amy"},
            "idleTimeoutMsec": 10000,
            "dtmfActions": {"silence": [{"action": "optOut", "list": "news"}, {"action": "hangup"}]},
        },
    ]
    body = json.dumps({"messages": [{**specification("simple")["messages"][0], "menu": menus}]})
    sent = api.post(body.replace('"DIGITS"', "1.10e2").encode()).json
    mid = sent["messages"][0]["messageId"]
    # When they are asked for
    answer = api.get(f"/bat/message/{mid}?include=menu")
    told = MESSAGE.validate_json(answer.text, strict=True)
    # Then they are as they were sent; of headers there are the names
    menus[0]["dtmfActions"]["d1"][0]["headers"] = {"X-Token": "(hidden)", "Authorization": "(hidden)"}
    written = json.dumps(menus, separators=(",", ":")).replace('"DIGITS"', "1.10e2")
    assert written in answer.text
    assert "s3cret" not in answer.text
    assert {name: value for name, value in told.items() if name != "menu"} == message(api, mid)
    # And nobody else is told, or is told them unasked
    assert "menu" not in message(api, mid)
    assert api.get(f"/bat/message/{mid}?include=menu", user="other").status == 404
    for query, path in (("include=menus", "include"), ("include=", "include"), ("Include=menu", "Include")):
        refused = api.get(f"/bat/message/{mid}?{query}")
        assert (refused.status, refused.json["error"]["details"][0]["path"]) == (400, path)


def test_a_guess_is_not_told_while_it_may_be_corrected(api):
    list_id, (mid,) = send(api)
    move(api, mid, to=State.SETTLING)
    calls = DynamoCalls(boto3.client("dynamodb"), api.tables[0])
    calls.open(CALL._replace(mid=mid), NOW // 1000 + 9)
    calls.end(mid, 1, Cause.NO_ANSWER, NOW, is_guess=True)
    found = message(api, mid)["call"]
    assert found["attempts"][0]["cause"] is None
    assert found["endReason"] is None
    assert found["finishedAt"] is None
    assert page(api, list_id)["outcomes"] == {}
    calls.explain(mid, 1, Cause.BUSY, None)
    assert api.messages.finish(api.messages.get(mid), Outcome("busy", "busy"), NOW + 9)
    found = message(api, mid)["call"]
    assert found["attempts"][0]["cause"] == "busy"
    assert found["outcome"] == "busy"


def test_a_call_is_told_from_the_first_ring_to_the_last_webhook(api):
    _, (mid,) = send(api)
    move(api, mid, to=State.CALLING)
    calls = DynamoCalls(boto3.client("dynamodb"), api.tables[0])
    calls.open(CALL._replace(mid=mid), NOW // 1000 + 9)
    calls.set_answered(mid, 1, "contact", NOW + 1500)
    calls.set_done(mid, 1, 2, Step(0, "d1", NOW + 4000))
    calls.end(mid, 1, Cause.CALLER_HUNG_UP, NOW + 7250)
    api.messages.finish(api.messages.get(mid), Outcome("answered", "callerHungUp"), NOW + 8000)
    call = message(api, mid)["call"]
    assert call["answeredAt"] == "2026-09-21T14:13:21.500Z"
    assert call["endedAt"] == "2026-09-21T14:13:27.250Z"
    assert call["durationSec"] == 5.8
    assert call["endReason"] == "callerHungUp"
    assert call["finishedAt"] == "2026-09-21T14:13:28.000Z"
    assert call["path"] == [{"attempt": 1, "menu": 0, "heard": "d1", "at": "2026-09-21T14:13:24.000Z"}]
    (attempt,) = call["attempts"]
    assert attempt["attempt"] == 1
    assert attempt["cause"] == "callerHungUp"
    assert attempt["durationSec"] == 5.8


def test_a_refused_destination_says_which_support_case_opens_it(api):
    _, (mid,) = send(api)
    move(api, mid, to=State.CALLING)
    assert api.messages.finish(api.messages.get(mid), Outcome("blocked", "destinationNotAllowed"), NOW + 9000)
    told = message(api, mid)
    assert told["deliverystatus"] == "permanenterror"
    assert told["call"]["endReason"] == "destinationNotAllowed"
    assert "Country Allowlisting for Outbound Calls" in told["call"]["cause"]


def test_the_senders_own_id_and_the_end_of_its_time_are_told(api):
    entry = specification("simple")["messages"][0] | {"customerMessageId": "order-7", "ttl": 60}
    answer = api.post({"messages": [entry]}).json
    mid = answer["messages"][0]["messageId"]
    told = message(api, mid)
    accepted, until = (dt.datetime.fromisoformat(told["call"][name]) for name in ("acceptedAt", "dialledUntil"))
    assert told["customerMessageId"] == "order-7"
    assert until - accepted == dt.timedelta(seconds=60)
    (summary,) = page(api, answer["messagelistId"])["messages"]
    assert summary["customerMessageId"] == "order-7"


def test_a_message_that_will_be_dialled_again_says_when(api):
    _, (mid,) = send(api)
    move(api, mid, to=State.CALLING)
    assert message(api, mid)["call"]["nextAttemptAt"] is None
    api.messages.requeue(api.messages.get(mid), 1, NOW + 60_000, NOW)
    told = message(api, mid)
    assert told["deliverystatus"] == "scheduled"
    assert told["call"]["nextAttemptAt"] == "2026-09-21T14:14:20.000Z"


def test_a_message_whose_time_is_over_has_expired_although_nobody_has_written_it_down_yet(api):
    # Given a message that waits for a line, accepted two hours ago to be dialled within one
    list_id, (mid,) = send(api)
    move(api, mid, to=State.QUEUED)
    table = boto3.resource("dynamodb").Table(api.tables[0])
    begun = int(time.time() * 1000) - 7_200_000
    table.update_item(
        Key={"pk": f"M#{mid}", "sk": "MESSAGE"},
        UpdateExpression="SET created_msec = :c, ttl_seconds = :t",
        ExpressionAttributeValues={":c": begun, ":t": 3600},
    )
    told = message(api, mid)
    call = told["call"]
    assert told["deliverystatus"] == "undeliverable"
    assert call["outcome"] == "expired"
    assert call["endReason"] == "expired"
    assert call["finishedAt"] == call["dialledUntil"]
    assert page(api, list_id)["outcomes"] == {"expired": 1}
    # And nothing changes when it is.
    assert api.messages.refuse(api.messages.get(mid), EXPIRED, None, begun + 7_200_000)
    assert message(api, mid) == told


def test_the_estimate_goes_by_the_pool_as_an_operator_has_set_it(api):
    list_id, _ = send(api, 30)
    lines = DynamoPool(boto3.client("dynamodb"), api.tables[1])
    lines.choose({"lines": 1})
    slow = page(api, list_id)["estimatedSecondsLeft"]
    lines.choose({"lines": 30})
    assert slow > 20 * page(api, list_id)["estimatedSecondsLeft"] / 2
    lines.choose({"lines": 0})
    assert page(api, list_id)["estimatedSecondsLeft"] is None


def test_nothing_of_a_webhooks_body_or_headers_is_told(api):
    _, (mid,) = send(api)
    shown = api.get(f"/bat/message/{mid}").text
    assert "confirm" not in shown
    assert "X-Custom-Header" not in shown


def test_pages_are_the_list_in_the_order_sent(api):
    list_id, mids = send(api, 100)
    found, offset = [], 0
    while offset is not None:
        one = page(api, list_id, f"?limit=33&offset={offset}")
        assert one["total"] == 100
        assert one["statuses"] == {"scheduled": 100}
        found += [summary["messageId"] for summary in one["messages"]]
        offset = one.get("nextOffset")
    assert found == mids
    assert "nextOffset" not in page(api, list_id)
    assert page(api, list_id, "?offset=100")["messages"] == []
    assert [one["messageId"] for one in page(api, list_id, "?limit=1&offset=99")["messages"]] == mids[99:]


def test_counts_are_of_the_whole_list_whatever_page_is_shown(api):
    list_id, mids = send(api, len(WORDS))
    for mid, (state, outcome, _) in zip(mids, WORDS, strict=True):
        next_slot(api)
        move(api, mid, to=state, outcome=outcome)
    found = page(api, list_id, "?limit=1")
    assert found["statuses"] == {
        "scheduled": 2,
        "processing": 2,
        "delivered": 1,
        "undeliverable": 4,
        "permanenterror": 4,
    }
    assert found["outcomes"] == {outcome: 1 for _, outcome, _ in WORDS if outcome}
    assert found["estimatedSecondsLeft"] > 0
    assert len(found["messages"]) == 1


def test_a_list_that_is_done_has_no_seconds_left(api):
    list_id, (mid,) = send(api)
    move(api, mid, to=State.FINISHED)
    assert page(api, list_id)["estimatedSecondsLeft"] == 0


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=", "limit=-1", "limit=1.0", "limit=%C2%B2", "offset=-1", "offset=101", "offset=a"],
)
def test_a_page_that_cannot_be_is_refused_with_what_can(api, query):
    list_id, _ = send(api)
    answer = api.get(f"/bat/messagelist/{list_id}?{query}")
    error = ERROR.validate_json(answer.text, strict=True)["error"]
    name = query.partition("=")[0]
    assert answer.status == 400
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"][0]["path"] == name
    assert "must be a whole number from" in error["details"][0]["message"]


@pytest.mark.parametrize("kind", ["message", "messagelist"])
def test_what_another_account_sent_is_not_there(api, kind):
    list_id, (mid,) = send(api)
    path = f"/bat/{kind}/{mid if kind == 'message' else list_id}"
    assert api.get(path).status == 200
    foreign, unknown = api.get(path, user="other"), api.get(f"/bat/{kind}/1", user="other")
    assert foreign.status == 404
    # Not even the wording tells it from one that does not exist
    assert foreign.text == unknown.text
    assert foreign.headers == unknown.headers


@pytest.mark.parametrize(
    "given",
    ["0", "9" * 19, "9" * 20, "1 ", "-1", "+1", "abc", "1.0", "²", "%", "LIST", "é" * 500, "M#1", "1\n", "x" * 3000],
)
@pytest.mark.parametrize("kind", ["message", "messagelist"])
def test_an_id_that_is_none_is_not_found(api, kind, given):
    answer = api.get(f"/bat/{kind}/{given}")
    assert answer.status == 404
    assert ERROR.validate_json(answer.text, strict=True)["error"]["code"] == "NOT_FOUND"


def test_asking_needs_credentials_and_the_description_does_not(api):
    list_id, (mid,) = send(api)
    for path in (f"/bat/message/{mid}", f"/bat/messagelist/{list_id}"):
        answer = api.get(path, user="nobody")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    described = api.get("/openapi.json", user="nobody")
    assert described.status == 200
    assert described.headers["Content-Type"] == "application/json"
    assert json.loads(described.text)["openapi"] == "3.1.0"


def test_health_tells_the_version_and_the_provider_and_looks_nothing_up(api, monkeypatch):
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", None)
    answer = api.get("/health", user="nobody")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": VERSION, "provider": "connect"}


def test_messages_that_have_expired_are_not_counted_and_the_others_are_there(api):
    list_id, mids = send(api, 3)
    boto3.resource("dynamodb").Table(api.tables[0]).delete_item(Key={"pk": f"M#{mids[1]}", "sk": "MESSAGE"})
    found = page(api, list_id)
    assert found["total"] == 3
    assert found["statuses"] == {"scheduled": 2}
    assert [one["messageId"] for one in found["messages"]] == [mids[0], mids[2]]
    assert api.get(f"/bat/message/{mids[1]}").status == 404


def test_what_tells_of_messages_may_read_and_no_more():
    # What it asks for beyond that would have been refused in the tests above.
    statements = [one for one in statements_of(TEMPLATE, "MessageStatusFunction") if "LogGroup" not in one["Resource"]]
    assert _actions(statements) <= {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}


def _actions(statements):
    listed = (one["Action"] for one in statements)
    return {action for one in listed for action in (one if isinstance(one, list) else [one])}
