"""The way of a request through one function of the API: its route, its parts, and an answer to every error."""

import base64
import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.use_cases.accounts import with_checksum
from speechcall.api.adapters.http_answers import answer_bytes, answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest, account_of
from speechcall.api.use_cases.query import parameter
from speechcall.shared.rules.characters import unseen
from speechcall.shared.rules.errors import NotFound, RateLimited, RequestError, Unauthorized

ROUTE: Any = "GET /things/{id}"
OTHER_ROUTE: Any = "POST /things/{id}"


def api(handler):
    made = HttpApi(Logger(service="test", level="CRITICAL"))
    made.route(ROUTE)(handler)
    return made


def event(**changes):
    return {"routeKey": "GET /things/{id}", "headers": {"X-One": "1"}, "pathParameters": {"id": "7"}, **changes}


def told(request):
    body = request.body.decode("utf-8", "surrogatepass")
    return answer_json(200, {"headers": request.headers, "query": request.query, "path": request.path, "body": body})


@pytest.mark.parametrize(
    ("given", "member", "wanted"),
    [
        ({}, "headers", {"x-one": "1"}),
        ({"headers": None}, "headers", {}),
        ({"headers": {"x-one": "1", "x-two": "2"}}, "headers", {"x-one": "1", "x-two": "2"}),
        ({"headers": {"x-one": "1", "X-Two": "2"}}, "headers", {"x-one": "1", "x-two": "2"}),
        ({}, "path", {"id": "7"}),
        ({}, "query", {}),
        ({"queryStringParameters": None}, "query", {}),
        ({"queryStringParameters": {"Limit": "2"}}, "query", {"Limit": "2"}),
        ({}, "body", ""),
        ({"body": None}, "body", ""),
        ({"body": "ж", "isBase64Encoded": False}, "body", "ж"),
        ({"body": base64.b64encode(b"{}").decode(), "isBase64Encoded": True}, "body", "{}"),
    ],
)
def test_a_request_is_given_as_it_was_sent(given, member, wanted):
    answer = api(told).resolve(event(**given))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])[member] == wanted


def test_an_answer_is_of_payload_format_2():
    answer = api(lambda _request: answer_json(202, {"is": "ß"}, {"X-Two": "2"})).resolve(event())
    assert answer == {
        "statusCode": 202,
        "headers": {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "X-Two": "2"},
        "body": '{"is":"ß"}',
        "isBase64Encoded": False,
    }


def fail(_request):
    raise RuntimeError


@pytest.mark.parametrize(
    ("handler", "changes", "status"),
    [
        (lambda _request: answer_json(200, {}), {}, 200),
        (fail, {}, 500),
        (lambda _request: answer_json(200, {}), {"routeKey": "GET /nowhere"}, 404),
        (lambda request: answer_bytes(200, b"RIFF", "audio/wav"), {}, 200),
        (
            lambda request: answer_json(200, request.body),
            {"headers": {"content-encoding": "gzip"}, "body": "e30="},
            415,
        ),
    ],
)
def test_no_answer_may_be_taken_for_something_else(handler, changes, status):
    answer = api(handler).resolve(event(**changes))
    assert answer["statusCode"] == status
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"


HERE, ELSEWHERE = "api.example.com", "shop.example.com"
CROSS_SITE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "Cross-Site"},
    {"sec-fetch-site": "same-origin,cross-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "a word of later browsers"},
    {"origin": f"https://{ELSEWHERE}"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://"},
    {"origin": f"https://{HERE}:8443"},
    {"origin": f"https://{HERE}.attacker.example"},
    {"origin": f"https://attacker.example/{HERE}"},
    {"origin": f"https://{HERE}@attacker.example"},
    {"origin": f"https://{HERE},https://{ELSEWHERE}"},
    {"origin": f"https://{ELSEWHERE}", "sec-fetch-site": "same-origin"},
    {"origin": f"https://{HERE}", "sec-fetch-site": "cross-site"},
]
OWN = [
    {},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin"},
    {"origin": f"https://{HERE}"},
    {"origin": f"HTTPS://{HERE.upper()}"},
    {"origin": f"https://{HERE}", "sec-fetch-site": "same-origin"},
]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("headers", CROSS_SITE)
def test_a_change_that_a_page_of_another_site_asks_for_is_refused_before_anything_is_looked_at(method, headers):
    seen = []
    made = HttpApi(Logger(service="test", level="CRITICAL"))
    route: Any = f"{method} /things/{{id}}"
    made.route(route)(lambda request: seen.append(request) or answer_json(200, {}))
    answer = made.resolve(event(routeKey=route, headers={"host": HERE, **headers}))
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (403, "CROSS_SITE_REQUEST")
    assert "WWW-Authenticate" not in answer["headers"]
    assert seen == []


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_changes_nothing_may_be_asked_from_anywhere(method, headers):
    answer = api(lambda _request: answer_json(200, {})).resolve(
        event(routeKey=f"{method} /things/{{id}}", headers={"host": HERE, **headers})
    )
    assert answer["statusCode"] == 200


@pytest.mark.parametrize("headers", OWN)
@pytest.mark.parametrize("host", [HERE, f"{HERE}:443", HERE.upper()])
def test_a_page_of_this_host_and_a_program_may_change_things(host, headers):
    made = HttpApi(Logger(service="test", level="CRITICAL"))
    made.route(OTHER_ROUTE)(lambda _request: answer_json(200, {}))
    assert made.resolve(event(routeKey=OTHER_ROUTE, headers={"Host": host, **headers}))["statusCode"] == 200


def test_on_a_port_of_its_own_the_origin_has_to_have_it_too():
    made = HttpApi(Logger(service="test", level="CRITICAL"))
    made.route(OTHER_ROUTE)(lambda _request: answer_json(200, {}))
    host = {"host": "127.0.0.1:8080"}
    for origin, status in [("http://127.0.0.1:8080", 200), ("http://127.0.0.1", 403), ("http://localhost:8080", 403)]:
        answer = made.resolve(event(routeKey=OTHER_ROUTE, headers={**host, "origin": origin}))
        assert answer["statusCode"] == status, origin
    # And one that names no host at all is no host's
    assert made.resolve(event(routeKey=OTHER_ROUTE, headers={"origin": "http://"}))["statusCode"] == 403


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "br", "deflate", "zstd", "identity, gzip", "aws-chunked"])
def test_a_body_in_a_coding_is_refused_by_every_route_that_reads_it(coding):
    coded = {"headers": {"Content-Encoding": coding}, "body": "e30=", "isBase64Encoded": True}
    answer = api(told).resolve(event(**coded))
    assert answer["statusCode"] == 415
    assert json.loads(answer["body"])["error"]["code"] == "UNSUPPORTED_ENCODING"
    assert answer["headers"]["Accept-Encoding"] == "identity"
    # What reads no body looks at none
    assert api(lambda request: answer_json(200, request.path)).resolve(event(**coded))["statusCode"] == 200


@pytest.mark.parametrize("coding", ["", "identity", "Identity", " identity , identity", "utf-8"])
def test_a_body_in_no_coding_is_taken(coding):
    answer = api(told).resolve(event(headers={"content-encoding": coding}, body="{}"))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["body"] == "{}"


def test_a_part_is_not_taken_for_the_whole():
    answer = api(told).resolve(event(headers={"content-range": "bytes 0-1/9"}, body="{}"))
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == "INVALID_REQUEST"


def test_a_head_is_answered_as_its_get():
    routes = api(told)
    assert routes.resolve(event(routeKey="HEAD /things/{id}")) == routes.resolve(event())


@pytest.mark.parametrize(
    ("key", "says"), [("POST /bat/messagelist", "Idempotency-Key"), ("GET /things/{id}", "repeat it.")]
)
def test_a_failure_of_ours_says_what_can_be_done(key, says):
    def fail(_request):
        raise ZeroDivisionError

    made = api(fail)
    made.route("POST /bat/messagelist")(fail)
    message = json.loads(made.resolve(event(routeKey=key))["body"])["error"]["message"]
    assert says in message
    assert ("messages" in message) == (key == "POST /bat/messagelist")


@pytest.mark.parametrize(
    "given",
    [
        *("webhookid", "WEBHOOKID", "webhook_id", "webhook-id", "WebhookId"),
        *("webhookId ", " webhookId", "webhook id", "webhook.id", "webhookId[]", "webhookId:", "webhookId\u200b"),
        *("\ufeffwebhookId", "ｗｅｂｈｏｏｋＩｄ", "webhook\u00a0id", "web\u00adhookId", '"webhookId"', "webhookId\n"),
    ],
)
def test_a_parameter_that_is_spelled_otherwise_is_not_passed_over(given):
    with pytest.raises(RequestError) as refused:
        parameter({"a": "1", given: "x"}, "webhookId")
    (problem,) = refused.value.problems
    assert problem.path == given
    assert problem.message == f"is not known here; did you mean webhookId?{unseen(given)}"


def test_a_parameter_is_had_by_its_name_and_others_change_nothing():
    assert parameter({"webhookId": "x", "webhookid": "y"}, "webhookId") == "x"
    assert parameter({"webhook": "x", "limit": "1"}, "webhookId") is None
    assert parameter({}, "webhookId") is None


@pytest.mark.parametrize("key", ["POST /things/{id}", "$default", ""])
def test_a_route_that_is_none_is_said(key):
    answer = api(told).resolve(event(routeKey=key))
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("nothing there"), 404, "NOT_FOUND"),
        (Unauthorized("who?"), 401, "UNAUTHORIZED"),
        (RateLimited("later", retry_after=3), 429, "RATE_LIMITED"),
        (ZeroDivisionError(), 500, "INTERNAL_ERROR"),
    ],
)
def test_an_error_becomes_its_answer(error, status, code):
    def fail(_request):
        raise error

    answer = api(fail).resolve(event())
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["error"]["code"] == code


class NoTable:
    """DynamoDB's client where there is nothing; it notes what it is asked."""

    def __init__(self):
        self.asked = 0

    def get_item(self, **_request):
        self.asked += 1
        return {}


def test_a_request_without_valid_credentials_asks_nothing_of_the_table():
    client: Any = NoTable()
    accounts = DynamoAccounts(client, "registry")
    mistyped = with_checksum("a" * 22)[:-1] + "-"
    for headers in (
        {},
        {"authorization": "Bearer abc"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"shop").decode()},
        {"authorization": "Basic " + base64.b64encode(f"shop:{mistyped}".encode()).decode()},
        {"x-authorization-key": mistyped},
    ):
        with pytest.raises(Unauthorized):
            account_of(HttpRequest({"headers": headers}), accounts)
    assert client.asked == 0


def test_a_key_that_was_replaced_is_looked_up_once_in_a_while():
    client: Any = NoTable()
    accounts = DynamoAccounts(client, "registry")
    for _ in range(5):
        with pytest.raises(Unauthorized):
            account_of(HttpRequest({"headers": {"x-authorization-key": with_checksum("b" * 22)}}), accounts)
    assert client.asked == 1  # no account can be named by a key that has no credential
