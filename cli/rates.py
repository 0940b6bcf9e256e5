"""`speechcall rates …`: what calls cost, by the beginnings of numbers."""

import re
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.as_json import AsJson, show_json
from cli.changes import changing
from cli.deployment import Deployment
from cli.exit_codes import REFUSED
from cli.failures import Refusal, show_error
from cli.files import read_file
from cli.rates_file import HEADER, MOST_BYTES, WrongLine, read_rates, write_rates
from cli.target import on_deployment
from cli.terminal import plain
from speechcall.money.adapters.rates_store import OtherCurrency, Version
from speechcall.money.rules.rate import Rate, as_number, as_text
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.timing import utc_text

app = typer.Typer(no_args_is_help=True)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def _currency(given: str | None) -> str | None:
    if given is not None and not _CURRENCY.fullmatch(given):
        raise typer.BadParameter(f"a currency is three capital letters, such as EUR{foreign(given)}.")
    return given


def _number(given: str | None) -> str | None:
    if given is not None and to_e164(given) is None:
        raise typer.BadParameter(f"a number is in international format, such as +380671234567{foreign(given)}.")
    return given


@app.command("import")
@on_deployment
@changing("rates import", "currency")
def import_(
    deployment: Deployment,
    file: Annotated[Path, typer.Argument(help=f"CSV with the header {','.join(HEADER)}.")],
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", callback=_currency, help="Of the stack; needed once, never changed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a file's rates for all calls that are dialled from now on. If a line is wrong, nothing is taken."""
    rates, wrong = read_rates(read_file(file, MOST_BYTES))
    if wrong:
        _refuse(file, wrong, as_json=as_json)
    store = deployment.rates
    known = store.versions().currency
    if not (currency or known):
        raise Refusal("These are the stack's first rates: say in which currency they are, such as --currency EUR.")
    now = SystemClock().now_msec()
    try:
        version = store.add(rates, currency or known, f"{now}-{secrets.token_hex(4)}", now)
    except OtherCurrency as other:
        raise Refusal(f"The stack's currency is {other}, and stays: what was charged is kept in it.") from other
    if as_json:
        show_json({"currency": currency or known, **_described(version)})
        return
    typer.echo(f"{version.rates} rates in {currency or known} hold for the calls that are dialled from now on.")


@app.command()
@on_deployment
def show(
    deployment: Deployment,
    number: Annotated[
        str | None, typer.Option(metavar="+N", callback=_number, help="Also the rate of this number.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the currency, since when which rates hold, and the rate of a number."""
    known = deployment.rates.versions()
    found = deployment.rates.rate_at(to_e164(number) or "", SystemClock().now_msec()) if number else None
    if as_json:
        told: dict[str, Any] = {
            "currency": known.currency or None,
            "versions": [_described(one) for one in known.versions],
        }
        show_json({**told, "rate": _row(found) if found else None} if number else told)
        return
    if not known.versions:
        typer.echo("There are no rates; `rates import FILE --currency CODE` takes some.")
        return
    latest = known.versions[-1]
    typer.echo(f"{latest.rates} rates in {known.currency} hold since {utc_text(latest.from_msec)}.")
    if len(known.versions) > 1:
        typer.echo(f"{len(known.versions) - 1} earlier imports are kept, for the calls that were dialled under them.")
    if number:
        typer.echo(_sentence(number, found, known.currency))


@app.command()
@on_deployment
def export(deployment: Deployment, as_json: AsJson = False) -> None:
    """Print the rates that hold now, as a file that `rates import` takes."""
    version = deployment.rates.versions().at(SystemClock().now_msec())
    rates = deployment.rates.all_of(version) if version else []
    if as_json:
        show_json([_row(one) for one in rates])
    elif version:
        typer.echo(write_rates(rates), nl=False)
    else:
        raise Refusal("There are no rates; `rates import FILE --currency CODE` takes some.")


def _refuse(file: Path, wrong: list[WrongLine], *, as_json: bool) -> None:
    """Says all that is wrong in a file. Raises typer.Exit, always."""
    count = "1 mistake" if len(wrong) == 1 else f"{len(wrong)} mistakes"
    sentence = f"The file {file.name} has {count}, so none of its rates was taken."
    if as_json:
        cells = [{"line": one.line, "column": one.column or None, "message": one.why} for one in wrong]
        show_json({"error": sentence, "status": REFUSED, "wrong": cells})
    else:
        for one in wrong:
            typer.echo(plain(str(one)), err=True)
    show_error(sentence)
    raise typer.Exit(REFUSED)


def _described(version: Version) -> dict[str, Any]:
    return {"from": utc_text(version.from_msec), "rates": version.rates}


def _row(rate: Rate) -> dict[str, Any]:
    cells = (rate.first_seconds, as_number(rate.first_price), rate.step_seconds, as_number(rate.step_price))
    return dict(zip(HEADER, (rate.prefix, *cells), strict=True))


def _sentence(number: str, rate: Rate | None, currency: str) -> str:
    if rate is None:
        return f"The number {number} has no rate: what a call to it costs is not known."
    return (
        f"A call to {number} costs as all of +{rate.prefix}: {as_text(rate.first_price)} {currency} for the first "
        f"{rate.first_seconds} s, then {as_text(rate.step_price)} for each {rate.step_seconds} s that have begun."
    )
