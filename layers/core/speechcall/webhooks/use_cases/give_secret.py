"""POST /bat/account/webhook-secret: an account gives itself a new secret. It is shown once."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from speechcall.api.use_cases.small_body import small_body
from speechcall.shared.rules.errors import StoreUnavailable, TooManySecrets
from speechcall.shared.rules.timing import utc_text
from speechcall.webhooks.use_cases import webhook_secrets
from speechcall.webhooks.use_cases.webhook_secrets import MAX_SECRETS, Seal, SecretStore, new_secret, rotate_secret

if TYPE_CHECKING:
    from speechcall.api.rules import answers

KEPT_MSEC = 24 * 3_600_000
"""How long earlier secrets sign too. Fixed: to end one at once may break receivers, so only operators can."""
_TRIES = 5


def give_secret(
    account_id: str,
    body: bytes,
    *,
    store: SecretStore,
    seal: Seal,
    random_bytes: Callable[[int], bytes],
    now_msec: int,
) -> "answers.SecretGiven":
    """Gives an account a new secret, which signs its webhooks from now on; earlier ones sign too for KEPT_MSEC at most.

    Another that was given in the same moment stays too: each caller has a secret that signs. Raises RequestError (of
    which TooManySecrets is one), StoreUnavailable.
    """
    small_body(body, (), "nothing, or an object without members")
    secret = new_secret(random_bytes)
    for _ in range(_TRIES):
        try:
            ends = rotate_secret(account_id, secret, KEPT_MSEC, store=store, seal=seal, now_msec=now_msec)
        except webhook_secrets.TooManySecrets as error:
            first = min(one.until_msec for one in error.signing if one.until_msec is not None)
            text = f"{MAX_SECRETS} webhook secrets of this account sign already; the first of them ends at"
            raise TooManySecrets(f"{text} {utc_text(first)}.") from error
        if ends is not None:
            return {"webhookSecret": secret, "olderSignUntil": utc_text(max(ends)) if ends else None}
    raise StoreUnavailable("the webhook secrets are changed by others all the time")
