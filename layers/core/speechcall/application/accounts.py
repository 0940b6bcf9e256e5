"""Who may use the API."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from speechcall.domain.account import Account
from speechcall.domain.errors import Unauthorized

KEY_HEADER = "x-authorization-key"
MAX_USER_BYTES = 256


@dataclass(frozen=True, slots=True)
class Credential:
    """What is stored of a credential: whose it is, and the SHA-256 of its secret."""

    account_id: str
    secret_sha256: str


_UNKNOWN = Credential("no account has this id", "0" * 64)
"""In the place of a credential that does not exist, so that the answer takes as long. What it holds decides nothing."""

FindCredential = Callable[[str], Credential | None]
FindAccount = Callable[[str], Account | None]


def user_name(user: str) -> str:
    """The name under which a user's password is stored."""
    return f"USER#{user}"


def key_name(key: str) -> str:
    """The name under which an API key is stored; the key itself is nowhere."""
    return f"KEY#{sha256(key)}"


def authenticate(headers: Mapping[str, str], find: FindCredential, find_account: FindAccount) -> Account:
    """The account that the request's credentials belong to. Raises Unauthorized.

    In: headers with lower-case names. The three forms of the vendor: Basic user:password,
    `X-Authorization-Key: KEY`, Basic `@:KEY`. Credentials have 128 random bits or more, so one
    SHA-256 is enough; an unknown user costs the same look-ups and comparison as a known one.
    """
    name, secret = _given(headers)
    found = find(name)
    credential = found or _UNKNOWN
    account = find_account(credential.account_id)
    matches = hmac.compare_digest(sha256(secret), credential.secret_sha256)
    if found is None or not matches or account is None or account.disabled:
        raise Unauthorized("The user name, password or key is wrong.")
    return account


def sha256(secret: str) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _given(headers: Mapping[str, str]) -> tuple[str, str]:
    if key := headers.get(KEY_HEADER):
        return key_name(key), key
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized("Send your credentials by HTTP Basic (user:password) or in X-Authorization-Key.")
    try:
        user, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError as error:  # not ASCII, not base64, or not UTF-8
        raise Unauthorized("The Authorization header is not Basic base64(user:password).") from error
    if len(user.encode()) > MAX_USER_BYTES:
        raise Unauthorized("The user name, password or key is wrong.")
    if not separator:
        raise Unauthorized("The Authorization header is not Basic base64(user:password).")
    return (key_name(secret), secret) if user == "@" else (user_name(user), secret)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a new account is given, to be shown once: only its SHA-256 is kept."""

    user: str
    password: str = field(repr=False)
    key: str = field(repr=False)


def new_secrets(account_id: str, token: Callable[[], str]) -> Secrets:
    """A user name, a password and an API key; `token` gives 128 random bits or more."""
    return Secrets(account_id, token(), token())


def credentials_of(account_id: str, secrets: Secrets) -> dict[str, Credential]:
    """What is stored of the secrets, by the names under which they are looked up."""
    return {
        user_name(secrets.user): Credential(account_id, sha256(secrets.password)),
        key_name(secrets.key): Credential(account_id, sha256(secrets.key)),
    }
