"""The way of a request through one function of the API: its route, its parts, and an answer to every error."""

import base64
import json

import pytest
from aws_lambda_powertools import Logger

from speechcall.adapters.http_answers import answer_json
from speechcall.adapters.http_api import HttpApi
from speechcall.domain.errors import NotFound, RateLimited, Unauthorized


def api(handler):
    made = HttpApi(Logger(service="test", level="CRITICAL"))
    made.route("GET /things/{id}")(handler)
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
        "headers": {"Content-Type": "application/json", "X-Two": "2"},
        "body": '{"is":"ß"}',
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("key", ["POST /things/{id}", "$default", ""])
def test_a_route_that_is_none_is_said(key):
    answer = api(told).resolve(event(routeKey=key))
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (404, "NOT_FOUND")


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
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (status, code)
