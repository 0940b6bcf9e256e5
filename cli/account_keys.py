"""`speechcall account key …`: keys with a name, each for some of what an account may do."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, assert_never

import typer

from cli import values
from cli.as_json import AsJson, show_json
from cli.changes import changing
from cli.deployment import Deployment
from cli.failures import Refusal, shown_once
from cli.table import show_table
from cli.target import on_deployment
from speechcall.accounts.rules.scope import Scope, allows
from speechcall.accounts.use_cases.accounts import Change, Credential
from speechcall.accounts.use_cases.named_keys import MAX_KEYS, NewKey, NotDone, create_key, revoke_key
from speechcall.shared.adapters.clock import SystemClock

app = typer.Typer(no_args_is_help=True)

_SCOPES = "; ".join(f"{scope}: {allows(scope)}" for scope in Scope)
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", callback=values.account_id, help="The id of the account.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", callback=values.key_name, help="The key's name.")]


@app.command()
@on_deployment
@changing("account key create", "name")
def create(
    deployment: Deployment,
    account_id: AccountId,
    name: KeyName,
    scope: Annotated[list[Scope], typer.Option(help=f"{_SCOPES}. Repeatable.")],
    from_ip: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", callback=values.networks, help="It works from here alone. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for an account and show it, once."""
    made = create_key(
        account_id,
        name,
        scope,
        [*dict.fromkeys(values.network(one) for one in from_ip or [])],
        store=deployment.accounts,
        token=lambda: secrets.token_urlsafe(16),
        now_msec=SystemClock().now_msec(),
    )
    if not isinstance(made, NewKey):
        raise Refusal(_why(made, account_id, name))
    with shown_once(f"`account key revoke {account_id} {name}` ends it, and then another can be made"):
        if as_json:
            show_json({**_row(made.credential), "key": made.key})
            return
        typer.echo(f"The key {name} of {account_id} may {_listed(made.credential.scopes)}.\n")
        typer.echo(f"  API key   {made.key}\n  from      {', '.join(made.credential.from_ips) or 'anywhere'}\n")
        typer.echo("Keep it now: it cannot be shown again, since only its SHA-256 is stored.")
    account = deployment.accounts.find(account_id)
    if account and account.disabled:
        typer.echo(f"\nThe account is disabled; `account enable {account_id}` lets it in again.")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, account_id: AccountId, as_json: AsJson = False) -> None:
    """List the keys of an account that have a name, without secrets."""
    found = deployment.accounts.named_keys(account_id)
    if found is None:
        raise Refusal(_no_account(account_id))
    rows = sorted((_row(key) for key in found.values()), key=lambda row: str(row["name"]))
    if as_json:
        show_json(rows)
    else:
        show_table(rows, {"fromIps": "from", "createdAt": "created"}, f"{account_id} has no keys with a name.")


@app.command()
@on_deployment
@changing("account key revoke", "name")
def revoke(deployment: Deployment, account_id: AccountId, name: KeyName) -> None:
    """End a key of an account, at once. Its other credentials stay."""
    done = revoke_key(account_id, name, store=deployment.accounts)
    if done is Change.NOT_THERE:
        if deployment.accounts.find(account_id) is None:
            raise Refusal(_no_account(account_id))
        raise Refusal(f"There is no key {name} of {account_id}; `account key list {account_id}` shows those there are.")
    if done is not Change.DONE:
        raise Refusal(_why(done, account_id, name))
    typer.echo(f"The key {name} of {account_id} has stopped working just now.")


def _why(change: NotDone, account_id: str, name: str) -> str:
    """Why a key was not made or revoked, in a sentence.

    NOT_THERE: it is the account that is not there. A key that is not there never comes here: `revoke` says so itself.
    """
    match change:
        case Change.TAKEN:
            return f"There is a key {name} of {account_id} already; revoke it first, or take another name."
        case Change.TOO_MANY:
            return f"There are {MAX_KEYS} keys of {account_id}, and no account has more; `account key revoke` ends one."
        case Change.NOT_THERE:
            return _no_account(account_id)
        case Change.RACED:
            return f"The credentials of {account_id} are being changed by somebody else all the time; nothing was done."
        case _:
            assert_never(change)


def _no_account(account_id: str) -> str:
    return f"There is no account {account_id}; `account list` shows those there are."


def _listed(scopes: Collection[Scope]) -> str:
    return ", and ".join(f"{allows(scope)} ({scope})" for scope in Scope if scope in scopes)


def _row(key: Credential) -> dict[str, object]:
    """A key as it is shown: without its secret, which is not stored. `createdAt` is `-` where it is not known."""
    made = datetime.fromtimestamp(key.created_msec / 1000, UTC) if key.created_msec is not None else None
    return {
        "name": key.key_name,
        "scopes": [scope.value for scope in Scope if scope in key.scopes],
        "fromIps": list(key.from_ips),
        "createdAt": f"{made:%Y-%m-%dT%H:%M:%SZ}" if made else "-",
    }
