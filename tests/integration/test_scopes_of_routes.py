"""Every route, with a key of each scope: of its own account, of another one, and from another address."""

import json
from typing import Any

import boto3
import pytest

from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.named_keys import NewKey, create_key, revoke_key
from speechcall.api.use_cases.routes import SCOPES, scope_of
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.shared.adapters.keys import campaign_key, list_brake_key, rehearsals_key
from speechcall.shared.adapters.table import to_wire
from speechcall.status.adapters.call_files_store import DynamoCallFiles
from tests.kit.http_api import TEMPLATE, HttpApi, specification
from tests.kit.samples import NOW

HOME, ELSEWHERE = "203.0.113.17", "198.51.100.7"
INTRO = "ivr_651854"
ROUTES = [*SCOPES, *(f"HEAD {route.removeprefix('GET ')}" for route in SCOPES if route.startswith("GET "))]
CALLEES = {"outcomes": {"answered": 1}, "ringSeconds": 8, "talkSeconds": 40}
BODIES = {
    "POST /bat/messagelist": json.dumps(specification("simple")).encode(),
    "POST /bat/messagelist/check": json.dumps(specification("simple")).encode(),
    "POST /bat/audio/{introId}/upload": b'{"bytes": 100}',
    "POST /bat/optout": b'{"number": "+380671234567"}',
    "POST /bat/rehearsal": json.dumps({**specification("simple"), "callees": CALLEES}).encode(),
    "POST /bat/optout/find": b'{"number": "+380671234567"}',
    "POST /bat/optout/remove": b'{"number": "+380671234567"}',
    "POST /bat/erasure": b'{"number": "+380671234567"}',
    "POST /bat/person/export": b'{"number": "+380671234567"}',
    "POST /bat/webhook/replay": b'{"since": "2026-09-01T00:00:00Z"}',
}
NO_PERSON = {"erasureId": "1", "exportId": "1", "rehearsalId": "1"}
QUERIES = {"/bat/messagelist": "?campaign={campaign}"}
"""What a GET has to be asked with."""
ANSWERS = {
    "POST /bat/message/{messageId}/webhooks/replay": 202,
    "POST /bat/webhook/replay": 202,
    "PUT /bat/audio/{introId}": 400,
    "POST /bat/erasure": 202,
    "POST /bat/rehearsal": 202,
    "POST /bat/person/export": 202,
}
"""To the account's own key, where it is not 200. The PUT has no file: nothing is decoded here."""
BY_ID = [route for route in ROUTES if "{" in route and not route.startswith("P") and scope_of(route)]
BY_ID += ["POST /bat/message/{messageId}/webhooks/replay"]
"""The routes that ask for something that is there already."""


class World:
    """Two accounts with a key for each scope; acme has a message, and both have audio."""

    def __init__(self, api: HttpApi) -> None:
        self.api = api
        api.reset()
        drawn = iter(range(100))
        self.keys: dict[tuple[str, Scope], str] = {}
        for account_id in ("acme", "other"):
            for scope in Scope:
                made = create_key(
                    account_id,
                    scope.value,
                    [scope],
                    ["203.0.113.0/24"],
                    store=api.accounts,
                    token=lambda: f"{next(drawn):022}",
                    now_msec=1,
                )
                assert isinstance(made, NewKey)
                self.keys[account_id, scope] = made.key
        sent = api.post({**specification("simple"), "campaign": "spring"}).json
        message_id = sent["messages"][0]["messageId"]
        ids = {"messagelistId": sent["messagelistId"], "messageId": message_id, "introId": INTRO, "campaign": "spring"}
        ids["file"] = "main.js"
        for name, path, scope in (
            ("erasureId", "/bat/erasure", Scope.ERASE),
            ("exportId", "/bat/person/export", Scope.MANAGE),
            ("rehearsalId", "/bat/rehearsal", Scope.SEND),
        ):
            key = self.keys["acme", scope]
            asked = api.ask("POST", path, {"x-authorization-key": key}, BODIES[f"POST {path}"], HOME)
            ids[name] = asked.json[name]
        self.ids: dict[str, str] = ids
        # As if the message had been final once: its file is asked for whatever has become of it.
        files = DynamoCallFiles(boto3.client("dynamodb"), api.tables[0])
        files.keep(message_id, "masked", "header.content.signature", NOW)
        bucket = TEMPLATE.functions["AudioFunction"].environment["PROMPTS_BUCKET"]
        self.uri = S3Audio(boto3.client("s3"), bucket).put(b"RIFF")

    def has_audio(self, name: str = INTRO) -> None:
        """Acme has audio, also after a DELETE; nothing of it is stopped, also after a cancel, or rehearsed."""
        client, table = boto3.client("dynamodb"), self.api.tables[1]
        for key in (list_brake_key(self.ids["messagelistId"]), campaign_key("acme", "spring")):
            going = "REMOVE cancelled_msec, paused_msec"
            client.update_item(TableName=table, Key=to_wire(key), UpdateExpression=going)
        client.delete_item(TableName=table, Key=to_wire(rehearsals_key("acme")))
        self.api._prompts.put("acme", KnownPrompt(name, Prompt(self.uri, 2), NOW))

    def ask(self, route: str, headers: dict[str, str], address: str = HOME, **ids: str) -> Any:
        method, _, path = route.partition(" ")
        for name, value in {**self.ids, **ids}.items():
            path = path.replace(f"{{{name}}}", value)
        path += QUERIES.get(route.removeprefix("HEAD ").removeprefix("GET "), "").format(**{**self.ids, **ids})
        return self.api.ask(method, path, headers, BODIES.get(route, b""), address)

    def with_key(self, route: str, account_id: str, scope: Scope, address: str = HOME, **ids: str) -> Any:
        return self.ask(route, {"x-authorization-key": self.keys[account_id, scope]}, address, **ids)


@pytest.fixture(scope="module")
def world(made: HttpApi) -> World:
    return World(made)


def code(answer):
    return json.loads(answer.text)["error"]["code"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scope", Scope)
def test_a_key_is_let_in_where_the_table_says_and_nowhere_else(made, world, route, scope):
    needed = scope_of(route)
    world.has_audio()
    world.ask("POST /bat/optout", {"x-authorization-key": "acme-key"})  # so that there is one to be removed
    before = made.stored()
    answer = world.with_key(route, "acme", scope)
    if needed in (None, scope):
        assert answer.status == ANSWERS.get(route, 200), answer.text
        return
    assert (answer.status, code(answer)) == (403, "SCOPE_REQUIRED")
    assert f"the scope {needed};" in answer.json["error"]["message"]
    # Nor is anything done, or told of what there is
    assert made.stored() == before
    assert (
        answer.text
        == world.with_key(
            route, "acme", scope, messageId="1", messagelistId="1", introId="none", campaign="none", **NO_PERSON
        ).text
    )


@pytest.mark.parametrize("route", [route for route in ROUTES if scope_of(route)])
def test_from_another_address_no_key_is_let_in_and_all_are_told_the_same(made, world, route):
    before = made.stored()
    told = {
        (answer.status, answer.text)
        for scope in Scope
        for ids in ({}, {"messageId": "1", "messagelistId": "1", "introId": "none", "campaign": "none", **NO_PERSON})
        for answer in [world.with_key(route, "acme", scope, ELSEWHERE, **ids)]
    }
    assert len(told) == 1
    ((status, text),) = told
    assert (status, json.loads(text)["error"]["code"]) == (403, "ADDRESS_NOT_ALLOWED")
    assert HOME not in text
    assert "203.0.113" not in text
    assert made.stored() == before


def test_headers_that_claim_an_address_are_not_believed(world):
    key = world.keys["acme", Scope.READ]
    for name in ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip"):
        headers = {"x-authorization-key": key, name: HOME if name != "forwarded" else f"for={HOME}"}
        assert world.ask("GET /bat/audio", headers, ELSEWHERE).status == 403


@pytest.mark.parametrize("route", BY_ID)
def test_what_belongs_to_another_account_is_not_there(made, world, route):
    world.has_audio("only_acmes")
    before = made.stored()
    scope = scope_of(route)
    foreign = world.with_key(route, "other", scope, introId="only_acmes")
    absent = world.with_key(
        route, "other", scope, messageId="1", messagelistId="1", introId="none", campaign="none", **NO_PERSON
    )
    assert (foreign.status, code(foreign)) == (404, "NOT_FOUND")
    assert foreign.text == absent.text
    assert made.stored() == before


def test_the_audio_of_another_account_is_not_listed(world):
    world.has_audio("only_acmes")
    own = world.with_key("GET /bat/audio", "acme", Scope.READ).json
    other = world.with_key("GET /bat/audio", "other", Scope.READ).json
    assert "only_acmes" in [one["introId"] for one in own["audio"]]
    assert [one["introId"] for one in other["audio"]] == [INTRO]


@pytest.mark.parametrize("route", ROUTES)
def test_without_credentials_a_route_is_asked_in_vain(world, route):
    answer = world.ask(route, {})
    assert answer.status == (200 if scope_of(route) is None else 401)


def test_the_password_and_the_key_without_a_name_are_good_for_every_route_but_erasing_from_anywhere(world):
    for route in ROUTES:
        world.has_audio()
        answer = world.ask(route, {"x-authorization-key": "acme-key"}, ELSEWHERE)
        expected = 403 if scope_of(route) is Scope.ERASE else ANSWERS.get(route, 200)
        assert answer.status == expected, route


def test_a_revoked_key_stops_with_the_next_request_and_the_others_go_on(made, world):
    more: Any = {"store": made.accounts, "token": lambda: "r" * 22, "now_msec": 1}
    revoked: Any = create_key("acme", "revoked", [Scope.READ], [], **more)
    headers = {"x-authorization-key": revoked.key}
    assert world.ask("GET /bat/audio", headers).status == 200
    revoke_key("acme", "revoked", store=made.accounts)
    assert world.ask("GET /bat/audio", headers).status == 401
    assert world.with_key("GET /bat/audio", "acme", Scope.READ).status == 200
