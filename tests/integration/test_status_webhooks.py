"""Nobody has to ask for a status: a receiver that docs/webhooks.md alone describes knows what the API would answer.

Calls with redials, cancels, busy and silent callees run through the functions as they are deployed, on a clock that
nobody waits for. The server answers 503 now and then, also to what it has taken: so much comes twice, and out of order.
"""

import json
from collections import Counter
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Any

import boto3
import pytest

from local.cloud.seed import WEBHOOK_SECRET
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import KnownPrompt
from speechcall.shared.adapters.keys import uploaded_prompt_key
from speechcall.shared.adapters.table import to_wire
from tests.kit.outcomes.cloud import MINUTE, StoryReceiver, VirtualCloud
from tests.kit.outcomes.story import HANGUP, PROMPT
from tests.kit.outcomes.telephony import number_of
from tests.kit.samples import NOW
from tests.kit.status_receiver import StatusReceiver

EVENTS = ["final", "attempt", "list", "fallback"]
SMS_SENDER = "arn:aws:sms-voice:eu-central-1:123456789012:phone-number/phone-1"
FALLBACK = {
    "type": "sms",
    "text": "We could not reach you.",
    "on": ["noAnswer", "busy", "failed", "expired", "promptUnavailable", "noKey"],
}
STATUS = "https://shop.example/status"
IN_A_LIST = 5
MEETS = ("busy", "rings", "hangs up", "presses", "presses", "is silent")
MENU = {
    "introUrl": "intro",
    "idleTimeoutMsec": 3000,
    "dtmfActions": {
        "d1": [
            {"action": "webhook", "url": "https://shop.example/key", "body": {"key": 1}},
            {"action": "gotoMenu", "menu": 0},
        ],
        "d2": [HANGUP],
        "wrong": [{"action": "webhook", "url": "https://shop.example/key", "body": {"key": 0}}, HANGUP],
    },
}


class Shop(StoryReceiver):
    """A receiver of status webhooks, behind that of the laptop; it is unwell now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.random = Random(0)
        self.server = StatusReceiver(WEBHOOK_SECRET)
        self.cloud: Any = None

    def forget(self) -> None:
        super().forget()
        self.server = StatusReceiver(WEBHOOK_SECRET)

    def _receive(self, method, url, headers, body):
        given = {name.lower(): value for name, value in headers}
        trouble = self.random.choice((None, None, None, "before", "after"))
        status = 503 if trouble == "before" else self.server.receive(given, body.encode(), self.cloud.play.msec / 1000)
        self.answer_with(503 if trouble else status)
        return super(StoryReceiver, self)._receive(method, url, headers, body)


@pytest.fixture(scope="module", params=["connect", pytest.param("chime", marks=pytest.mark.long)])
def cloud(request):
    with ExitStack() as exits:
        shop = Shop()
        shop.cloud = made = VirtualCloud(request.param, shop, exits, SmsOriginationIdentity=SMS_SENDER)
        yield made


def begin(cloud: VirtualCloud) -> None:
    """A new stack with an account that is told of attempts if a request says nothing."""
    cloud.begin(1)
    client = boto3.client("dynamodb")
    limits: Any = {"calls_per_day": 10_000, "sms_per_day": 10_000}
    account = Account("acme", ("*",), status_url=STATUS, status_events=("attempt",), **limits)
    DynamoAccounts(client, cloud.tables[1]).add(account, credentials_of("acme", Secrets("acme", "secret", "key")))
    DynamoPrompts(client, cloud.tables[1]).put("acme", KnownPrompt("intro", PROMPT, NOW))
    cloud.let_sign("acme")


class Calls:
    """So many messages, and what their callees and their sender do."""

    def __init__(self, cloud: VirtualCloud, count: int, seed: int) -> None:
        self.cloud, self.count, self.random = cloud, count, Random(seed)
        self.mids: list[str] = []
        self.lists: list[str] = []
        self.done = 0

    def run(self) -> None:
        cloud = self.cloud
        begin(cloud)
        shop: Any = cloud.receiver
        shop.random = Random(self.random.random())
        numbers = [f"+38067{number:07}" for number in range(self.count)]
        for number in numbers:
            cloud.play.spawn(f"callee {number}", partial(self._callee, number, Random(self.random.random())))
        for first in range(0, self.count, IN_A_LIST):
            cloud.play.spawn("client", partial(self._send, numbers[first : first + IN_A_LIST]))
        lists = -(-self.count // IN_A_LIST)
        assert cloud.run(lambda: self.done == lists, 24), cloud.unfinished()

    def _send(self, numbers: list[str]) -> None:
        redial = {"attempts": 2, "afterSec": [60]}
        given = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": [MENU], "redial": redial, "ttl": 7200}
        messages = [{**given, "to": number, "customerMessageId": f"of {number}"} for number in numbers]
        for one in messages[::2]:
            one["fallback"] = FALLBACK
        body = {"messages": messages, "statusUrl": STATUS, "statusEvents": EVENTS}
        answer = json.loads(self.cloud.request("POST /bat/messagelist", body=body)["body"])
        mids = [one["messageId"] for one in answer["messages"]]
        self.mids += mids
        self.lists.append(answer["messagelistId"])
        self._change_its_mind(answer["messagelistId"], mids)
        self.done += 1

    def _change_its_mind(self, list_id: str, mids: list[str]) -> None:
        for mid in mids:
            if self.random.random() < 0.2:
                self.cloud.play.sleep(self.random.choice((0, 5, 20, 80)))
                body = {"hangup": True} if self.random.random() < 0.5 else {}
                self.cloud.request("POST /bat/message/{messageId}/cancel", body=body, messageId=mid)
        if self.random.random() < 0.2:
            self.cloud.play.sleep(30)
            self.cloud.request("POST /bat/messagelist/{messagelistId}/cancel", body={}, messagelistId=list_id)

    def _callee(self, number: str, random: Random) -> None:
        met = 0
        while True:
            phone = self._next_phone(number, met)
            met += 1
            self.cloud.play.sleep(2)
            match random.choice(MEETS):
                case "busy":
                    phone.refuse()
                case "rings":
                    pass
                case "hangs up":
                    phone.answer()
                    self.cloud.play.sleep(random.choice((0.5, 4)))
                    phone.hang_up()
                case "presses":
                    phone.answer()
                    self._press(phone, random.choice(("12", "112", "2", "3")))
                case _:
                    phone.answer()

    def _press(self, phone: Any, keys: str) -> None:
        asked = 0
        for key in keys:
            self.cloud.play.until(partial(self._has_asked, phone, asked))
            asked = phone.questions
            self.cloud.play.sleep(1)
            phone.press(key)

    @staticmethod
    def _has_asked(phone: Any, questions: int) -> bool:
        return bool(phone.ended or phone.questions > questions)

    def _next_phone(self, number: str, met: int) -> Any:
        def rung() -> list[Any]:
            return [phone for phone in self.cloud.side.phones if number_of(phone) == number]

        self.cloud.play.until(lambda: len(rung()) > met)
        return rung()[met]

    def statuses(self) -> dict[str, Any]:
        """What the API answers about each message."""
        found: dict[str, Any] = {}

        def ask() -> None:
            for mid in self.mids:
                answer = self.cloud.request("GET /bat/message/{messageId}", messageId=mid)
                found[mid] = json.loads(answer["body"])

        self.cloud.play.spawn("client", ask)
        self.cloud.play.run(self.cloud.play.msec + MINUTE)
        return found


def test_a_receiver_knows_what_the_api_would_answer(cloud):
    reconstructs(cloud, 20, 1)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_receiver_of_two_hundred_calls_knows_what_the_api_would_answer(cloud, seed):
    reconstructs(cloud, 20, seed)


def reconstructs(cloud: VirtualCloud, count: int, seed: int) -> None:
    calls = Calls(cloud, count, seed)
    calls.run()
    shop: Any = cloud.receiver
    server = shop.server
    statuses = calls.statuses()
    assert len(statuses) == count
    for mid, status in statuses.items():
        told, asked = server.messages[mid], status["call"]
        # What was sent, or asked for, has its own event; one that was due may have been cancelled before that.
        fallbacks = {one["status"] for one in status.get("fallbacks", [])}
        assert told["event"] in (("fallback",) if fallbacks - {"not_used"} else ("final", "fallback"))
        assert fallbacks or told["event"] == "final"
        members = ("messageId", "messagelistId", "customerMessageId", "recipient", "deliverystatus", "fallbacks")
        assert {name: told.get(name) for name in members} == {name: status.get(name) for name in members}
        assert told["call"] == {name: asked[name] for name in asked if name not in ("webhooks", "statusWebhooks")}
        placed = {one["attempt"] for one in asked["attempts"]}
        assert server.attempts.get(mid, set()) >= placed
        hooks = {one["webhookId"]: one["state"] for one in asked["statusWebhooks"]}
        ids = [f"{mid}-final", *(f"{mid}-a{n}" for n in server.attempts.get(mid, set()))]
        assert sorted(hooks) == sorted([*ids, *([f"{mid}-fallback"] if told["event"] == "fallback" else [])])
        assert set(hooks.values()) == {"delivered"}
        keys = [step["heard"] for step in asked["path"]]
        sent = [{"key": 1} for key in keys if key == "d1"] + [{"key": 0} for key in keys if key not in ("d1", "d2")]
        assert Counter(map(str, server.keys.get(mid, []))) == Counter(map(str, sent))
    for list_id in calls.lists:
        of_list = [one for one in statuses.values() if one["messagelistId"] == list_id]
        told = server.lists[list_id]
        assert (told["event"], told["total"]) == ("list", len(of_list))
        assert told["outcomes"] == Counter(one["call"]["outcome"] for one in of_list)
    # What was to be seen has happened: redials, cancels, webhooks that come twice, and first attempts in order.
    outcomes = Counter(status["call"]["outcome"] for status in statuses.values())
    assert {"answered", "cancelled"} <= set(outcomes)
    ends = Counter(one["status"] for status in statuses.values() for one in status.get("fallbacks", []))
    assert ends["sent"] + ends["unknown"] == len(cloud.texts) == len(set(cloud.texts))
    assert "not_used" in ends
    assert ends["sent"] + ends["unknown"]
    assert max(len(status["call"]["attempts"]) for status in statuses.values()) >= 2
    assert server.repeated
    in_order(cloud)


def test_who_refuses_or_cancels_a_message_tells_of_it_at_once(cloud):
    """Not only who finishes calls: prepare_prompts, and the worker of what was cancelled. With their own rights."""
    begin(cloud)
    client, registry = boto3.client("dynamodb"), cloud.tables[1]
    DynamoPool(client, registry).choose({"lines": 0})
    given = {"from": "Shop", "text": "ivr", "type": "speechcall", "to": "+380671234567"}
    lists = []

    def send(menu: Any) -> None:
        body = {"messages": [{**given, "menu": [menu]}], "statusEvents": ["final", "list"]}
        lists.append(json.loads(cloud.request("POST /bat/messagelist", body=body)["body"]))

    def client_side() -> None:
        # An introduction that is removed between acceptance and preparation
        DynamoPrompts(client, registry).put("acme", KnownPrompt("gone", PROMPT, NOW))
        send({**MENU, "introUrl": "gone"})
        client.delete_item(TableName=registry, Key=to_wire(uploaded_prompt_key("acme", "gone")))
        send(MENU)
        cloud.play.sleep(5)
        cloud.request("POST /bat/messagelist/{messagelistId}/cancel", body={}, messagelistId=lists[1]["messagelistId"])

    cloud.play.spawn("client", client_side)
    shop: Any = cloud.receiver
    shop.random = Random(5)
    cloud.play.run(NOW + 5 * MINUTE)
    told = {one["messageId"]: one["call"]["outcome"] for one in shop.server.messages.values()}
    mids = [made["messages"][0]["messageId"] for made in lists]
    assert told == dict(zip(mids, ("promptUnavailable", "cancelled"), strict=True))
    assert set(shop.server.lists) == {made["messagelistId"] for made in lists}
    # Queued by who has ended them: the minute's tick would have found them after a quarter of an hour only
    assert not cloud.unfinished()


def in_order(cloud: VirtualCloud) -> None:
    """The first attempts of a message's webhooks: those of a call's keys, then its end, then the message's."""
    firsts: dict[str, list[tuple[int, int]]] = {}
    seen = set()
    for request in cloud.receiver.requests():
        headers = {name.lower(): value for name, value in request.headers}
        name = headers["webhook-id"]
        if name in seen or name.endswith("-list"):
            continue
        seen.add(name)
        mid, _, rest = name.partition("-")
        last = {"final": (98, 0), "fallback": (99, 0)}
        place = last.get(rest) or ((int(rest[1:]), 1) if rest[0] == "a" else (int(rest.split("-")[0]), 0))
        firsts.setdefault(mid, []).append(place)
    assert [(mid, places) for mid, places in firsts.items() if places != sorted(places)] == []
