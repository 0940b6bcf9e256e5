"""Who may use the API."""

import base64
import hashlib
import hmac
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases import accounts as module
from speechcall.accounts.use_cases.accounts import (
    MARK,
    MAX_REFUSALS,
    NAMED_MARK,
    REFUSED_SECONDS,
    Credential,
    Refusals,
    authenticate,
    credentials_of,
    is_mistaken,
    key_name,
    new_secrets,
    sha256,
    user_name,
    with_checksum,
)
from speechcall.shared.rules.errors import Unauthorized

KNOWN = {
    user_name("shop"): Credential("acme", sha256("pass:word")),
    user_name("крамниця"): Credential("acme", sha256("пароль")),
    key_name("key-1"): Credential("acme", sha256("key-1")),
    user_name("old"): Credential("gone", sha256("x")),
}


def basic(text, encoding="utf-8"):
    return {"authorization": "Basic " + base64.b64encode(text.encode(encoding)).decode()}


ACCOUNTS = {"acme": Account("acme", ("+380",)), "gone": Account("gone", ("+380",), disabled=True)}


def account(headers):
    return authenticate(headers, KNOWN.get, ACCOUNTS.get)[0]


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
    assert account(headers).account_id == "acme"


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


@pytest.mark.parametrize("form", ["@:{}", "header"])
def test_an_unknown_key_costs_one_look_up(form):
    # There is no user whose existence the time would tell
    asked = []
    for secret in ("x" * 22, with_checksum("x" * 22)):
        headers = {"x-authorization-key": secret} if form == "header" else basic(form.format(secret))
        with pytest.raises(Unauthorized):
            authenticate(headers, asked.append, lambda _: pytest.fail("an account was looked up"))
    assert len(asked) == 2


def test_an_unknown_user_costs_the_same_look_ups_as_a_known_one():
    asked = []
    for headers in (basic("nobody:x"), basic("shop:x")):
        with pytest.raises(Unauthorized):
            authenticate(headers, lambda name: asked.append(name) or KNOWN.get(name), asked.append)
    unknown, decoy, known, account_id = asked
    assert unknown == user_name("nobody")
    assert known == user_name("shop")
    assert account_id == "acme"
    assert isinstance(decoy, str)


secrets_of_any_kind = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda text: text.strip()),
    st.sampled_from(["nobody", "anonymous", "none", "None", "null", "unknown", "no account has this id", sha256("")]),
    st.sampled_from(["no secret has this digest", sha256("nobody"), "CREDENTIAL", "USER#nobody", "@", "*"]),
)


@given(secrets_of_any_kind, st.sampled_from(["nobody", "anyone", "shop", "@"]))
def test_a_credential_that_does_not_exist_never_lets_in_whatever_accounts_there_are(secret, user):
    # Given a service in which an account has every id that can be thought of, and no credential exists
    for headers in ({"x-authorization-key": secret}, basic(f"{user}:{secret}")):
        # When somebody comes with a word that might stand for nobody in the code
        with pytest.raises(Unauthorized):
            authenticate(headers, lambda _name: None, lambda account_id: Account(account_id, ("*",)))


def test_that_a_credential_exists_is_no_matter_of_what_it_is_compared_with(monkeypatch):
    monkeypatch.setattr(hmac, "compare_digest", lambda *_given: True)
    with pytest.raises(Unauthorized):
        authenticate(basic("shop:x"), lambda _name: None, lambda account_id: Account(account_id, ("*",)))
    assert authenticate(basic("shop:x"), KNOWN.get, ACCOUNTS.get)[0].account_id == "acme"


def test_a_disabled_account_is_let_in_no_more():
    with pytest.raises(Unauthorized):
        account(basic("old:x"))


def test_new_secrets_are_kept_as_hashes_alone():
    secrets = new_secrets("acme", iter(["password-1", "key-1"]).__next__)
    stored = credentials_of("acme", secrets)
    assert set(stored) == {user_name("acme"), key_name("key-1")}
    assert "password-1" not in str(stored)
    assert authenticate(basic("acme:password-1"), stored.get, ACCOUNTS.get)[0].account_id == "acme"


def test_no_name_is_longer_than_a_partition_key_can_be():
    asked = []
    for headers in (basic("u" * 5000 + ":x"), basic("ї" * 2000 + ":x"), {"x-authorization-key": "k" * 9000}):
        with pytest.raises(Unauthorized):
            authenticate(headers, asked.append, ACCOUNTS.get)
    assert all(len(name.encode()) < 1024 for name in asked)


def test_a_key_is_nowhere_stored():
    assert "key-1" not in key_name("key-1")
    assert len(sha256("x")) == 64


TOKENS = st.text("abcXYZ019-_", min_size=16, max_size=40)


@given(TOKENS, st.sampled_from([MARK, NAMED_MARK]), st.data())
def test_a_secret_that_was_mistyped_is_refused_without_a_look_up(token, mark, data):
    secret = with_checksum(token, mark)
    assert not is_mistaken(secret)
    place = data.draw(st.integers(len(mark), len(secret) - 1))
    typed = (
        secret[:place]
        + data.draw(st.sampled_from("aZ0_").filter(lambda one: one != secret[place]))
        + secret[place + 1 :]
    )
    for headers in ({"x-authorization-key": typed}, basic(f"shop:{typed}"), basic(f"@:{typed}")):
        with pytest.raises(Unauthorized, match="wrong"):
            authenticate(headers, lambda _name: pytest.fail("looked up"), ACCOUNTS.get)


@given(st.text(max_size=40))
def test_a_secret_of_before_is_never_taken_for_a_mistyped_one(secret):
    assert not is_mistaken(secret) or secret.startswith(("sck_", "sckn_"))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def asked_for(headers, refusals, known=KNOWN, accounts=ACCOUNTS):
    asked = []
    with pytest.raises(Unauthorized):
        authenticate(headers, lambda name: asked.append(name) or known.get(name), accounts.get, refusals)
    return len(asked)


REPLACED = with_checksum("r" * 22)
REVOKED = with_checksum("r" * 22, NAMED_MARK)


@pytest.mark.parametrize(
    "headers",
    [
        basic(f"nobody:{REPLACED}"),
        basic(f"shop:{REPLACED}"),
        {"x-authorization-key": REPLACED},
        {"x-authorization-key": REVOKED},
    ],
)
def test_whoever_repeats_what_was_refused_costs_no_look_up_for_a_while(headers):
    clock = Clock()
    refusals = Refusals(clock)
    assert [asked_for(headers, refusals) for _ in range(3)] == [1, 0, 0]
    clock.now += REFUSED_SECONDS
    assert asked_for(headers, refusals) == 1


@pytest.mark.parametrize(
    ("headers", "first"),
    [
        ({}, 0),
        ({"authorization": "Bearer abc"}, 0),
        ({"authorization": "Basic !!!"}, 0),
        ({"x-authorization-key": REPLACED[:-1] + "_"}, 0),
        (basic(f"shop:{REPLACED[:-1]}_"), 0),
        ({"x-authorization-key": REPLACED}, 1),
        (basic(f"shop:{REPLACED}"), 1),
    ],
)
def test_a_stranger_who_repeats_a_mistake_costs_no_sha256_of_the_secret(monkeypatch, headers, first):
    refusals, made = Refusals(Clock()), []
    counting = SimpleNamespace(sha256=lambda given: made.append(given) or hashlib.sha256(given))
    monkeypatch.setattr(module, "hashlib", counting)
    asked_for(headers, refusals)
    assert len(made) == first
    made.clear()
    asked_for(headers, refusals)
    assert not made


@pytest.mark.parametrize("other", [basic(f":{REPLACED}"), basic(f"@:{REPLACED}"), basic(f"None:{REPLACED}")])
def test_a_refusal_is_of_its_user_alone(other):
    refusals = Refusals(Clock())
    asked_for(basic(f"shop:{REPLACED}"), refusals)
    assert asked_for(other, refusals) == 1


def test_a_refusal_stands_in_nobodys_way():
    refusals = Refusals(Clock())
    asked_for(basic(f"shop:{REPLACED}"), refusals)
    assert authenticate(basic("shop:pass:word"), KNOWN.get, ACCOUNTS.get, refusals)[0].account_id == "acme"
    # An account that is enabled again is let in at once.
    asked_for(basic("old:x"), refusals)
    enabled = {"gone": Account("gone", ("+380",))}
    assert authenticate(basic("old:x"), KNOWN.get, enabled.get, refusals)[0].account_id == "gone"
    # So is one whose secret somebody chose, and nobody was given before.
    asked_for(basic("new:chosen"), refusals)
    chosen = {user_name("new"): Credential("acme", sha256("chosen"))}
    assert authenticate(basic("new:chosen"), chosen.get, ACCOUNTS.get, refusals)[0].account_id == "acme"


def test_refusals_take_a_bounded_place():
    refusals = Refusals(Clock())
    for number in range(3 * MAX_REFUSALS):
        refusals.note(str(number))
        assert refusals.has(str(number))
    assert sum(refusals.has(str(number)) for number in range(3 * MAX_REFUSALS)) <= MAX_REFUSALS
