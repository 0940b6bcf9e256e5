"""A payload and an error told apart where the runtime's emulator does not say which it is."""

import json

import pytest

from local.cloud.runtime.answers import read_answer
from local.network.shared.invoker import FunctionError

REPORT = {"errorMessage": "nobody", "errorType": "NotAnswered", "requestId": "1", "stackTrace": ["line"]}


@pytest.mark.parametrize("payload", [None, {}, [], "text", {"errorType": "Lost"}, {**REPORT, "mid": "1"}])
def test_a_payload_is_given_as_it_is(payload: object) -> None:
    assert read_answer(200, json.dumps(payload).encode()) == payload


def test_no_answer_at_all_is_nothing() -> None:
    assert read_answer(200, b"") is None


@pytest.mark.parametrize(
    ("status", "body", "error_type"),
    [
        (200, json.dumps(REPORT).encode(), "NotAnswered"),
        (502, b'{"errorType":"Runtime.ExitError","errorMessage":"exit status 3"}', "Runtime.ExitError"),
        (200, b"Task timed out after 2.00 seconds", "Sandbox.Timedout"),
        (200, b"2026-11-23T00:00:00Z 1 Task timed out after 30.00 seconds\n", "Sandbox.Timedout"),
        (200, b"<html>", "Runtime.Unknown"),
        (500, b'{"message":"busy"}', "Runtime.Unknown"),
    ],
)
def test_an_error_is_raised_under_its_own_name(status: int, body: bytes, error_type: str) -> None:
    with pytest.raises(FunctionError) as caught:
        read_answer(status, body)
    assert caught.value.error_type == error_type


def test_a_text_that_speaks_of_a_timeout_is_a_payload() -> None:
    assert read_answer(200, b'"Task timed out after 2.00 seconds"') == "Task timed out after 2.00 seconds"
