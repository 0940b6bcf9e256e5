"""A person is written into everything that there is, and erased: nothing of them is found any more, anywhere.

The functions as they are deployed, on a clock that nobody waits for; and a worker that is killed at every step.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import boto3
import pytest
from moto.sqs.models import sqs_backends

from local.cloud.account import ACCOUNT, REGION
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.accounts.use_cases.named_keys import NewKey, create_key
from speechcall.evidence.adapters.audit_trail import AuditRecords
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import State
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import KnownPrompt
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.rules.timing import utc_text
from tests.kit.outcomes.cloud import MINUTE, StoryReceiver, VirtualCloud
from tests.kit.outcomes.story import HANGUP, PROMPT
from tests.kit.outcomes.telephony import number_of
from tests.kit.samples import NOW

ZOYA, OTHER = "+380675550199", "+380675550100"
WORDS = ("380675550199", "Zoya", "675550199")
"""What is looked for: the number, as it may be written, and what is in every text about the person."""
MENU: dict[str, Any] = {
    "say": {"text": "Good morning, Zoya, your order is ready.", "language": "en-GB", "voice": "Amy"},
    "idleTimeoutMsec": 3000,
    "dtmfActions": {
        "d1": [
            {"action": "webhook", "url": "https://shop.example/Zoya", "body": {"of": "Zoya"}},
            {"action": "optOut"},
            HANGUP,
        ],
        "wrong": [HANGUP],
    },
}
ONE: dict[str, Any] = {
    "from": "Shop",
    "text": "for Zoya",
    "type": "speechcall",
    "menu": [MENU],
    "customerMessageId": "Zoya-7",
    "ttl": 600,
    "consent": {"basis": "form", "at": "2026-09-01T00:00:00Z", "ref": "Zoya's form"},
}
PLAIN: dict[str, Any] = {
    **ONE,
    "text": "ivr",
    "to": OTHER,
    "customerMessageId": "other",
    "consent": None,
    "menu": [{"introUrl": "intro", "dtmfActions": {"d1": [HANGUP]}}],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[VirtualCloud]:
    with ExitStack() as exits:
        made = VirtualCloud("connect", StoryReceiver(), exits)
        yield made


class Shop:
    """Who has called Zoya and another, and asks what is kept of her."""

    def __init__(self, cloud: VirtualCloud) -> None:
        self.cloud = cloud
        cloud.begin(1)
        for function in ("MessagelistFunction", "OptoutsFunction"):
            cloud._modules[function]["digests"].forget_key()
        client = boto3.client("dynamodb")
        accounts = DynamoAccounts(client, cloud.tables[1])
        account = Account("acme", ("*",), status_url="https://shop.example/status", status_events=("final", "list"))
        accounts.add(account, credentials_of("acme", Secrets("acme", "secret", "key")))
        DynamoPrompts(client, cloud.tables[1]).put("acme", KnownPrompt("intro", PROMPT, NOW))
        cloud.let_sign("acme")
        made = create_key("acme", "eraser", [*Scope], [], store=accounts, token=lambda: "e" * 22, now_msec=1)
        assert isinstance(made, NewKey)
        self.key = {"x-authorization-key": made.key}
        self.messages = DynamoMessages(client, *cloud.tables)
        self.lists = DynamoLists(client, cloud.tables[1])

    def ask(self, route: str, body: Any = None, **given: Any) -> Any:
        """The answer to a request, which passes in a moment."""
        told: list[Any] = []

        def work() -> None:
            headers = {**self.key, **given.pop("headers", {})}
            told.append(self.cloud.request(route, body=body, headers=headers, **given))

        self.cloud.play.spawn("client", work)
        self.cloud.play.run(self.cloud.play.msec + 5000)
        return {**told[0], "json": json.loads(told[0]["body"])}

    def callee(self, number: str) -> None:
        """Who answers each call and presses a key."""
        seen: set[str] = set()
        while True:
            self.cloud.play.until(lambda: bool(self._rung(number, seen)))
            phone = self._rung(number, seen)[0]
            seen.add(phone.contact_id)
            self.cloud.play.sleep(2)
            phone.answer()
            self.cloud.play.until(partial(_is_asked, phone))
            self.cloud.play.sleep(1)
            phone.press("1")

    def _rung(self, number: str, seen: set[str]) -> list[Any]:
        return [one for one in self.cloud.side.phones if number_of(one) == number and one.contact_id not in seen]

    def tick(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            self.cloud.play.spawn("minute", lambda: self.cloud.invoke("CarryOutStopsFunction", {}))
            self.cloud.play.run(self.cloud.play.msec + MINUTE)

    def found(self, words: tuple[str, ...] = WORDS) -> list[str]:
        """Where the person is still found: each table, queue, object, execution."""
        places: dict[str, str] = {}
        for name in self.cloud.tables:
            for pk, items in self.cloud._backend.tables[name].items.items():
                for sk, item in items.items():
                    places[f"{pk.value} {sk.value}"] = json.dumps(item.to_json(), ensure_ascii=False, default=_readable)
        for name, queue in sqs_backends[ACCOUNT][REGION].queues.items():
            waiting = [*queue._messages, *queue.pending_messages, *queue.deleted_messages]
            places[f"queue {name}"] = " ".join(str(getattr(one, "body", one)) for one in waiting)
        storage = boto3.client("s3")
        for bucket in storage.list_buckets()["Buckets"]:
            for version in storage.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
                content = storage.get_object(Bucket=bucket["Name"], Key=version["Key"])["Body"].read()
                places[f"object {version['Key']}"] = version["Key"] + content.decode("latin-1")
        for execution in self.cloud.machine.executions.values():
            places[f"execution {execution.name}"] = repr(vars(execution))
        return [place for place, text in places.items() if any(word in text or word in place for word in words)]


def _is_asked(phone: Any) -> bool:
    return bool(phone.ended or phone.questions)


def _readable(value: Any) -> str:
    import zlib  # noqa: PLC0415, of stored answers alone

    try:
        return zlib.decompress(value).decode()
    except (zlib.error, TypeError):
        return repr(value)


def test_nothing_of_an_erased_person_is_found_anywhere(cloud, caplog, capfd):
    caplog.set_level("INFO")
    shop = Shop(cloud)
    for number in (ZOYA, OTHER):
        cloud.play.spawn(f"callee {number}", partial(shop.callee, number))
    # Given a call with a key, an opt-out and webhooks; one that was refused; one that waits for next week
    later = ONE | {"to": ZOYA[1:], "sendAt": utc_text(NOW + 7 * 86_400_000), "ignoreOptOut": False}
    del later["menu"]
    hers = {"name": "Zoya", "order": "Zoya's order"}
    shared = [MENU | {"say": MENU["say"] | {"text": "{{name}}, {{order}} waits."}}]
    sharing = shop.ask("POST /bat/messagelist", {"menus": shared, "messages": [later | {"vars": hers}]})
    waits = sharing["json"]["messages"][0]["messageId"]
    body = {"campaign": "spring", "messages": [ONE | {"to": ZOYA}, PLAIN, ONE | {"to": ZOYA, "type": "Zoya"}]}
    sent = shop.ask("POST /bat/messagelist", body, headers={"idempotency-key": "k"})
    assert sent["json"]["rejected"] == 1
    heard, other = (one["messageId"] for one in sent["json"]["messages"][:2])
    done = lambda: all(shop.messages.get(mid).state is State.FINISHED for mid in (heard, other))  # noqa: E731
    assert not cloud.run(done, 1)  # one waits
    assert done()
    assert shop.ask("POST /bat/optout/find", {"number": ZOYA})["json"]["optOut"]["by"] == "key"
    assert {place.split("#")[0] for place in shop.found()} >= {"M"}

    # What is kept can be known: all of it, and no more.
    asked = shop.ask("POST /bat/person/export", {"number": ZOYA})
    assert (asked["statusCode"], asked["json"]["state"]) == (202, "running")
    shop.tick()
    told = shop.ask("GET /bat/person/export/{exportId}", exportId=asked["json"]["exportId"])["json"]
    assert [one["status"]["messageId"] for one in told["messages"]] == [waits, heard]
    assert told["messages"][0]["menu"] == [{"say": "Zoya, Zoya's order waits."}]
    assert told["messages"][1]["menu"] == [{"say": MENU["say"]["text"]}]
    assert [one["heard"] for one in told["messages"][1]["status"]["call"]["path"]][-1] == "d1"
    assert told["messages"][1]["status"]["consent"]["ref"] == "Zoya's form"
    assert [one["by"] for one in told["optOuts"]] == ["key"]
    assert (told["state"], "nextCursor" in told) == ("done", False)

    menus = partial(shop.ask, "GET /bat/message/{messageId}", messageId=heard, query={"include": "menu"})
    assert menus()["json"]["menu"][0]["say"] == MENU["say"]

    # When they are erased
    begun = shop.ask("POST /bat/erasure", {"number": ZOYA})
    assert (begun["statusCode"], begun["json"]["state"]) == (202, "running")
    assert ZOYA[1:] not in begun["body"]
    shop.tick(10)
    receipt = shop.ask("GET /bat/erasure/{erasureId}", erasureId=begun["json"]["erasureId"])["json"]
    assert receipt["state"] == "done", receipt
    assert receipt["erased"] == {"messages": 2, "calls": 1, "webhooks": 3}
    assert {one["what"] for one in receipt["kept"]} == {
        *("opt-outs", "DynamoDB Streams", "SQS dead-letter queues", "DynamoDB point-in-time recovery"),
        *("AWS Step Functions execution history", "Amazon Connect contact records"),
    }
    assert all(one["until"] for one in receipt["kept"] if one["what"] != "opt-outs")
    # Then nothing is found, and the other is as before.
    assert shop.found() == []
    trail = AuditRecords(boto3.client("dynamodb"), cloud.tables[1]).page("acme", 0, cloud.play.msec, 9).records
    assert [one.change.action for one in trail] == ["POST /bat/erasure", "POST /bat/person/export"]
    assert trail[0].after == {"erasureId": begun["json"]["erasureId"]}
    # (Its id is all that is left: in its list, its campaign, the opt-out, and the execution's name.)
    assert not [place for place in shop.found((heard,)) if place.startswith(("M#", "C#", "queue ", "object "))]
    assert not re.search("|".join(WORDS), caplog.text + "".join(capfd.readouterr()))
    assert shop.messages.get(heard) is None
    assert menus()["statusCode"] == 404
    assert shop.messages.get(other).state is State.FINISHED
    # The opt-out holds, and a repeat of the request is answered, and calls nobody.
    assert shop.ask("POST /bat/optout/find", {"number": ZOYA})["json"]["optOut"]["by"] == "key"
    again = shop.ask("POST /bat/messagelist", body, headers={"idempotency-key": "k"})
    assert again["json"] == sent["json"]
    assert shop.messages.get(heard) is None
    export = shop.ask("GET /bat/person/export/{exportId}", exportId=asked["json"]["exportId"])["json"]
    assert export["messages"] == []
