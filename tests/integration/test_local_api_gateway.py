"""HTTP becomes payload format 2.0 and back, as API Gateway's HTTP APIs do it."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from local.cloud.api_gateway import ApiGateway
from local.network.shared.invoker import FunctionError
from tests.kit.laptop import probe


class Api:
    """A client of the fixture's API whose functions all do the same."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.behaviour: Callable[[Any], Any] = lambda _: {"statusCode": 204}
        self.client = Client(ApiGateway(probe.template(), self._invoke), use_cookies=False)

    def _invoke(self, function: str, event: Any) -> Any:
        assert function.endswith(":function:Served")
        self.events.append(event)
        return self.behaviour(event)


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_request_becomes_an_event(api: Api) -> None:
    api.client.post(
        "/things?a=1&b=x%20y&a=2",
        data='{"n":1}',
        headers=[("Content-Type", "application/json"), ("X-Thing", "1"), ("X-Thing", "2"), ("Cookie", "c=1; d=2")],
    )
    (event,) = api.events
    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /things"
    assert event["rawPath"] == "/things"
    assert event["rawQueryString"] == "a=1&b=x%20y&a=2"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert event["headers"]["x-thing"] in ("1,2", "1, 2")
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["body"] == '{"n":1}'
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["stage"] == "$default"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["http"]["path"] == "/things"


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/json", "application/xml"])
def test_the_body_of_a_text_is_text(api: Api, content_type: str) -> None:
    api.client.post("/things", data="ü".encode(), content_type=content_type)
    assert api.events[0]["body"] == "ü"
    assert api.events[0]["isBase64Encoded"] is False


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/x-www-form-urlencoded", ""])
def test_every_other_body_is_in_base64(api: Api, content_type: str) -> None:
    api.client.post("/things", data=b"a=1", content_type=content_type)
    assert api.events[0]["body"] == base64.b64encode(b"a=1").decode()
    assert api.events[0]["isBase64Encoded"] is True


def test_a_text_that_is_not_utf8_is_not_lost(api: Api) -> None:
    api.client.post("/things", data=b"\xff", content_type="application/json")
    assert api.events[0]["body"] == "/w=="
    assert api.events[0]["isBase64Encoded"] is True


def test_a_fixed_path_goes_before_one_with_a_parameter(api: Api) -> None:
    api.client.get("/things/last")
    api.client.get("/things/7")
    assert [event["routeKey"] for event in api.events] == ["GET /things/last", "GET /things/{id}"]
    assert "pathParameters" not in api.events[0]
    assert api.events[1]["pathParameters"] == {"id": "7"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/things"), ("POST", "/other"), ("GET", "/things/7/8"), ("GET", "/")]
)
def test_what_has_no_route_is_not_found(api: Api, method: str, path: str) -> None:
    answer = api.client.open(path, method=method)
    assert answer.status_code == 404
    assert answer.json == {"message": "Not Found"}
    assert api.events == []


def test_a_function_that_fails_is_an_internal_error(api: Api) -> None:
    def fail(_event: Any) -> Any:
        raise FunctionError("ValueError", "secret")

    api.behaviour = fail
    answer = api.client.post("/things")
    assert answer.status_code == 500
    assert answer.json == {"message": "Internal Server Error"}


@pytest.mark.parametrize("answer", [{"statusCode": "many"}, {"statusCode": 200, "body": {"not": "text"}}])
def test_an_answer_that_is_none_is_an_internal_error(api: Api, answer: Any) -> None:
    api.behaviour = lambda _: answer
    assert api.client.post("/things").status_code == 500


def test_a_body_over_ten_megabytes_is_refused(api: Api) -> None:
    answer = api.client.post("/things", data=b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json == {"message": "Request Entity Too Large"}
    assert api.events == []


def test_the_functions_answer_becomes_the_response(api: Api) -> None:
    api.behaviour = lambda _: {
        "statusCode": 201,
        "headers": {"Content-Type": "image/png", "X-Number": 1},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\x89PNG").decode(),
        "isBase64Encoded": True,
    }
    answer = api.client.post("/things")
    assert answer.status_code == 201
    assert answer.data == b"\x89PNG"
    assert answer.content_type == "image/png"
    assert answer.headers["X-Number"] == "1"
    assert answer.headers.getlist("Set-Cookie") == ["a=1", "b=2"]


def test_an_answer_without_a_status_is_the_body(api: Api) -> None:
    api.behaviour = lambda _: {"n": 1}
    answer = api.client.post("/things")
    assert answer.status_code == 200
    assert answer.json == {"n": 1}
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(("size", "status"), [(4 * 1024 * 1024, 204), (4_800_000, 413)])
def test_what_lambda_would_not_take_in_base64_is_refused_before_it(api: Api, size: int, status: int) -> None:
    assert api.client.post("/things", data=b"\xff" * size).status_code == status
    assert len(api.events) == (status == 204)
