"""What a key may be used for, and from where; and that each route has its scope."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from local.cloud.template import Template
from local.tools.openapi import describe
from speechcall.accounts.adapters.accounts_store import dump_credential, load_credential
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import WITHOUT_A_NAME, Scope, allows, is_from
from speechcall.accounts.use_cases.accounts import (
    MARK,
    NAMED_MARK,
    Credential,
    authorize,
    is_mistaken,
    key_name,
    sha256,
    with_checksum,
)
from speechcall.api.adapters.http_api import HttpRequest, account_of
from speechcall.api.use_cases.routes import SCOPES, scope_of
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.errors import AddressNotAllowed, ScopeRequired

ROOT = Path(__file__).parents[2]
CONNECT_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa"
SETS = [frozenset(some) for size in range(len(Scope) + 1) for some in combinations(Scope, size)]

SENDS = ("POST /bat/messagelist", "POST /bat/messagelist/check", "POST /bat/rehearsal")


# ------------------------------------------------------------------ the table
def test_each_route_of_the_template_has_its_scope_and_no_other_has_one():
    template = Template(ROOT / "template.yaml", {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
    events = [event for function in template.functions.values() for event in function.events if event.type == "HttpApi"]
    routes = {f"{event.properties['Method'].upper()} {event.properties['Path']}" for event in events}
    heads = {f"HEAD {route.removeprefix('GET ')}" for route in SCOPES if route.startswith("GET ")}
    assert routes == set(SCOPES) | heads


def test_what_asks_is_read_what_sends_is_send_and_the_rest_is_manage():
    open_to_all = {"GET /openapi.json", "GET /health", "GET /keys.json", "GET /console", "GET /console/{file}"}
    assert {route for route, scope in SCOPES.items() if scope is None} == open_to_all
    for route, scope in SCOPES.items():
        if scope is not None:
            assert (scope is Scope.SEND) == (route in SENDS)
            assert (scope is Scope.READ) == (route.startswith("GET ") or route == "POST /bat/optout/find")
            assert (scope is Scope.ERASE) == (route in ("POST /bat/optout/remove", "POST /bat/erasure"))


def test_a_head_needs_what_its_get_needs_and_what_is_no_route_has_none():
    assert scope_of("HEAD /bat/audio") is scope_of("GET /bat/audio") is Scope.READ
    assert scope_of("HEAD /bat/messagelist/check") is scope_of("$default") is scope_of("") is None


def test_the_description_says_the_scope_and_the_403_of_each_route():
    for path, methods in describe()["paths"].items():
        for method, operation in methods.items():
            scope = scope_of(f"{method.upper()} {path}")
            assert operation["security"] == ([] if scope is None else [{"basic": [scope]}, {"key": [scope]}])
            assert ("403" in operation["responses"]) == (scope is not None)


# ------------------------------------------------------------------ the rule
@pytest.mark.parametrize("held", SETS, ids=lambda held: "+".join(sorted(held)) or "none")
@pytest.mark.parametrize("wanted", Scope)
def test_a_key_is_good_for_its_scopes_alone(held, wanted):
    key = Credential("acme", "", held, "shop")
    if wanted in held:
        authorize(key, wanted, "203.0.113.7")
        return
    with pytest.raises(ScopeRequired, match=f"the scope {wanted};") as refused:
        authorize(key, wanted, "203.0.113.7")
    assert refused.value.status == 403


@pytest.mark.parametrize("wanted", Scope)
def test_from_another_address_every_request_has_the_same_answer(wanted):
    keys = [Credential("acme", "", held, "shop", ("203.0.113.0/24",)) for held in SETS]
    told = set()
    for key in keys:
        with pytest.raises(AddressNotAllowed) as refused:
            authorize(key, wanted, "198.51.100.7")
        told.add((refused.value.status, refused.value.code, refused.value.message))
    assert len(told) == 1
    assert "203.0.113" not in str(told)


def test_the_password_and_the_key_of_before_have_what_there_was_and_nothing_that_comes():
    assert {Scope.SEND, Scope.READ, Scope.MANAGE} == WITHOUT_A_NAME
    assert Credential("acme", "").scopes == WITHOUT_A_NAME
    assert all(allows(scope) for scope in Scope)


@pytest.mark.parametrize(
    ("networks", "address", "is_let_in"),
    [
        ([], "203.0.113.7", True),
        ([], "", True),
        (["203.0.113.0/24"], "203.0.113.7", True),
        (["203.0.113.0/24"], "203.0.114.7", False),
        (["203.0.113.7/32"], "203.0.113.7", True),
        (["203.0.113.7/32"], "203.0.113.70", False),
        (["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", True),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "2001:0DB8:0:0::1", True),
        (["2001:db8::/32"], "203.0.113.7", False),
        (["203.0.113.0/24"], "2001:db8::1", False),
        (["203.0.113.0/24"], "::ffff:203.0.113.7", True),
        (["::/0"], "203.0.113.7", False),
        (["203.0.113.0/24"], "", False),
        (["203.0.113.0/24"], "unknown", False),
        (["203.0.113.0/24"], "203.0.113.7, 10.0.0.1", False),
        (["203.0.113.0/24"], "203.0.113.07", False),
        (["nonsense"], "203.0.113.7", False),
        (["nonsense", "203.0.113.0/24"], "203.0.113.7", True),
    ],
)
def test_where_a_key_may_be_used_from(networks, address, is_let_in):
    assert is_from(networks, address) == is_let_in


# ------------------------------------------------------------------- storage
NAMED = Credential("acme", sha256("x"), frozenset({Scope.SEND, Scope.READ}), "shop", ("203.0.113.0/24",), 1_795_402_764)
NAMED_ITEM = {
    "account_id": "acme",
    "secret_sha256": sha256("x"),
    "v": 1,
    "key_name": "shop",
    "scopes": ["read", "send"],
    "from_ips": ["203.0.113.0/24"],
    "created_msec": 1_795_402_764,
}
PLAIN_ITEM = {"account_id": "acme", "secret_sha256": sha256("x")}


def test_a_credential_is_written_and_read():
    assert from_wire(to_wire(dump_credential(NAMED))) == NAMED_ITEM
    assert load_credential(NAMED_ITEM) == NAMED
    assert dump_credential(Credential("acme", sha256("x"))) == PLAIN_ITEM


def test_what_every_release_has_written_may_do_what_it_could():
    assert load_credential(PLAIN_ITEM) == Credential("acme", sha256("x"), WITHOUT_A_NAME)


def test_a_scope_that_a_later_release_has_written_allows_nothing_here():
    later = NAMED_ITEM | {"scopes": ["audit", "read"], "newer": 1, "v": 2}
    assert load_credential(later).scopes == {Scope.READ}
    assert load_credential(NAMED_ITEM | {"scopes": []}).scopes == frozenset()


def test_a_key_with_a_name_is_stored_where_the_release_before_does_not_look():
    key = with_checksum("a" * 22, NAMED_MARK)
    assert not is_mistaken(key)
    # That release looks for every key under this name, and would let it do anything
    assert key_name(key) != f"KEY#{sha256(key)}"
    assert not key.startswith(MARK)
    assert key_name(with_checksum("a" * 22)) == f"KEY#{sha256(with_checksum('a' * 22))}"
    assert key not in json.dumps(key_name(key))


# ------------------------------------------------------------------ requests
class OneAccount:
    """Accounts of which one exists, whose key is `key`."""

    refusals = None

    def find_credential(self, name):
        return Credential("acme", sha256("key"), frozenset(Scope), "shop", ("203.0.113.7/32",)) if name else None

    def find(self, account_id):
        return Account(account_id, ("*",))


def account_by(**event):
    accounts: Any = OneAccount()
    return account_of(HttpRequest({"headers": {"x-authorization-key": "key"}, **event}), accounts)


def test_a_request_is_judged_by_the_route_and_the_address_that_the_gateway_tells():
    here = {"http": {"sourceIp": "203.0.113.7"}}
    assert account_by(routeKey="HEAD /bat/audio", requestContext=here).account_id == "acme"
    for context in ({}, None, {"http": {}}, {"http": {"sourceIp": "203.0.113.8"}}):
        with pytest.raises(AddressNotAllowed):
            account_by(routeKey="GET /bat/audio", requestContext=context)


def test_a_route_without_a_scope_lets_nobody_in():
    for route in ("GET /openapi.json", "GET /health", "GET /bat/later", ""):
        with pytest.raises(ValueError, match="has no scope"):
            account_by(routeKey=route, requestContext={"http": {"sourceIp": "203.0.113.7"}})
