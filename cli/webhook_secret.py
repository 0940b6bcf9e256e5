"""An account's webhook secret on the command line: made, shown once, rotated."""

import secrets
from collections.abc import Sequence

import typer

from cli.deployment import Deployment
from cli.failures import Refusal
from speechcall.shared.adapters.clock import SystemClock
from speechcall.webhooks.use_cases.webhook_secrets import MAX_SECRETS, TooManySecrets, new_secret, rotate_secret

HOUR_MSEC = 3_600_000


def give_secret(deployment: Deployment, account_id: str, kept_hours: int) -> str:
    """Makes a secret that signs the account's webhooks within a minute, and returns it, the only time that it is seen.

    Older ones sign for `kept_hours` more; 0: no more. Raises Refusal where too many sign already, or somebody else was
    first; StoreUnavailable.
    """
    secret = new_secret(secrets.token_bytes)
    try:
        ends = rotate_secret(
            account_id,
            secret,
            kept_hours * HOUR_MSEC,
            store=deployment.webhook_secrets,
            seal=deployment.seal,
            now_msec=SystemClock().now_msec(),
        )
    except TooManySecrets as error:
        raise Refusal(
            f"{MAX_SECRETS} secrets of {account_id} sign already; wait for one to end, or end them all: --keep-hours 0."
        ) from error
    if ends is None:
        raise Refusal(f"Somebody else has just changed the webhook secrets of {account_id}; try again.")
    return secret


def take_secrets(deployment: Deployment, account_id: str) -> None:
    """Removes an account's webhook secrets: its webhooks go out unsigned. Raises Refusal if somebody else was first."""
    store = deployment.webhook_secrets
    if not store.replace(account_id, (), store.secrets_of(account_id)):
        raise Refusal(f"Somebody else has just changed the webhook secrets of {account_id}; try again.")


def rotation_in_words(account_id: str, kept_hours: int, before: Sequence[object]) -> str:
    """What a rotation means for the receivers, in words. `before`: the secrets before it; empty: nothing was signed."""
    if not before:
        return f"The webhooks of {account_id} are signed from now on (within a minute), with this secret:"
    if not kept_hours:
        return f"The old webhook secret of {account_id} has stopped signing (within a minute). The new one:"
    return (
        f"The webhooks of {account_id} carry the signatures of the new secret and of the old one for {kept_hours} h; "
        "let the receivers take the new one until then:"
    )


def show_secret(secret: str) -> None:
    """Prints a webhook secret. It is shown only this once."""
    typer.echo(f"  webhook secret  {secret}\n\nKeep it as well: it is stored so that only the service can read it.")
