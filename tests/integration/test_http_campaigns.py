"""Campaigns over the API: the name in a request, counts, funnels, listings, and what is refused."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from pydantic import TypeAdapter

from speechcall.api.rules import answers
from speechcall.campaigns.rules.funnel import Heard, Visit
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken
from speechcall.shared.rules.outcome import EXPIRED, Outcome
from tests.kit.http_api import specification
from tests.kit.samples import ASK, NOW

STATUS: TypeAdapter[Any] = TypeAdapter(answers.CampaignStatus)
PAGE: TypeAdapter[Any] = TypeAdapter(answers.CampaignList)
LISTS: TypeAdapter[Any] = TypeAdapter(answers.Messagelists)
LIST: TypeAdapter[Any] = TypeAdapter(answers.ListStatus)
MESSAGE: TypeAdapter[Any] = TypeAdapter(answers.MessageStatus)
ERROR: TypeAdapter[Any] = TypeAdapter(answers.Error)
POOL = Pool(lines=1000, calls_per_second=1000)
NAMES = "a string of 1 to 64 letters (A to Z, a to z), digits, _ and -"


def send(api, campaign="spring", count=1, name="simple", **headers):
    entry = specification(name)["messages"][0]
    entries = [{**entry, "to": f"+38093667{3 + number:04}"} for number in range(count)]
    answer = api.post({"campaign": campaign, "messages": entries}, **headers)
    assert answer.status == 200, answer
    return answer.json["messagelistId"], [one["messageId"] for one in answer.json["messages"]]


def get(api, path, adapter, **more):
    answer = api.get(path, **more)
    assert answer.status == 200, answer
    return adapter.validate_json(answer.text, strict=True)


def problem(answer, status=400):
    assert answer.status == status, answer
    error = ERROR.validate_json(answer.text, strict=True)["error"]
    (found,) = error.get("details", [{"code": error["code"], "path": "", "message": error["message"]}])
    return error["code"], found["path"], found["message"]


def test_a_campaign_from_its_first_list_to_its_last_outcome(api):
    first, mids = send(api, count=3)
    second, more = send(api, name="complex")
    found = get(api, "/bat/campaign/spring", STATUS)
    assert (found["state"], found["lists"], found["total"], found["unfinished"]) == ("running", 2, 4, 4)
    assert (found["outcomes"], found["funnels"], found["calling"]) == ({}, [], 0)
    assert found["latestMessagelistId"] == second
    assert found["finishedAt"] is None
    assert found["estimate"]["certainty"] == "rough"
    assert found["estimatedSecondsLeft"] == found["estimate"]["secondsLeft"] > 0
    # Both status answers name it
    assert get(api, f"/bat/messagelist/{first}", LIST)["campaign"] == "spring"
    assert get(api, f"/bat/message/{mids[0]}", MESSAGE)["campaign"] == "spring"
    # When one is answered, one busy, and the others never called
    heard = Heard(True, (Visit(0, "idle", 9000), Visit(0, "d1", 4200)))
    for number, (mid, outcome, what) in enumerate(
        [(mids[0], Outcome("answered", "completed"), heard), (mids[1], Outcome("busy", "busy"), Heard())]
    ):
        api.messages.queue(api.messages.get(mid), (ASK,), NOW)
        assert api.messages.claim_line(api.messages.get(mid), "arn:flow", POOL, NOW + number) == LineTaken()
        assert get(api, "/bat/campaign/spring", STATUS)["calling"] == 1
        assert api.messages.finish(api.messages.get(mid), outcome, NOW, what)
    for mid in (mids[2], *more):
        api.messages.refuse(api.messages.get(mid), EXPIRED, None, NOW)
    found = get(api, "/bat/campaign/spring", STATUS)
    assert (found["state"], found["unfinished"], found["calling"]) == ("finished", 0, 0)
    assert found["outcomes"] == {"answered": 1, "busy": 1, "expired": 2}
    assert found["finishedAt"] is not None
    assert found["estimatedSecondsLeft"] == 0
    (funnel,) = found["funnels"]
    assert (funnel["calls"], funnel["answered"], funnel["exampleMessageId"]) == (2, 1, mids[0])
    (menu,) = funnel["menus"]
    numbers = {name: menu[name] for name in ("menu", "asked", "keys", "silence", "hungUp", "interrupted")}
    assert numbers == {"menu": 0, "asked": 2, "keys": {"d1": 1}, "silence": 1, "hungUp": 0, "interrupted": 0}
    assert menu["secondsToKey"]["medianBetween"] == [3, 5]
    assert {"upToSeconds": 5, "keys": 1} in menu["secondsToKey"]["buckets"]


def test_a_get_reads_at_most_twenty_items_whatever_was_counted(api):
    send(api, count=2)
    client = boto3.client("dynamodb")
    item = {"pk": {"S": "CAMPAIGN#acme#spring"}}
    for number in range(14):
        client.put_item(TableName=api.tables[1], Item=item | {"sk": {"S": f"FUNNEL#{number:040}"}, "calls": {"N": "1"}})
    read = 0

    def counted(parsed, **_):
        nonlocal read
        read += len(parsed.get("Items", ())) + ("Item" in parsed)

    function: Any = api.host._handlers[next(name for name in api.host._handlers if "MessageStatus" in name)]
    events = function.__wrapped__.__globals__["dynamodb"].meta.events
    events.register("after-call.dynamodb", counted)
    get(api, "/bat/campaign/spring", STATUS)
    events.unregister("after-call.dynamodb", counted)
    assert 15 <= read <= 20


def test_campaigns_and_lists_are_listed_page_by_page_the_latest_first(api):
    for name in ("a", "b", "c"):
        send(api, name)
    lists = [send(api, "a")[0] for _ in range(2)]
    first = get(api, "/bat/campaign?limit=2", PAGE)
    assert [one["campaign"] for one in first["campaigns"]] == ["c", "b"]
    rest = get(api, f"/bat/campaign?limit=2&cursor={first['nextCursor']}", PAGE)
    assert [one["campaign"] for one in rest["campaigns"]] == ["a"]
    assert "nextCursor" not in rest
    assert get(api, "/bat/campaign", PAGE, user="other") == {"campaigns": []}
    page = get(api, "/bat/messagelist?campaign=a&limit=2", LISTS)
    assert [one["messagelistId"] for one in page["messagelists"]] == lists[::-1]
    rest = get(api, f"/bat/messagelist?campaign=a&limit=2&cursor={page['nextCursor']}", LISTS)
    assert len(rest["messagelists"]) == 1
    assert "nextCursor" not in rest
    # A cursor is of its own listing
    ours, theirs = first["nextCursor"], page["nextCursor"]
    another = ("INVALID_CURSOR", "cursor", "was made for another listing; begin this one without it")
    assert problem(api.get(f"/bat/campaign?cursor={theirs}")) == another
    assert problem(api.get(f"/bat/campaign?cursor={ours}", user="other")) == another
    assert problem(api.get(f"/bat/messagelist?campaign=b&cursor={theirs}")) == another


@pytest.mark.parametrize("cursor", ["", "x", "%00", "MQ", "W10", "WzEsMl0", "WzIsImEiLCJiIl0", "é", "A" * 600])
def test_what_is_no_cursor_is_told_so(api, cursor):
    code, path, text = problem(api.get(f"/bat/campaign?cursor={cursor}"))
    assert (code, path) == ("INVALID_CURSOR", "cursor")
    assert text.startswith("is no cursor of ours")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "весна", "a/b", "..", "a#b", None, 7, ["a"], {"a": 1}, True])
def test_a_name_that_cannot_be_used_refuses_the_request_and_the_check(api, given):
    body = {"campaign": given, "messages": specification("simple")["messages"]}
    for path in ("/bat/messagelist", "/bat/messagelist/check"):
        code, place, text = problem(api.post(body, path=path))
        assert (code, place) == ("INVALID_CAMPAIGN", "campaign")
        assert text.startswith(f"must be {NAMES}")
    assert api.message_ids() == set()


def test_a_good_name_is_taken_by_the_check_which_counts_nothing(api):
    body = {"campaign": "spring", "messages": specification("simple")["messages"]}
    assert api.post(body, path="/bat/messagelist/check").status == 200
    assert api.get("/bat/campaign/spring").status == 404


@pytest.mark.parametrize("path", ["/bat/campaign/none", "/bat/campaign/a%20b", "/bat/messagelist?campaign=none"])
def test_a_campaign_that_is_none_or_anothers_is_not_found(api, path):
    send(api, "none", user="other")
    assert problem(api.get(path), 404)[0] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("query", "code", "place"),
    [
        ("", "INVALID_CAMPAIGN", "campaign"),
        ("?campaign=", "INVALID_CAMPAIGN", "campaign"),
        ("?campaign=a%20b", "INVALID_CAMPAIGN", "campaign"),
        ("?Campaign=spring", "INVALID_REQUEST", "Campaign"),
        ("?campaign=spring&limit=0", "INVALID_REQUEST", "limit"),
        ("?campaign=spring&limit=101", "INVALID_REQUEST", "limit"),
        ("?campaign=spring&Cursor=x", "INVALID_REQUEST", "Cursor"),
    ],
)
def test_a_query_that_cannot_be_used_is_told_where_and_why(api, query, code, place):
    assert problem(api.get(f"/bat/messagelist{query}"))[:2] == (code, place)


def test_a_cancelled_campaign_is_409_and_gives_back_what_was_spent(api):
    send(api)
    boto3.client("dynamodb").update_item(
        TableName=api.tables[1],
        Key={"pk": {"S": "CAMPAIGN#acme#spring"}, "sk": {"S": "CAMPAIGN"}},
        UpdateExpression="SET cancelled_msec = :now",
        ExpressionAttributeValues={":now": {"N": str(NOW)}},
    )
    before = {key: text for key, text in api.stored().items() if key[1].startswith("DAY#")}
    entry = specification("simple")["messages"][0]
    code, _, text = problem(api.post({"campaign": "spring", "messages": [entry]}), 409)
    assert code == "CAMPAIGN_CANCELLED"
    assert "spring" in text
    assert {key: text for key, text in api.stored().items() if key[1].startswith("DAY#")} == before
    assert get(api, "/bat/campaign/spring", STATUS)["state"] == "cancelled"
    assert get(api, "/bat/campaign/spring", STATUS)["estimate"] is None


def test_a_list_of_a_hundred_messages_is_counted_exactly(api):
    list_id, mids = send(api, count=100, idempotency_key="k")
    assert send(api, count=100, idempotency_key="k") == (list_id, mids)
    found = get(api, "/bat/campaign/spring", STATUS)
    assert (found["lists"], found["total"], found["unfinished"]) == (1, 100, 100)


def test_an_estimate_goes_by_the_shares_that_wait_and_the_lines(api):
    send(api, count=50)
    lines = DynamoPool(boto3.client("dynamodb"), api.tables[1])
    alone = get(api, "/bat/campaign/spring", STATUS)["estimatedSecondsLeft"]
    lines.tell_waiting(40, NOW)
    assert get(api, "/bat/campaign/spring", STATUS)["estimatedSecondsLeft"] > 3 * alone
    lines.choose({"lines": 0})
    found = get(api, "/bat/campaign/spring", STATUS)
    assert found["estimate"] is found["estimatedSecondsLeft"] is None


def test_messages_have_the_funnel_of_their_shape(api):
    _, (simple,) = send(api)
    _, (complex_,) = send(api, name="complex")
    funnels = {api.messages.get(mid).funnel for mid in (simple, complex_)}
    assert len(funnels) == 2
    assert "other" not in funnels
    assert replace(api.messages.get(simple), funnel="").campaign == "spring"
