"""What is sent, what is sent again, and what is told when it goes wrong: without a network."""

import asyncio
import inspect
import json
import re

import httpx
import pytest

from speechcall_client import (
    AsyncClient,
    Client,
    Forbidden,
    Invalid,
    Menu,
    Message,
    NotFound,
    OutcomeUnknown,
    Patience,
    RateLimited,
    Say,
    ServerError,
    Unauthorized,
    Unreachable,
    hangup,
)

MESSAGE = Message(to="+380671234567", sender="Shop", menus=[Menu(audio="welcome").on(1, hangup())])
SENT = {"messages": [{"messageId": "7", "recipient": "+380671234567", "status": "sent"}], "messagelistId": "6"}
REFUSED = {"error": {"code": "RATE_LIMITED", "message": "Too fast."}}


class Api:
    """Answers as a script says, the last for ever; keeps what was asked and how long was waited."""

    def __init__(self, *answers, tries=5, patience=None):
        self.answers, self.asked, self.waited = list(answers), [], []
        transport = httpx.MockTransport(self.answer)
        given = {"key": "sckn_x", "patience": patience or Patience(tries=tries)}
        self.client = Client(
            "https://api.example", http=httpx.Client(transport=transport), sleep=self.waited.append, **given
        )
        self.other = AsyncClient(
            "https://api.example", http=httpx.AsyncClient(transport=transport), sleep=self.sleep, **given
        )

    async def sleep(self, seconds):
        self.waited.append(seconds)

    def answer(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, content, *headers = answer
        return httpx.Response(status, json=content, headers=headers[0] if headers else {})


def test_a_message_is_sent_with_a_key_of_its_own():
    api = Api((200, SENT))
    accepted = api.client.send(MESSAGE, campaign="spring", strict=True)
    assert accepted.message_ids == ("7",)
    (request,) = api.asked
    assert (request.method, request.url.path, request.url.query) == ("POST", "/bat/messagelist", b"strict=true")
    assert request.headers["x-authorization-key"] == "sckn_x"
    assert len(request.headers["idempotency-key"]) == 32
    assert json.loads(request.content) == {"messages": [MESSAGE.to_json()], "campaign": "spring"}
    api.client.send(MESSAGE)
    assert api.asked[1].headers["idempotency-key"] != request.headers["idempotency-key"]


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        (500, {"error": {"code": "INTERNAL_ERROR", "message": "x"}}),
        (503, {"message": "Service Unavailable"}),
        (429, {"message": "Too Many Requests"}),
    ],
)
def test_what_passes_is_tried_again_and_is_the_same_request(trouble):
    api = Api(trouble, trouble, (200, SENT))
    assert api.client.send(MESSAGE).message_ids == ("7",)
    assert len({(one.headers["idempotency-key"], one.content) for one in api.asked}) == 1
    assert len(api.waited) == 2
    assert 0.3 < api.waited[0] < 0.7 < api.waited[1] < 1.3


def test_who_wants_no_waiting_still_tries_again():
    made = Patience(first_wait=0)
    for trouble in (httpx.ConnectError("x"), (503, {})):
        api = Api(trouble, trouble, (200, SENT), patience=made)
        assert api.client.send(MESSAGE).message_ids == ("7",)
        assert api.waited == [0, 0]


def test_what_never_passes_is_told_with_the_key_to_repeat_it():
    api = Api(httpx.ReadTimeout("x"), tries=3)
    with pytest.raises(OutcomeUnknown) as told:
        api.client.send(MESSAGE, idempotency_key="order-7")
    assert told.value.idempotency_key == "order-7"
    assert len(api.asked) == 3
    with pytest.raises(OutcomeUnknown):
        Api((500, {}), tries=2).client.send(MESSAGE)
    # Nothing has left this machine
    with pytest.raises(Unreachable):
        Api(httpx.ConnectError("x"), tries=2).client.send(MESSAGE)
    with pytest.raises(OutcomeUnknown):
        Api(httpx.ReadTimeout("x"), httpx.ConnectError("x"), tries=3).client.send(MESSAGE)


@pytest.mark.parametrize("ask", [lambda client: client.new_webhook_secret(), lambda client: client.replay("7")])
def test_what_twice_is_not_the_same_as_once_is_not_repeated_where_it_may_have_been_done(ask):
    for trouble in (httpx.ReadTimeout("x"), (500, {})):
        api = Api(trouble)
        with pytest.raises(OutcomeUnknown):
            ask(api.client)
        assert len(api.asked) == 1
    api = Api(httpx.ConnectError("x"), (429, {}), httpx.ConnectError("x"), tries=3)
    with pytest.raises(Unreachable):
        ask(api.client)
    assert len(api.asked) == 3


def test_asking_is_repeated_and_says_at_last_what_was_in_the_way():
    api = Api((502, {"message": "Bad Gateway"}))
    with pytest.raises(ServerError, match="Bad Gateway"):
        api.client.status("7")
    assert len(api.asked) == 5
    with pytest.raises(Unreachable):
        Api(httpx.ReadTimeout("x")).client.status("7")


def test_a_status_has_its_menus_where_they_are_asked_for():
    menu = [{"introUrl": "a", "idleTimeoutMsec": 5000, "dtmfActions": {"d1": [{"action": "hangup"}]}}]
    call = dict.fromkeys(("outcome", "endReason", "cause", "nextAttemptAt", "finishedAt", "answeredAt", "endedAt"))
    moment = {"acceptedAt": "2026-12-01T07:00:00.000Z", "dialledUntil": "2026-12-01T08:00:00.000Z"}
    lists = dict.fromkeys(("attempts", "path", "webhooks", "statusWebhooks"), ())
    told = {
        "messagelistId": "6",
        "messageId": "7",
        "recipient": "+380671234567",
        "text": "ivr",
        "deliverystatus": "scheduled",
        "partscount": 1,
        "cost": 0,
        "call": {"state": "queued", "durationSec": None, "keyPressed": False, **call, **moment, **lists},
    }
    api = Api((200, told | {"menu": menu}), (200, told))
    assert list(api.client.status("7", with_menu=True).menu or ()) == menu
    assert api.client.status("7").menu is None
    assert [one.url.query for one in api.asked] == [b"include=menu", b""]


def test_a_wait_that_was_asked_for_is_kept_or_told():
    api = Api((429, REFUSED, {"Retry-After": "4"}), (200, SENT))
    api.client.send(MESSAGE)
    assert api.waited == [4.0]
    api = Api((429, REFUSED, {"Retry-After": "35200"}), (200, SENT))
    with pytest.raises(RateLimited) as told:
        api.client.send(MESSAGE)
    assert told.value.retry_after == 35200
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Invalid), (401, Unauthorized), (403, Forbidden), (404, NotFound), (413, Invalid), (422, Invalid)],
)
def test_a_refusal_is_told_once_with_all_it_says(status, kind):
    place = {"code": "INVALID_RECIPIENT", "path": "messages[0].to", "message": "must be a phone number"}
    api = Api((status, {"error": {"code": "INVALID_RECIPIENT", "message": "No.", "details": [place]}}))
    with pytest.raises(kind, match=re.escape("messages[0].to: must be a phone number")) as told:
        api.client.send(MESSAGE)
    assert (told.value.status, told.value.code, told.value.problems[0].path) == (
        status,
        "INVALID_RECIPIENT",
        place["path"],
    )
    assert len(api.asked) == 1


def test_removing_what_a_lost_answer_has_removed_is_done():
    api = Api(httpx.ReadTimeout("x"), (404, {"error": {"code": "NOT_FOUND", "message": "x"}}))
    api.client.remove_audio("welcome")
    with pytest.raises(NotFound):
        Api((404, {"error": {"code": "NOT_FOUND", "message": "x"}})).client.remove_audio("welcome")


def test_a_listing_is_read_to_its_end():
    one = {"introId": "x"}
    hook = {
        "webhookId": "7-1-2-m0-d1-0", "messageId": "7", "menu": 0, "key": "d1", "step": 0, "destination": "https://a",
        "state": "dead", "givenUpAt": "2026-12-01T07:00:00.000Z", "attempts": 8, "lastAttempt": None, "later": one,
    }  # fmt: skip
    api = Api((200, {"webhooks": [hook], "nextCursor": "c"}), (200, {"webhooks": []}))
    found = [*api.client.given_up_webhooks(since="2026-12-01T09:00:00+02:00", state="dead")]
    assert [one.webhook_id for one in found] == ["7-1-2-m0-d1-0"]
    assert "since=2026-12-01T09%3A00%3A00%2B02%3A00" in str(api.asked[0].url)
    assert api.asked[1].url.params["cursor"] == "c"


def test_many_messages_go_a_hundred_at_a_time_under_keys_that_stay_the_same():
    api = Api((200, SENT))
    messages = [MESSAGE.with_number(f"+38067{number:07}") for number in range(250)]
    for _ in range(2):
        assert len([*api.client.send_many(messages, campaign="spring", idempotency_key="file-1")]) == 3
    keys = [one.headers["idempotency-key"] for one in api.asked]
    assert keys == ["file-1-0", "file-1-1", "file-1-2"] * 2
    assert [len(json.loads(one.content)["messages"]) for one in api.asked[:3]] == [100, 100, 50]
    for wrong in ([], messages[:101]):
        with pytest.raises(ValueError, match="1 to 100"):
            api.client.send(wrong)


def test_menus_are_sent_once_for_all_messages_that_share_them():
    api = Api((200, SENT))
    menu = Menu(say=Say("Order {{order}}.", "en-GB"))
    messages = [Message(to="+380671234567", sender="Shop", vars={"order": str(one)}) for one in range(150)]
    api.client.send(messages[0], menus=[menu])
    api.client.check(messages[0], menus=[menu])
    assert len([*api.client.send_many(messages, campaign="c", idempotency_key="k", menus=[menu])]) == 2
    bodies = [json.loads(one.content) for one in api.asked]
    assert [one["menus"] for one in bodies] == [[menu.to_json()]] * 4
    assert [one["vars"]["order"] for one in bodies[3]["messages"]] == [str(one) for one in range(100, 150)]


def test_credentials_go_nowhere_else():
    for url in (
        "http://api.example.com",
        "ftp://api.example",
        "api.example",
        "https://u:p@api.example",
        "https://a/?x",
    ):
        with pytest.raises(ValueError, match=r"."):
            Client(url, key="k")
    for given in ({}, {"user": "u"}, {"key": "k", "user": "u", "password": "p"}):
        with pytest.raises(ValueError, match="key"):
            Client("https://api.example", **given)
    api = Api((307, {}, {"Location": "https://bucket.example/a.wav?signature=1"}), (200, 7))
    api.client.audio_file("welcome")
    assert "x-authorization-key" in api.asked[0].headers
    assert "x-authorization-key" not in api.asked[1].headers
    assert "sckn_x" not in repr(api.client)
    # A redirect that nobody spoke of is not followed
    with pytest.raises(Exception, match="SpeechCall"):
        Api((302, {}, {"Location": "https://attacker.example"})).client.status("7")


def test_a_name_leads_to_no_other_path():
    api = Api((200, {}))
    for name in ("..", "", "."):
        with pytest.raises(ValueError, match="no id"):
            api.client.status(name)
    with pytest.raises(Exception, match="not one of SpeechCall's"):
        api.client.status("7/cancel?x=1#y")
    assert api.asked[0].url.raw_path == b"/bat/message/7%2Fcancel%3Fx%3D1%23y"


def test_the_other_client_is_the_same():
    api = Api(httpx.ReadTimeout("x"), (200, SENT))
    assert asyncio.run(api.other.send(MESSAGE)).message_ids == ("7",)
    assert len(api.asked) == 2

    async def all_of():
        return [one async for one in api.other.send_many([MESSAGE] * 150, campaign="c", idempotency_key="k")]

    assert len(asyncio.run(all_of())) == 2


def test_both_clients_have_the_same_methods():
    def methods(kind):
        found = {name: value for name, value in vars(kind).items() if inspect.isfunction(value) and name[0] != "_"}
        found["close"] = found.pop("aclose", None) or found["close"]
        return {name: [*inspect.signature(value).parameters.values()] for name, value in found.items()}

    assert methods(Client) == methods(AsyncClient)
