"""`speechcall menu …`: what the menus in a file will do to the person who answers. Nobody is called."""

import typer

from cli.as_json import AsJson, show_json
from cli.menu_files import File, read_menus
from cli.menu_proofs import compare, prove
from cli.target import without_deployment
from speechcall.menus.rules.menu_picture import draw as draw_menus
from speechcall.menus.rules.menu_picture import explain as explain_menus
from speechcall.menus.rules.menu_report import CallBounds, call_bounds, no_opt_out_key, report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
@without_deployment
def draw(file: File, as_json: AsJson = False) -> None:
    """Print the menus as Mermaid text, which GitHub, GitLab and mermaid.live show as a picture."""
    drawn = [(title, draw_menus(menus)) for title, menus, *_ in read_menus(file)]
    if as_json:
        show_json([{"in": title, "mermaid": text} for title, text in drawn])
        return
    for title, text in drawn:
        typer.echo(f"%% {title}")
        typer.echo(text)


@app.command()
@without_deployment
def explain(file: File, as_json: AsJson = False) -> None:
    """Tell in words what the callee will meet, and what is odd about it."""
    explained = []
    for title, menus, _, rings in read_menus(file):
        # {}: how long each introduction is; no file says that, so the bounds are those of the silence alone.
        words, bounds = explain_menus(menus, {}), call_bounds(menus, {})
        findings = [*report(menus, title), *no_opt_out_key(menus, title)]
        if as_json:
            noted = [{"code": one.code, "path": one.path, "message": one.message} for one in findings]
            explained.append(
                {"in": title, "words": words, "rings": rings, "bounds": _bounds(bounds), "findings": noted}
            )
            continue
        typer.echo(f"{title}\n\n{words}\n")
        if rings:
            typer.echo(f"The phone {rings}. The account's own hours and limits hold too.")
        shortest = f"the shortest call asks {bounds.shortest_menus}" if bounds.shortest_menus else "no way ends"
        typer.echo(
            f"Menus: {shortest}, the longest {bounds.longest_menus}, "
            f"with {bounds.longest_seconds} s of silence, without the introductions."
        )
        for finding in findings:
            typer.echo(f"{finding.code} {finding.path} {finding.message}")
        typer.echo("")
    if as_json:
        show_json(explained)


def _bounds(bounds: CallBounds) -> dict[str, int | None]:
    return {
        "shortestMenus": bounds.shortest_menus,
        "longestMenus": bounds.longest_menus,
        "longestSeconds": bounds.longest_seconds,
    }


app.command()(prove)
app.command()(compare)
