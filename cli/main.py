"""`speechcall`: gives out accounts and prompts, in a deployed stack or in the service that runs on this machine."""

import os
import sys
from contextlib import suppress
from io import StringIO, TextIOWrapper
from typing import Annotated

import typer

from cli import accounts, audit, calls, deadletter, lists, menus, optouts, pool, prompts, rates, stops, webhooks
from cli.as_json import AsJson, show_json
from cli.deployment import Deployment, Place
from cli.doctor.command import doctor as examine_deployment
from cli.failures import unwritten
from cli.receiver import command as receivers
from cli.selftest.command import selftest as make_call
from cli.stack import command as stack
from cli.target import on_place
from speechcall import VERSION

# A traceback shows no local variables: among them are passwords.
app = typer.Typer(
    name="speechcall",
    help="What an operator of SpeechCall does: accounts, prompts, lists, webhooks, dead letters, and a look at menus.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts.app, name="account", help="Accounts: who may use the API, and what each may dial.")
app.add_typer(prompts.app, name="prompt", help="Prompts: the audio that an account's messages name in introUrl.")
app.add_typer(pool.app, name="pool", help="The pool of lines: how many calls at once, and how many a second.")
app.add_typer(rates.app, name="rates", help="Rates: what calls cost, by the beginnings of numbers.")
app.add_typer(stops.messages, name="message", help="Messages: one's whole story; to cancel one.")
app.add_typer(lists.app, name="list", help="Message lists: their progress as it goes; to pause or cancel one.")
app.add_typer(stops.campaigns, name="campaign", help="Campaigns: to pause or cancel one.")
app.add_typer(optouts.app, name="optout", help="Opt-outs: who does not want to be called.")
app.add_typer(webhooks.app, name="webhook", help="Webhooks: what became of each, and to send it again.")
app.add_typer(receivers.app, name="receiver", help="Your own receiver of webhooks: whether it copes with all of them.")
app.add_typer(deadletter.app, name="deadletter", help="Dead letters: what could not be handled, and another try.")
app.add_typer(audit.app, name="audit", help="The audit trail: who has changed what.")
app.add_typer(stack.app, name="stack", help="A whole stack: to remove it, and to restore its tables.")
app.add_typer(calls.app, name="call", help="Calls: the signed file of one, and to run it once more.")
app.add_typer(menus.app, name="menu", help="Menus: what a file's menus will do to the person who answers.")


@app.command()
@on_place
def doctor(deployment: Deployment, place: Place, as_json: AsJson = False) -> None:
    """Look at all that may be wrong with a deployment; each finding comes with what repairs it."""
    raise typer.Exit(examine_deployment(deployment, place, typer.echo, as_json=as_json))


@app.command()
@on_place
def selftest(
    deployment: Deployment,
    place: Place,
    to: Annotated[str | None, typer.Option(help="With simulated telephony: whom to call; it ends on 01.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make one call that rings no phone, through the stack's own flow and functions; each step comes with its end."""
    raise typer.Exit(make_call(deployment, place, typer.echo, to=to, as_json=as_json))


@app.command()
def version(as_json: AsJson = False) -> None:
    """Tell the command's version. What a stack runs is told by `GET /health` of its API."""
    if as_json:
        show_json({"version": VERSION})
    else:
        typer.echo(f"speechcall {VERSION}")


def main() -> None:
    """Run a command. A character that the terminal's encoding does not have is written as its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        # Secrets that are shown once would be lost: so nothing is done.
        typer.echo("Error: There is no output to write to: it is closed.", err=True)
        sys.exit(1)
    if sys.stdin is None:
        sys.stdin = StringIO()  # nobody is there to answer
    try:
        app()
    except OSError as error:
        typer.echo(f"Error: {unwritten(error)}.", err=True)
        sys.exit(1)
    finally:
        _drop_what_is_unwritten()


def _drop_what_is_unwritten() -> None:
    """Lets what the output did not take go nowhere. The interpreter tries it again when it ends, and would complain."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
