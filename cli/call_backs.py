"""`account set --call-back-…`: what somebody hears who calls the caller ID back."""

from dataclasses import replace

import typer

from cli import values
from cli.deployment import Deployment
from cli.failures import Refusal
from speechcall.accounts.rules.account import Account, CallBack

TEXT = typer.Option(
    metavar="TEXT", callback=values.call_back_text, help="Said to who calls back; {from} is the sender. Name the key 9."
)
AUDIO = typer.Option(metavar="INTRO", callback=values.call_back_audio, help="Uploaded audio in place of the text.")
DONE_TEXT = typer.Option(metavar="TEXT", callback=values.call_back_text, help="Said when they have opted out.")
DONE_AUDIO = typer.Option(metavar="INTRO", callback=values.call_back_audio, help="Uploaded audio in place of that.")
VOICE = typer.Option(metavar="LANGUAGE[:NAME]", callback=values.voice, help="Who speaks the texts: pl-PL, pl-PL:Ola.")
NONE = typer.Option("--no-call-back", help="The product's own words to who calls back, in English.")


def given(
    text: str | None, audio: str | None, done_text: str | None, done_audio: str | None, voice: str | None, *, none: bool
) -> dict[str, str]:
    """The members of CallBack that change, by name; empty: nothing does. A text without audio takes the audio's place.

    None: not given. `none`: all members change, back to those of an account that has said nothing. Raises BadParameter
    for `none` beside anything else.
    """
    texts = {"text": text, "audio": audio, "done_text": done_text, "done_audio": done_audio}
    found = {name: one for name, one in texts.items() if one is not None}
    if text is not None:
        found.setdefault("audio", "")
    if done_text is not None:
        found.setdefault("done_audio", "")
    if voice is not None:
        found["language"], _, found["voice"] = voice.partition(":")
    if none and found:
        raise typer.BadParameter("give either --call-back-… or --no-call-back.")
    return CallBack()._asdict() if none else found


def check_audio(deployment: Deployment, account_id: str, spoken: dict[str, str]) -> None:
    """Raises Refusal if `spoken`, which `given` made, names audio that the account does not have."""
    for name in filter(None, (spoken.get("audio"), spoken.get("done_audio"))):
        if deployment.prompts.find(account_id, name) is None:
            raise Refusal(
                f"{account_id} has uploaded no {name}; `speechcall prompt add {name} FILE --account {account_id}` does."
            )


def changed(account: Account, spoken: dict[str, str]) -> Account:
    """The account with `spoken`, which `given` made."""
    return replace(account, call_back=account.call_back._replace(**spoken)) if spoken else account


def shown(call_back: CallBack) -> dict[str, str]:
    """As `account list` shows it: only what was set."""
    names = {"done_text": "doneText", "done_audio": "doneAudio"}
    return {names.get(name, name): text for name, text in call_back._asdict().items() if text}
