"""`speechcall audit …`: who has changed what."""

import json
from typing import Annotated, Any

import typer

from cli import values
from cli.as_json import AsJson, show_json
from cli.deployment import Deployment
from cli.table import show_table
from cli.target import on_deployment
from speechcall.evidence.rules.audit import KEPT_SECONDS, AuditRecord
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.timing import utc_text

app = typer.Typer(no_args_is_help=True)

MOST_RECORDS = 1000


@app.callback()
def _audit() -> None:
    """Who has changed what."""


@app.command("list")
@on_deployment
def list_(
    deployment: Deployment,
    account: Annotated[
        str | None, typer.Option("--account", metavar="ID", help="Of one account; it need not exist any more.")
    ] = None,
    since: Annotated[
        str,
        typer.Option(metavar="AGO", callback=values.seconds_ago, help="Since when: 90m, 24h, 7d; 400 days are kept."),
    ] = f"{KEPT_SECONDS // 86_400}d",
    limit: Annotated[int, typer.Option(min=1, max=MOST_RECORDS, help="So many at once.")] = 50,
    cursor: Annotated[str, typer.Option(help="The next page: what the page before has said.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what operators and keys have changed, the newest first."""
    owner = None if account is None else values.account_id(account)  # None: all records
    now = SystemClock().now_msec()
    try:
        page = deployment.audit_records.page(owner, now - values.to_seconds(since) * 1000, now, limit, cursor)
    except ValueError as error:
        raise typer.BadParameter("--cursor is what the page before has said.") from error
    rows = [_row(record) for record in page.records]
    if as_json:
        show_json({"records": rows, "nextCursor": page.cursor or None})
        return
    show_table(
        [{name: _cell(value) for name, value in row.items()} for row in rows], {}, "Nothing was changed in that time."
    )
    if page.cursor:
        typer.echo(f"\nThere is more: --cursor '{page.cursor}'")


def _row(record: AuditRecord) -> dict[str, Any]:
    """A record as it is shown; `account` is None where the change belongs to none."""
    change = record.change
    actor = change.actor
    return {
        "at": utc_text(record.at_msec),
        "by": f"{actor.by} {actor.name}".strip(),
        "action": change.action,
        "account": change.account_id or None,
        "asked": change.asked,
        "before": record.before,
        "after": record.after,
    }


def _cell(value: Any) -> Any:
    """A member of a record as a cell of the table: an object without its braces."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)[1:-1] or "-"
    return value
