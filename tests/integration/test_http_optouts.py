"""Opt-outs over HTTP: docs/opt-outs.md's own commands, what a sender sees, and that no number is kept."""

import json
import re
import shlex
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.named_keys import NewKey, create_key
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.timing import utc_text
from tests.kit.http_api import ACME, NUMBER, TEMPLATE, HttpApi, specification
from tests.kit.samples import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "opt-outs.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (curl .*)$", PAGE, re.MULTILINE)
HIS = "+380671234567"
_numbers = count()


@pytest.fixture
def api(made: HttpApi) -> HttpApi:
    made.reset()
    return made


def key(api: HttpApi, scope: Scope) -> str:
    name = f"{scope}{next(_numbers)}"
    made = create_key("acme", name, [scope], [], store=api.accounts, token=lambda: f"{name:0>22}", now_msec=1)
    assert isinstance(made, NewKey)
    return made.key


def ask(api: HttpApi, path: str, body: Any = None, scope: Scope | None = None) -> Any:
    """As acme with its key without a name, or with one of a scope."""
    headers = {"x-authorization-key": key(api, scope) if scope else "acme-key"}
    content = json.dumps(body).encode() if body is not None else b""
    return api.ask("GET" if body is None else "POST", path, headers, content)


def register(api: HttpApi) -> DynamoOptOuts:
    """The opt-outs, with the function's digests; they are not written by a request, and so in no audit trail."""
    function: Any = api.host._handlers[TEMPLATE.functions["OptoutsFunction"].name]
    store = function.__wrapped__.__globals__["store"]
    assert isinstance(store, DynamoOptOuts)
    assert isinstance(store.digests, NumberDigests)
    return DynamoOptOuts(boto3.client("dynamodb"), api.tables[1], store.digests)


def test_each_command_of_the_page_does_what_it_says(api):
    erasing = key(api, Scope.ERASE)
    answers = []
    for command in COMMANDS:
        words = shlex.split(command)
        url = words[-1].removeprefix("https://YOUR-API")
        body = words[words.index("-d") + 1].encode() if "-d" in words else b""
        sent = {"x-authorization-key": erasing if "X-Authorization-Key: KEY" in words else "acme-key"}
        answer = api.ask("POST" if "POST" in words else "GET", url, sent, body)
        assert answer.status == 200, answer.text
        answers.append(answer.json)
    added, found, listed, removed = answers
    shown = json.loads(re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)[1])
    assert added == {**shown, "optOut": {**shown["optOut"], "optedOutAt": added["optOut"]["optedOutAt"]}}
    assert found == {"optedOut": True, "optOut": added["optOut"]}
    assert listed == {"optOuts": [added["optOut"]]}
    assert removed == {"list": "marketing", "ending": "67", "removed": True}
    after = ask(api, "/bat/optout/find", {"number": HIS, "list": "marketing"}).json
    assert after["optedOut"] is False
    assert after["consent"] == {"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 4711"}
    assert ask(api, "/bat/optout").json == {"optOuts": []}


def test_who_has_opted_out_is_rejected_and_the_others_are_sent(api):
    assert ask(api, "/bat/optout", {"number": NUMBER}).json["added"] is True
    assert ask(api, "/bat/optout", {"number": NUMBER.removeprefix("+")}).json["added"] is False
    body = specification("simple")
    body["messages"].append({**body["messages"][0], "to": "+380501234567"})
    for path in ("/bat/messagelist", "/bat/messagelist/check"):
        first, second = api.post(body, path=path).json["messages"]
        assert (first["status"], first["error"]["code"], first["error"]["path"]) == (
            "rejected",
            "OPTED_OUT",
            "messages[0].to",
        )
        assert second["status"] in ("sent", "acceptable")
    (mid,) = api.message_ids()
    stored = api.messages.get(mid)
    assert stored.number_digest == register(api).digest("+380501234567")
    assert api.post(body, user="other").json.get("rejected") is None
    everything = [text for (_, pk, _), text in api.stored().items() if not pk.startswith(("M#", "LIST#"))]
    assert not [text for text in everything if NUMBER[1:] in text]


@pytest.mark.parametrize(("named", "status"), [([], "sent"), (["sales", "news"], "rejected")])
def test_a_list_holds_for_the_messages_that_name_it(api, named, status):
    ask(api, "/bat/optout", {"number": NUMBER, "list": "news"})
    body = specification("simple")
    body["messages"][0]["optOutLists"] = named
    body["messages"].append({**body["messages"][0], "to": "+380501234567"})
    assert [one["status"] for one in api.post(body).json["messages"]] == [status, "sent"]


def test_an_account_that_may_ignores_them_and_another_is_told(api):
    ask(api, "/bat/optout", {"number": NUMBER})
    body = specification("simple")
    body["messages"][0]["ignoreOptOut"] = True
    refused = api.post(body)
    assert (refused.status, refused.json["error"]["code"]) == (400, "IGNORE_OPT_OUT_NOT_ALLOWED")
    assert api.accounts.save(replace(ACME, ignores_opt_out=True), ACME)
    sent = api.post(body).json["messages"][0]
    assert sent["status"] == "sent"
    assert api.messages.get(sent["messageId"]).ignores_opt_out
    assert ask(api, f"/bat/message/{sent['messageId']}").json["ignoreOptOut"] is True


def test_a_list_that_is_too_old_before_a_messages_time_is_up_is_not_called_by(api):
    day, now = 86_400_000, SystemClock().now_msec()
    store = register(api)
    body = specification("simple")
    body["messages"][0]["optOutLists"] = ["news", "register"]
    for until, status in ((now + day // 2, "rejected"), (now + 2 * day, "acceptable")):
        store.set_holds_until("acme", "register", until)
        (one,) = api.post(body, path="/bat/messagelist/check").json["messages"]
        assert one["status"] == status
        if status == "rejected":
            told = one["error"]
            assert (told["code"], told["path"]) == ("OPT_OUT_LIST_TOO_OLD", "messages[0].optOutLists[1]")
    store.set_holds_until("acme", "register", now + day // 2)
    body["messages"][0]["ttl"] = 3600
    assert api.post(body, path="/bat/messagelist/check").json["messages"][0]["status"] == "acceptable"
    assert api.post(body, path="/bat/messagelist/check", user="other").json["messages"][0]["status"] == "acceptable"


def test_what_the_callee_did_is_taken_back_with_a_consent_and_by_a_key_for_that(api):
    store = register(api)
    store.add("acme", OptOut("", store.digest(HIS), "67", NOW, By.KEY, mid="7"))
    assert ask(api, "/bat/optout/find", {"number": HIS}).json["optOut"]["messageId"] == "7"
    assert ask(api, "/bat/optout/remove", {"number": HIS}).json["error"]["code"] == "SCOPE_REQUIRED"
    refused = ask(api, "/bat/optout/remove", {"number": HIS}, Scope.ERASE)
    assert (refused.status, refused.json["error"]["code"]) == (422, "CONSENT_REQUIRED")
    body: Any = {"number": HIS, "consent": {"basis": "form", "at": utc_text(NOW), "ref": "order 4711"}}
    refused = ask(api, "/bat/optout/remove", body, Scope.ERASE)
    assert refused.json["error"]["details"][0]["path"] == "consent.at"
    assert ask(api, "/bat/optout/find", {"number": HIS}).json["optedOut"] is True
    body["consent"]["at"] = utc_text(NOW + 1)
    assert ask(api, "/bat/optout/remove", body, Scope.ERASE).json["removed"] is True


def test_pages_follow_each_other(api):
    for number in range(5):
        ask(api, "/bat/optout", {"number": f"+38050123456{number}"})
    found, cursor = [], ""
    while True:
        page = ask(api, f"/bat/optout?limit=2{cursor}").json
        found += page["optOuts"]
        if "nextCursor" not in page:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert sorted(one["ending"] for one in found) == [f"6{number}" for number in range(5)]
