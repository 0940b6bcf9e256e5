"""`speechcall menu …`: what the menus in a file will do to the person who answers. Nobody is called."""

import typer

from cli.failures import told
from cli.menu_files import File, read_menus
from cli.menu_proofs import compare, prove
from speechcall.menus.rules.menu_picture import draw as draw_menus
from speechcall.menus.rules.menu_picture import explain as explain_menus
from speechcall.menus.rules.menu_report import call_bounds, no_opt_out_key, report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def draw(file: File) -> None:
    """Print the menus as Mermaid text, which GitHub, GitLab and mermaid.live show as a picture."""
    with told():
        for title, menus, *_ in read_menus(file):
            typer.echo(f"%% {title}")
            typer.echo(draw_menus(menus))


@app.command()
def explain(file: File) -> None:
    """Tell in words what the callee will meet, and what is odd about it."""
    with told():
        for title, menus, _, rings in read_menus(file):
            typer.echo(f"{title}\n\n{explain_menus(menus, {})}\n")
            if rings:
                typer.echo(f"The phone {rings}. The account's own hours and limits hold too.")
            bounds = call_bounds(menus, {})
            shortest = f"the shortest call asks {bounds.shortest_menus}" if bounds.shortest_menus else "no way ends"
            typer.echo(
                f"Menus: {shortest}, the longest {bounds.longest_menus}, "
                f"with {bounds.longest_seconds} s of silence, without the introductions."
            )
            for finding in [*report(menus, title), *no_opt_out_key(menus, title)]:
                typer.echo(f"{finding.code} {finding.path} {finding.message}")
            typer.echo("")


app.command()(prove)
app.command()(compare)
