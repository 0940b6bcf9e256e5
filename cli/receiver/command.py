"""`speechcall receiver`: whether somebody's receiver copes with webhooks, before the first one comes."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from cli.as_json import AsJson, show_json
from cli.exit_codes import FAILED, REFUSED
from cli.failures import Refusal
from cli.receiver.report import junit_of, lines_of, rows_of
from cli.receiver.secret import is_trial_secret, new_trial_secret
from cli.receiver.traffic import Hook, Traffic
from cli.receiver.trial import CASES, Finding, Verdict, try_receiver
from cli.target import without_deployment
from cli.terminal import plain
from speechcall.outbound.rules.address import Target, is_loopback, target_of
from speechcall.shared.rules.errors import ForbiddenAddress, UnusableUrl

app = typer.Typer(no_args_is_help=True)

_NOT_REACHED = (
    "CONNECTION_REFUSED",
    "CONNECT_TIMEOUT",
    "CONNECT_FAILED",
    "NAME_NOT_FOUND",
    "TLS_FAILED",
)


class NotTried(Refusal):
    """A trial cannot be made: the code, and why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}.")


@app.command()
@without_deployment
def secret(as_json: AsJson = False) -> None:
    """Make a secret for trials. It signs nothing else: no stack has such a one."""
    made = new_trial_secret(secrets.token_bytes)
    if as_json:
        show_json({"secret": made})
    else:
        typer.echo(made)


@app.command(name="try")
@without_deployment
def try_(
    url: Annotated[str, typer.Argument(help="Where your receiver takes webhooks: http://localhost:8000/hooks.")],
    given_secret: Annotated[
        str,
        typer.Option(
            "--secret",
            envvar="SPEECHCALL_TRIAL_SECRET",
            metavar="SECRET",
            help="What it verifies with: of `speechcall receiver secret`, never an account's.",
        ),
    ],
    count: Annotated[
        str,
        typer.Option(metavar="URL", help="Answers GET with how many webhooks of the message {mid} it has taken."),
    ] = "",
    yes_i_run: Annotated[
        str, typer.Option(metavar="HOST", help="You run this public host, which is to be tried.")
    ] = "",
    case: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this case. Repeatable.")] = None,
    junit: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the report there, for builds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a receiver all that it has to cope with, and tell what it does wrong.

    Ends with status 0 if no fault was found, 1 if one was, 3 if the receiver could not be tried, or not to the end.
    """
    target = _may_be_tried(url, count, yes_i_run)
    if not is_trial_secret(given_secret):
        text = "the secret is not one for trials; make one with `speechcall receiver secret`"
        raise NotTried("NOT_A_TRIAL_SECRET", text)
    found, traffic = _try(target, given_secret, count, case or [])
    if junit:
        _write_junit(found, junit)
    if as_json:
        show_json(rows_of(found))
    else:
        for line in lines_of(found, traffic.requests, traffic.slowest):
            typer.echo(plain(line))
    if any(one.verdict is Verdict.FAULT for one in found):
        raise typer.Exit(FAILED)
    if any(one.was_cut_off for one in found):
        raise typer.Exit(REFUSED)


def _may_be_tried(url: str, count: str, yes_i_run: str) -> Target:
    """The target of a URL that may be tried: on this machine, or on a host that `yes_i_run` names. Raises NotTried.

    `count`: the URL of --count, which has to be on the same host; empty: none.
    """
    target = _target(url)
    if count and (other := _target(count.replace("{mid}", "0"))).host != target.host:
        raise NotTried("HOST_NOT_CONFIRMED", f"--count names another host than the receiver's: {other.host}")
    name = target.host.removesuffix(".")
    if not _is_this_machine(target) and yes_i_run.lower().strip("[]").removesuffix(".") != name:
        text = f"{name} is not this machine; add --yes-i-run {name} if it is yours, for it gets forged webhooks too"
        raise NotTried("HOST_NOT_CONFIRMED", text)
    return target


def _target(url: str) -> Target:
    try:
        return target_of(url)
    except UnusableUrl as error:
        raise NotTried("BAD_URL", f"the URL {error}") from None


def _is_this_machine(target: Target) -> bool:
    address = target.address
    return is_loopback(address) if address else target.host.removesuffix(".") == "localhost"


def _try(target: Target, given_secret: str, count: str, names: list[str]) -> tuple[list[Finding], Traffic]:
    """What was found, and the traffic, which tells how many requests that took; its connections are closed.

    `names`: only these cases; empty: all. Raises BadParameter for a case that there is not, NotTried where no server
    answers or the address is forbidden.
    """
    known = [one.name for one in CASES]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"there is no case {unknown[0]}; there are {', '.join(known)}.")
    traffic = Traffic(target.url, given_secret, count_url=count, on_this_machine=_is_this_machine(target))
    # Ids like those of messages, drawn for this trial: the receiver has had no webhook of them.
    first = secrets.randbelow(9 * 10**16) + 10**16
    mids = (str(first * 10 + number) for number in range(len(CASES)))
    try:
        _knock(traffic)
        return try_receiver(traffic, lambda: next(mids), names), traffic
    except ForbiddenAddress as error:
        raise NotTried("FORBIDDEN_ADDRESS", str(error)) from None
    finally:
        traffic.close()


def _write_junit(found: list[Finding], path: Path) -> None:
    try:
        junit_of(found).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise NotTried("NOT_WRITTEN", f"{path.name} cannot be written: {error.strerror or error}") from None


def _knock(traffic: Traffic) -> None:
    """One request, to see that the receiver answers at all, whatever it says. Raises NotTried."""
    answer = traffic.send(Hook("0", without="webhook-signature"))
    if answer.is_our_fault:
        raise NotTried(answer.word, "the network of this machine failed; of the receiver nothing is known")
    if answer.word in _NOT_REACHED:
        raise NotTried(answer.word, "nobody answers there")
