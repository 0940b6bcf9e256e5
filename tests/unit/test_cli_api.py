"""The API as a customer's commands ask it: what a refusal tells of a try before it that was not answered."""

from typing import Any

import httpx
import pytest

from cli.api import Api, Stopped
from cli.exit_codes import FAILED, REFUSED, UNKNOWN

LOST: list[Any] = [httpx.ReadTimeout("x"), httpx.ConnectError("x"), 500, 503]
OPEN: list[dict[str, Any]] = [{"key": "k"}, {"changes": True}]


def asked(answers, **more):
    """What a request comes to that is answered so, one after another: a status, or Stopped."""
    left = list(answers)

    def answer(_request):
        one = left.pop(0)
        if isinstance(one, Exception):
            raise one
        if isinstance(one, str):
            return httpx.Response(200, text=one)
        body = {"state": "cancelled"} if one == 200 else {"error": {"message": "No."}}
        return httpx.Response(one, json=body)

    api = Api("https://api.example", httpx.Client(transport=httpx.MockTransport(answer)), sleep=lambda _seconds: None)
    try:
        return api.ask("POST", "/bat/message/1/cancel", b"{}", has="state", **more)[0]
    except Stopped as stopped:
        return stopped


@pytest.mark.parametrize("more", OPEN)
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("last", [[429] * 4, [401], [403], [404], [409], [302], [429, 404]])
def test_a_refusal_does_not_say_what_became_of_an_earlier_try(more, lost, last):
    """Throttling, a key that was revoked meanwhile, a message that is deleted: all of them come before the change."""
    stopped = asked([lost, *last], **more)
    assert isinstance(stopped, Stopped)
    assert stopped.status == UNKNOWN
    assert str(last[-1]) in str(stopped)
    assert "an earlier try was not answered" in str(stopped)


@pytest.mark.parametrize("more", OPEN)
@pytest.mark.parametrize("lost", LOST)
def test_what_every_try_is_answered_makes_the_earlier_one_certain(more, lost):
    """The answer of a repeat is that of the first; what is wrong with the request itself was wrong at first, too."""
    assert asked([lost, 200], **more) == 200
    assert asked([lost, 400], **more) == 400
    for status in (413, 415, 422):
        stopped = asked([lost, status], **more)
        assert isinstance(stopped, Stopped)
        assert stopped.status == REFUSED


def test_nothing_is_open_where_each_try_was_refused_or_nothing_changes():
    for more in OPEN:
        for refused in ([404], [429] * 5, [429, 429, 404]):
            stopped = asked(refused, **more)
            assert isinstance(stopped, Stopped)
            assert stopped.status == REFUSED
        assert asked([403], **more) == 403
    for lost in LOST:
        for answers, status in (([lost, 404], REFUSED), ([lost] * 5, FAILED)):
            stopped = asked(answers)
            assert isinstance(stopped, Stopped)
            assert stopped.status == status
        assert asked([lost, 403]) == 403


@pytest.mark.parametrize("page", ["<html>", "[]", '{"login": "here"}'])
def test_another_servers_200_does_not_say_either(page):
    open_: dict[str, Any] = {"key": "k"}
    for before, more, status in (([500], open_, UNKNOWN), ([], open_, FAILED), ([500], {}, FAILED)):
        stopped = asked([*before, page], **more)
        assert isinstance(stopped, Stopped)
        assert stopped.status == status
