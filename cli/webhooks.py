"""`speechcall webhook …`: what became of each, and the dead ones sent again."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import values
from cli.accounts import found
from cli.as_json import AsJson, show_json
from cli.changes import belongs_to, changing
from cli.deployment import Deployment
from cli.failures import Refusal
from cli.table import show_table
from cli.target import on_deployment
from speechcall.shared.adapters.clock import SystemClock
from speechcall.status.use_cases.replay_webhooks import obstacle
from speechcall.status.use_cases.replay_webhooks import replay as replay_all
from speechcall.webhooks.rules.delivery import UNDELIVERED, Delivery, ShownState
from speechcall.webhooks.rules.webhook import WebhookTask

app = typer.Typer(no_args_is_help=True)

Found = tuple[WebhookTask, Delivery]
_SINCE = "24h"

WebhookId = Annotated[
    str | None, typer.Argument(metavar="WEBHOOK_ID", callback=values.webhook_id, help="One: its header webhook-id.")
]
MessageId = Annotated[
    str | None, typer.Option("--message", metavar="ID", callback=values.message_id, help="Those of a message.")
]
AccountId = Annotated[str | None, typer.Option("--account", metavar="ID", help="Those given up for an account.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="AGO",
        callback=values.seconds_ago_or_none,
        show_default=_SINCE,
        help="With --account: since when (90m, 24h, 7d).",
    ),
]
State = Annotated[
    ShownState | None,
    typer.Option(
        help="Only these (failed: refused; dead: given up after eight attempts; the others only of a listed message)."
    ),
]


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    message: MessageId = None,
    account: AccountId = None,
    since: Since = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """List the webhooks of a message, or those that were given up for an account."""
    chosen = _choose(deployment, message, account, since, state)
    rows = [_row(task, delivery) for task, delivery in chosen]
    if as_json:
        show_json(rows)
    else:
        show_table(rows, {"id": "webhook"}, "There are none.")


@app.command()
@on_deployment
def show(
    deployment: Deployment,
    webhook: Annotated[str, typer.Argument(metavar="WEBHOOK_ID", callback=values.webhook_id, help="Its webhook-id.")],
    as_json: AsJson = False,
) -> None:
    """Show one webhook with every attempt to deliver it."""
    task, delivery = _one(deployment, webhook)
    attempts = [
        {"at": _moment(one.at_msec), "msec": one.msec, "status": one.status or "-", "error": one.error or "-"}
        for one in delivery.attempts
    ]
    if as_json:
        show_json({**_row(task, delivery), "attempts": attempts})
        return
    for name, value in _row(task, delivery).items():
        typer.echo(f"{name:<12}{value}")
    typer.echo("")
    show_table(attempts, {}, "It has not been tried yet.")


@app.command()
@on_deployment
@changing("webhook replay", "webhook", "message", "since", "state")
def replay(
    deployment: Deployment,
    webhook: WebhookId = None,
    message: MessageId = None,
    account: AccountId = None,
    since: Since = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Send again: one webhook, those of a message that were given up, or those of an account since a time."""
    if sum(given is not None for given in (webhook, message, account)) != 1:
        raise typer.BadParameter("say which: WEBHOOK_ID, --message ID, or --account ID.")
    if webhook and (since is not None or state is not None):
        raise typer.BadParameter("--since and --state do not go with WEBHOOK_ID, which names one webhook.")
    if webhook:
        task, delivery = _one(deployment, webhook)
        if why := obstacle(delivery):
            raise Refusal(f"This webhook {why}.")
        chosen: Iterable[Found] = [(task, delivery)]
    else:
        if state is not None and state not in UNDELIVERED:
            raise typer.BadParameter("--state is failed or dead here: only what was given up is sent again.")
        chosen = (one for one in _choose(deployment, message, account, since, state) if _given_up(one))
    # A webhook's id begins with its message's id, or its list's.
    if mid := message or (webhook or "").partition("-")[0]:
        belongs_to(deployment, lambda: _owner(deployment, mid))
    begun = replay_all(chosen, deliveries=deployment.deliveries, queue=deployment.webhook_queue, clock=SystemClock())
    if as_json:
        show_json({"replayed": begun})
    else:
        for name in begun:
            typer.echo(name)
    webhooks = "1 webhook is" if len(begun) == 1 else f"{len(begun)} webhooks are"
    typer.echo(f"{webhooks} sent again, with the id that receivers know.", err=True)


def _choose(
    deployment: Deployment, message: str | None, account: str | None, since: str | None, state: ShownState | None
) -> Iterable[Found]:
    """The webhooks of `message`, or those given up for `account` since a moment.

    Exactly one of the two; else BadParameter. `since`: how long ago, with `account` alone (else BadParameter); None: 24
    hours. `state`: as it is shown, with `account` `failed` or `dead` (else BadParameter); None: in whatever state.
    Raises Refusal where there is no such message or account.
    """
    if (message is None) == (account is None):
        raise typer.BadParameter("say which: --message ID, or --account ID.")
    if message is not None and since is not None:
        raise typer.BadParameter("--since goes with --account.")
    if message is not None:
        if (history := deployment.history.read(message)) is None:
            raise Refusal(f"There is no message {message}, or it has expired.")
        webhooks = history.webhooks(SystemClock().now_msec())
        return [one for one in webhooks if state in (None, one[1].shown_state)]
    if state is not None and state not in UNDELIVERED:
        raise typer.BadParameter("with --account, --state is failed or dead: only what was given up is listed.")
    account_id = found(deployment, values.account_id(account or "")).account_id
    begin = SystemClock().now_msec() - values.to_seconds(since or _SINCE) * 1000
    names = deployment.deliveries.undelivered(account_id, begin)
    every = (deployment.deliveries.find(mid, event_id) for mid, event_id in names)
    return (one for one in every if one and state in (None, one[1].shown_state))


def _one(deployment: Deployment, webhook_id: str) -> Found:
    """The webhook of an id. Raises Refusal."""
    mid = webhook_id.partition("-")[0]
    if (one := deployment.deliveries.find(mid, webhook_id)) is None:
        raise Refusal(f"There is no webhook {webhook_id}: not sent yet, or expired.")
    return one


def _owner(deployment: Deployment, mid: str) -> str:
    """The account of a message, or of the list whose event it is; empty: nothing is known of either."""
    if history := deployment.history.read(mid):
        return history.message.account_id
    made = deployment.lists.find_list(mid)
    return made.account_id if made else ""


def _given_up(one: Found) -> bool:
    """Whether a webhook was refused for good, or given up after its last attempt."""
    return one[1].state in UNDELIVERED


def _row(task: WebhookTask, delivery: Delivery) -> dict[str, Any]:
    """A webhook as it is shown, without its URL: a path may hold a secret. `last`, `answer`: of its last attempt."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        "id": task.event_id,
        "destination": delivery.destination,
        "state": delivery.shown_state,
        "attempts": len(delivery.attempts),
        "last": _moment(last.at_msec) if last else "-",
        "answer": (last.error or last.status) if last else "-",
        "next": _moment(delivery.next_msec) if delivery.next_msec else "-",
    }


def _moment(msec: int) -> str:
    return datetime.fromtimestamp(msec / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
