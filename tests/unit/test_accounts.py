"""Who may use the API."""

import base64

import pytest

from speechcall.application.accounts import Credential, authenticate, key_name, sha256, user_name
from speechcall.domain.errors import Unauthorized

KNOWN = {
    user_name("shop"): Credential("acme", sha256("pass:word")),
    user_name("крамниця"): Credential("acme", sha256("пароль")),
    key_name("key-1"): Credential("acme", sha256("key-1")),
}


def basic(text, encoding="utf-8"):
    return {"authorization": "Basic " + base64.b64encode(text.encode(encoding)).decode()}


def account(headers):
    return authenticate(headers, KNOWN.get)


@pytest.mark.parametrize(
    "headers",
    [
        basic("shop:pass:word"),
        basic("крамниця:пароль"),
        basic("@:key-1"),
        {"x-authorization-key": "key-1"},
        {"x-authorization-key": "key-1", "authorization": "Bearer x"},
        {"x-authorization-key": "", **basic("shop:pass:word")},
        {"authorization": basic("shop:pass:word")["authorization"].replace("Basic", "bAsIc")},
        {"authorization": basic("shop:pass:word")["authorization"].replace("Basic ", "Basic   ") + " "},
    ],
)
def test_each_of_the_three_forms_lets_in(headers):
    assert account(headers) == "acme"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Basic "},
        {"authorization": "Bearer abc"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic c2hvcA"},
        {"authorization": "Basic пароль"},
        {"authorization": "Basic \x00"},
        {"authorization": "Basic " + base64.b64encode(b"shop").decode()},
        {"authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()},
        basic("shop:wrong"),
        basic("shop:"),
        basic("nobody:pass:word"),
        basic(":"),
        basic("key-1:"),
        basic("@:"),
        basic("@:key-2"),
        basic("@:shop"),
        basic("u" * 5000 + ":x"),
        {"x-authorization-key": "key-2"},
        {"x-authorization-key": "ключ"},
        {"x-authorization-key": "\udcff"},
        {"x-authorization-key": "k" * 9000},
    ],
)
def test_anything_else_is_unauthorized_and_says_nothing_of_the_secret(headers):
    with pytest.raises(Unauthorized) as refused:
        account(headers)
    assert refused.value.status == 401
    assert "wrong:" not in refused.value.message
    assert "key-2" not in refused.value.message


def test_an_unknown_user_costs_the_same_look_up_as_a_known_one():
    asked = []
    for headers in (basic("nobody:x"), basic("shop:x")):
        with pytest.raises(Unauthorized):
            authenticate(headers, lambda name: asked.append(name) or KNOWN.get(name))
    assert asked == [user_name("nobody"), user_name("shop")]


def test_no_name_is_longer_than_a_partition_key_can_be():
    asked = []
    for headers in (basic("u" * 5000 + ":x"), basic("ї" * 2000 + ":x"), {"x-authorization-key": "k" * 9000}):
        with pytest.raises(Unauthorized):
            authenticate(headers, asked.append)
    assert all(len(name.encode()) < 1024 for name in asked)


def test_a_key_is_nowhere_stored():
    assert "key-1" not in key_name("key-1")
    assert len(sha256("x")) == 64
