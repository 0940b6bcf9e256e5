"""Who may use the API."""

import hashlib
import hmac
from binascii import a2b_base64
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import WITHOUT_A_NAME, Scope, is_from
from speechcall.shared.rules.errors import AddressNotAllowed, ScopeRequired, Unauthorized

KEY_HEADER = "x-authorization-key"
MAX_USER_BYTES = 256
MARK = "sck_"
"""What given out secrets begin with, so that they are also found where they should not be, by who looks for leaks."""
NAMED_MARK = "sckn_"
"""What keys with a name begin with. They are stored apart, see `_name_by_digest`."""
NAMED = "NAMED#"
"""How the names begin under which keys with a name are stored."""
CHECK_CHARACTERS = 6
_BEGUN = hashlib.sha256(b"speechcall ")
"""What checksums begin with; copied for each, which is quicker than to begin another."""
REFUSED_SECONDS, MAX_REFUSALS = 10.0, 1000


class Credential(NamedTuple):
    """What is stored of a credential: whose it is, the SHA-256 of its secret, and what it may be used for."""

    account_id: str
    secret_sha256: str
    scopes: frozenset[Scope] = WITHOUT_A_NAME
    key_name: str | None = None
    """Of a key that was given a name; one of an account's has it."""
    from_ips: tuple[str, ...] = ()
    """Networks (CIDR) from which it may be used; none: from anywhere."""
    created_msec: int | None = None


_UNKNOWN = Credential("no account has this id", "0" * 64)
"""In the place of a credential that does not exist, so that the answer takes as long. What it holds decides nothing."""

FindCredential = Callable[[str], Credential | None]
FindAccount = Callable[[str], Account | None]


def user_name(user: str) -> str:
    """The name under which a user's password is stored."""
    return f"USER#{user}"


def key_name(key: str) -> str:
    """The name under which an API key is stored; the key itself is nowhere."""
    return _name_by_digest(key, sha256(key))


def _name_by_digest(key: str, digest: str) -> str:
    """Keys with a name are stored where no release looks that does not know of scopes: it would grant them all."""
    return f"{NAMED if key.startswith(NAMED_MARK) else 'KEY#'}{digest}"


def with_checksum(token: str, mark: str = MARK) -> str:
    """A secret in the form that is given out: who mistypes it, or makes one up, is refused without a look-up."""
    return f"{mark}{token}{_checksum(token)}"


def is_mistaken(secret: str) -> bool:
    """Whether a secret has our mark and a wrong checksum: it was mistyped or made up.

    Secrets of earlier releases have no mark, and may be right.
    """
    if secret.startswith(MARK):
        token = secret[len(MARK) : -CHECK_CHARACTERS]
    elif secret.startswith(NAMED_MARK):
        token = secret[len(NAMED_MARK) : -CHECK_CHARACTERS]
    else:
        return False
    return not secret.endswith(_checksum(token))


def _checksum(token: str) -> str:
    digest = _BEGUN.copy()
    digest.update(token.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:CHECK_CHARACTERS]


class Refusals:
    """What was refused a moment ago. A repeat is refused again without a look-up, and without a SHA-256.

    What is mistyped is not noted: to see that costs hardly more than to look it up here.
    Noted are only secrets in the form that we give out: those are drawn at random, so one that was refused will not be
    given out a moment later.
    Kept is Python's hash of what was sent, 64 bits under a key that each process draws for itself. It is the cheapest
    there is, tells nothing of the secret, and takes one in 10^16 for another.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is any clock that only goes forward."""
        self._seconds = seconds
        self._until: dict[int, float] = {}

    def has(self, sent: Hashable) -> bool:
        """Whether it was noted less than ten seconds ago."""
        until = self._until.get(hash(sent))
        return until is not None and until > self._seconds()

    def note(self, sent: Hashable) -> None:
        """Keeps it for ten seconds; beyond a thousand all are forgotten, which costs look-ups and nothing else."""
        if len(self._until) >= MAX_REFUSALS:
            self._until.clear()
        self._until[hash(sent)] = self._seconds() + REFUSED_SECONDS


def authenticate(
    headers: Mapping[str, str], find: FindCredential, find_account: FindAccount, refusals: Refusals | None = None
) -> tuple[Account, Credential]:
    """The account that the request's credentials belong to, and the credential. Raises Unauthorized, also for a
    disabled account.

    In: headers with lower-case names. The three forms of the vendor: Basic user:password, `X-Authorization-Key: KEY`,
    Basic `@:KEY`. `refusals`: what was refused lately; None: that is not kept. Credentials have 128 random bits or
    more, so one SHA-256 is enough; an unknown user costs the same look-ups and comparison as a known one. An unknown
    key costs one.
    """
    sent = headers.get(KEY_HEADER), headers.get("authorization")
    if refusals and refusals.has(sent):
        raise Unauthorized("The user name, password or key is wrong.")
    user, secret = _given(*sent)
    if is_mistaken(secret):
        raise Unauthorized("The user name, password or key is wrong.")
    digest = sha256(secret)
    name = _name_by_digest(secret, digest) if user is None else user_name(user)
    found = find(name)
    credential = found or _UNKNOWN
    # The time that an unknown key takes tells nothing: each has 128 random bits, and is tried as a whole.
    account = find_account(credential.account_id) if found or user is not None else None
    matches = hmac.compare_digest(digest, credential.secret_sha256)
    if refusals and secret.startswith((MARK, NAMED_MARK)) and (found is None or not matches):
        # Not one that is disabled, nor one that somebody chose: it may be let in at any moment.
        refusals.note(sent)
    if found is None or not matches or account is None or account.disabled:
        raise Unauthorized("The user name, password or key is wrong.")
    return account, credential


def authorize(credential: Credential, scope: Scope, address: str) -> None:
    """Raises AddressNotAllowed or ScopeRequired where a credential may not be used so, in this order.

    From a wrong address everything has one answer: whoever has stolen a key learns nothing of what it is for.
    """
    if not is_from(credential.from_ips, address):
        raise AddressNotAllowed("This key may not be used from the address that the request came from.")
    if scope not in credential.scopes:
        held = ", ".join(sorted(credential.scopes)) or "none"
        raise ScopeRequired(f"This needs a key with the scope {scope}; the scopes of this one: {held}.")


def sha256(secret: str) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _given(key: str | None, authorization: str | None) -> tuple[str | None, str]:
    """The user (None: the secret is an API key) and the secret, as they were sent.

    Raises Unauthorized where there are none, where they cannot be read, or where the user is above MAX_USER_BYTES.
    """
    if key:
        return None, key
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized("Send your credentials by HTTP Basic (user:password) or in X-Authorization-Key.")
    try:
        user, separator, secret = a2b_base64(encoded.strip(), strict_mode=True).decode().partition(":")
    except ValueError as error:  # not ASCII, not base64, or not UTF-8
        raise Unauthorized("The Authorization header is not Basic base64(user:password).") from error
    if len(user.encode()) > MAX_USER_BYTES:
        raise Unauthorized("The user name, password or key is wrong.")
    if not separator:
        raise Unauthorized("The Authorization header is not Basic base64(user:password).")
    return None if user == "@" else user, secret


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


class Change(Enum):
    """What became of a change of an account's keys."""

    DONE = auto()
    TAKEN = auto()
    """There is a key of this name."""
    TOO_MANY = auto()
    NOT_THERE = auto()
    """There is no such account, or no key of this name."""
    RACED = auto()
    """Another has changed the account's credentials in this moment: nothing was done."""
