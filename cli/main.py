"""`speechcall`: gives out accounts and prompts, in a deployed stack or in the service that runs on this machine."""

import typer

from cli import accounts, menus, prompts, webhooks

# A traceback shows no local variables: among them are passwords.
app = typer.Typer(
    name="speechcall",
    help="What an operator of SpeechCall does: accounts, prompts, webhooks, and a look at menus.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts.app, name="account", help="Accounts: who may use the API, and what each may dial.")
app.add_typer(prompts.app, name="prompt", help="Prompts: the audio that an account's messages name in introUrl.")
app.add_typer(webhooks.app, name="webhook", help="Webhooks: what became of each, and to send it again.")
app.add_typer(menus.app, name="menu", help="Menus: what a file's menus will do to the person who answers.")

if __name__ == "__main__":
    app()
