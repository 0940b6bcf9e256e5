"""The secrets with which an account's webhooks are signed: made, rotated, and used.

They must be readable by who signs, so they are stored sealed: they cannot be read without the key.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from standardwebhooks import Webhook

from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.webhook import WebhookRequest

PREFIX = "whsec_"
SECRET_BYTES = 32
MAX_SECRETS = 5
"""At a time: each adds a signature to every webhook."""
TRUSTED_MSEC = 60_000
"""How long what was read is used: the most that a rotation takes to be seen."""


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as stored. It signs until `until_msec`; None: until it is rotated."""

    sealed: str
    created_msec: int
    until_msec: int | None = None

    def signs_at(self, now_msec: int) -> bool:
        """Whether this secret signs webhooks at a moment."""
        return self.until_msec is None or self.until_msec > now_msec


class SecretStore(Protocol):
    """The sealed secrets of each account, the newest first."""

    def secrets_of(self, account_id: str) -> tuple[SealedSecret, ...]: ...

    def replace(self, account_id: str, secrets: Sequence[SealedSecret], instead_of: Sequence[SealedSecret]) -> bool:
        """False if they are not as they were read."""

    def signed_accounts(self, now_msec: int) -> set[str]:
        """The accounts that have a secret which signs now."""


Seal = Callable[[str, str], str]
"""An account's id and a secret, sealed for it alone. And the other way round."""


class TooManySecrets(Exception):
    """So many of an account's secrets sign already (`signing`) that another would be one too many."""

    def __init__(self, signing: Sequence[SealedSecret]) -> None:
        super().__init__(f"{len(signing)} sign")
        self.signing = signing


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A secret in the form of Standard Webhooks: `whsec_` and base64 of 256 random bits."""
    return PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def rotate_secret(
    account_id: str, secret: str, kept_msec: int, *, store: SecretStore, seal: Seal, now_msec: int
) -> Sequence[int] | None:
    """Lets a new secret sign; those before it sign with it for `kept_msec` at most (0: they end at once).

    Out: when each of those ends (epoch milliseconds) that still sign; None: somebody else changed them in this moment,
    and nothing is stored. Raises TooManySecrets, StoreUnavailable.
    """
    read, last = store.secrets_of(account_id), now_msec + kept_msec
    ends = [min(one.until_msec or last, last) for one in read]
    kept = [(one, end) for one, end in zip(read, ends, strict=True) if end > now_msec]
    if len(kept) >= MAX_SECRETS:
        raise TooManySecrets([one for one, _ in kept])
    new = SealedSecret(seal(account_id, secret), now_msec)
    if not store.replace(account_id, [new, *(replace(one, until_msec=end) for one, end in kept)], read):
        return None
    return [end for _, end in kept]


class Signer:
    """Signs webhooks with all secrets of their account that are valid; without one they stay unsigned.

    Reads an account's secrets once a minute, and opens each once: a warm function signs without a request.
    """

    def __init__(self, store: SecretStore, unseal: Seal, clock: Clock) -> None:
        self._store, self._unseal, self._clock = store, unseal, clock
        self._read: dict[str, tuple[int, tuple[SealedSecret, ...]]] = {}
        self._opened: dict[str, Webhook] = {}

    def __call__(self, account_id: str, request: WebhookRequest) -> WebhookRequest:
        """The request with `webhook-signature` over its id, timestamp and body; as it is, if the account has no secret.

        Raises StoreUnavailable.
        """
        now = self._clock.now_msec()
        secrets = [self._open(account_id, one) for one in self._secrets(account_id, now) if one.signs_at(now)]
        if not secrets:
            return request
        headers, body = dict(request.headers), request.body.decode()
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signatures = [secret.sign(headers["webhook-id"], moment, body) for secret in secrets]
        return replace(request, headers=(*request.headers, ("webhook-signature", " ".join(signatures))))

    def _secrets(self, account_id: str, now_msec: int) -> tuple[SealedSecret, ...]:
        """An account's secrets, read again after TRUSTED_MSEC; the old ones while the store cannot be read."""
        known = self._read.get(account_id)
        if known and now_msec - known[0] < TRUSTED_MSEC:
            return known[1]
        try:
            found = self._store.secrets_of(account_id)
        except StoreUnavailable:
            if known:  # better an old secret than no webhook
                return known[1]
            raise
        self._read[account_id] = (now_msec, found)
        return found

    def _open(self, account_id: str, secret: SealedSecret) -> Webhook:
        if secret.sealed not in self._opened:
            self._opened[secret.sealed] = Webhook(self._unseal(account_id, secret.sealed))
        return self._opened[secret.sealed]
