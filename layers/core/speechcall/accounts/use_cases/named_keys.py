"""Keys with a name: several for an account, each with its scopes, and revoked one by one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import NAMED_MARK, Change, Credential, key_name, sha256, with_checksum

MAX_KEYS = 50
"""Of an account. The release before ends them all when it rotates, in one transaction, which has 100 writes."""
_TRIES = 20


NotDone = Literal[Change.TAKEN, Change.TOO_MANY, Change.NOT_THERE, Change.RACED]


class KeyStore(Protocol):
    """The keys with a name of all accounts."""

    def named_keys(self, account_id: str) -> Mapping[str, Credential] | None: ...

    def add_named_key(self, stored_as: str, key: Credential, most: int) -> Change: ...

    def remove_named_key(self, account_id: str, key_name: str) -> Change: ...


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made, to be shown once: only its SHA-256 is kept."""

    credential: Credential
    key: str = field(repr=False)


def create_key(
    account_id: str,
    name: str,
    scopes: Collection[Scope],
    from_ips: Sequence[str],
    *,
    store: KeyStore,
    token: Callable[[], str],
    now_msec: int,
) -> NewKey | NotDone:
    """A new key of an account, with a name, or why there is none.

    `from_ips`: networks (CIDR) from which it may be used; none: from anywhere. `token` gives 128 random bits or more.
    """
    key = with_checksum(token(), NAMED_MARK)
    credential = Credential(account_id, sha256(key), frozenset(scopes), name, tuple(from_ips), now_msec)
    done = _settled(lambda: store.add_named_key(key_name(key), credential, MAX_KEYS))
    return NewKey(credential, key) if done is Change.DONE else done


def revoke_key(account_id: str, name: str, *, store: KeyStore) -> Change:
    """Ends the key of a name, at once: no release and no function keeps what it has read of a credential."""
    return _settled(lambda: store.remove_named_key(account_id, name))


def _settled(change: Callable[[], Change]) -> Change:
    """What became of a change that is tried again where another was first; RACED: that went on for _TRIES."""
    for _ in range(_TRIES):
        done = change()
        if done is not Change.RACED:
            return done
    return Change.RACED
