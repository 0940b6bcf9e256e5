"""`speechcall list compare`: the calls of a list, once more through other menus. Nobody is called."""

from pathlib import Path
from typing import Annotated

import typer

from cli import values
from cli.as_json import AsJson, show_json
from cli.deployment import Deployment
from cli.failures import Refusal
from cli.made_lists import made_list
from cli.menu_files import read_menus
from cli.target import on_deployment
from speechcall.menus.rules.compare_menus import NOT_COMPARABLE
from speechcall.menus.rules.replayed_path import Otherwise, replay
from speechcall.menus.rules.walk import AS_DEPLOYED, ELSE


@on_deployment
def compare(
    deployment: Deployment,
    list_id: Annotated[str, typer.Argument(metavar="ID", callback=values.list_id, help="messagelistId.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The menus, for all messages of the list.")],
    as_json: AsJson = False,
) -> None:
    """Replay what callees pressed in the calls of a list through the menus of a file, and count what would change."""
    made = made_list(deployment, list_id)
    new, *more = read_menus(file)
    if more:
        count = 1 + len(more)
        raise Refusal(f"{NOT_COMPARABLE}: {file.name} has the menus of {count} messages; those of one are needed.")
    calls, total = 0, Otherwise()
    for mid in made.message_ids:
        history = deployment.history.read(mid)
        if history is None:  # deleted, after 30 days
            continue
        # The stack's own limits are not known here: those of the template's defaults stand for them.
        own = history.message.silent_repeats
        limits = AS_DEPLOYED if own is None else AS_DEPLOYED._replace(silent_repeats=own)
        for call in history.calls:
            if call.path:
                # What was pressed, and answered to lookups, then; the new menus are given the same.
                heard = [step.heard for step in call.path]
                cases = [step.decided.case if step.decided else ELSE for step in call.path]
                old, repeats = history.message.menus, new.silent_repeats
                total = total.plus(replay(old, new.menus, heard, limits, repeats, cases))
                calls += 1
    if as_json:
        show_json({"calls": calls, "otherwise": total._asdict()})
        return
    if not calls:
        raise Refusal(f"No call of the list {list_id} has got to a key yet.")
    if not total.calls:
        typer.echo(f"All {calls} calls would have gone as they did.")
        return
    typer.echo(f"Of {calls} calls {total.calls} would have gone otherwise:")
    for count, what in (
        (total.lost, "webhooks would not have been sent"),
        (total.added, "other webhooks would have been sent"),
        (total.shorter, "calls would have been ended before their last key"),
        (total.longer, "calls would have been asked one menu more"),
    ):
        typer.echo(f"  {count} {what}")
