"""`speechcall`: gives out accounts and prompts, in a deployed stack or in the service that runs on this machine."""

import typer

from cli import accounts, prompts

# A traceback shows no local variables: among them are passwords.
app = typer.Typer(
    name="speechcall",
    help="What an operator of SpeechCall does: accounts, and the prompts of each.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts.app, name="account", help="Accounts: who may use the API, and what each may dial.")
app.add_typer(prompts.app, name="prompt", help="Prompts: the audio that an account's messages name in introUrl.")

if __name__ == "__main__":
    app()
