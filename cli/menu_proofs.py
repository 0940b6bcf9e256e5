"""`speechcall menu prove` and `menu compare`: what holds of every call through the menus of a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.as_json import AsJson, show_json
from cli.exit_codes import FAILED
from cli.exit_codes import UNKNOWN as UNDECIDED
from cli.failures import Refusal
from cli.menu_files import File, MessageInFile, read_menus
from cli.promise_files import read_packs, read_promises_file
from cli.target import without_deployment
from cli.terminal import plain
from speechcall.menus.rules.compare_menus import MOST_STATES, NOT_COMPARABLE
from speechcall.menus.rules.compare_menus import compare as compare_menus
from speechcall.menus.rules.difference_words import steps_in_words, tell
from speechcall.menus.rules.promise_grammar import PACKS, read_promises
from speechcall.menus.rules.prove import prove as prove_promise
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.requests.use_cases.judge_promises import describe


def _lengths(given: list[str] | None) -> list[str] | None:
    for one in given or []:
        name, equals, seconds = one.rpartition("=")
        if not (name and equals and _is_length(seconds)):
            raise typer.BadParameter(f'"{one}" is not NAME=SECONDS, with 0 to 300 seconds: welcome=12.5.')
    return given


def _is_length(text: str) -> bool:
    whole, _, part = text.partition(".")
    return (whole + part).isascii() and whole.isdigit() and (part or "0").isdigit() and float(text) <= 300


def _renames(given: list[str] | None) -> list[str] | None:
    for one in given or []:
        if not all(one.partition("=")[::2]):
            raise typer.BadParameter(f'"{one}" is not OLD=NEW, with two introductions that sound alike.')
    return given


MaxMenus = Annotated[int, typer.Option(min=1, max=500, help="The stack's MaxMenuVisits.")]
MaxSeconds = Annotated[int, typer.Option(min=30, max=1200, help="The stack's MaxCallSeconds.")]
SilentRepeats = Annotated[int, typer.Option(min=0, max=49, help="The stack's SilentRepeats.")]


@without_deployment
def prove(
    file: File,
    promises: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="What every call has to keep to.")
    ] = None,
    pack: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"Promises by name: {', '.join(PACKS)}. Repeatable.")
    ] = None,
    length: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SECONDS", callback=_lengths, help="Of an introduction, by its introUrl. Repeatable."
        ),
    ] = None,
    max_menus: MaxMenus = AS_DEPLOYED.visits,
    max_seconds: MaxSeconds = AS_DEPLOYED.seconds,
    silent_repeats: SilentRepeats = AS_DEPLOYED.silent_repeats,
    as_json: AsJson = False,
) -> None:
    """Prove promises of every call through the menus of a file, or show a shortest call that breaks one.

    Ends with status 0 if all are proved, 1 if one is broken, 4 if none is broken and one cannot be decided.
    """
    if not (promises or pack):
        raise typer.BadParameter("give --promises FILE, --pack NAME, or both.")
    packs, _ = read_promises(read_packs(pack or []))
    wanted = (*(read_promises_file(promises)[1] if promises else ()), *packs)
    seconds = {name: float(text) for name, _, text in (one.rpartition("=") for one in length or [])}
    rows: list[dict[str, Any]] = []
    for path, menus, own_repeats, _ in read_menus(file):
        repeats = silent_repeats if own_repeats is None else own_repeats
        limits = CallLimits(max_menus, max_seconds, repeats)
        for one in wanted:
            verdict = prove_promise(menus, one.rule, limits, seconds)
            rows.append({"in": path, **describe(menus, one, verdict, limits)})
    if as_json:
        show_json(rows)
    else:
        _show_verdicts(rows)
    results = {row["result"] for row in rows}
    if "broken" in results:
        raise typer.Exit(FAILED)
    if "undecided" in results:
        raise typer.Exit(UNDECIDED)


def _show_verdicts(rows: Sequence[dict[str, Any]]) -> None:
    """Prints what came of each promise, under the place of the menus in the file."""
    title = ""
    for row in rows:
        if row["in"] != title:
            title = row["in"]
            typer.echo(title)
        place = f" [{row['counterexample']['path']}]" if "counterexample" in row else ""
        typer.echo(plain(f"  {row['result']:<10} {row['promise']}"))
        typer.echo(plain(f"{'':13}{row['message']}{place}"))


@without_deployment
def compare(
    old: File,
    new: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The menus that are to take their place.")],
    renamed: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", callback=_renames, help="Introductions that sound alike. Repeatable."),
    ] = None,
    max_menus: MaxMenus = AS_DEPLOYED.visits,
    silent_repeats: SilentRepeats = AS_DEPLOYED.silent_repeats,
    as_json: AsJson = False,
) -> None:
    """Show each difference in behaviour between two files' menus by a shortest call; none: they are equivalent.

    Ends with status 0 if they are equivalent, and 1 if they differ.
    """
    before, after = list(read_menus(old)), list(read_menus(new))
    if len(before) != len(after):
        raise Refusal(
            f"{NOT_COMPARABLE}: {old.name} has {_messages(len(before))} and {new.name} {_messages(len(after))}; "
            "which is to be compared with which cannot be told."
        )
    sounds = dict(one.split("=", 1) for one in renamed or [])
    limits = CallLimits(max_menus, silent_repeats=silent_repeats)
    found = [(one, _compared(one, other, limits, sounds)) for one, other in zip(before, after, strict=True)]
    rows = [row for _, some in found for row in some]
    if as_json:
        show_json(rows)
    else:
        for one, some in found:
            typer.echo(f"{one.path}: {_count(len(some))}")
            for row in some:
                typer.echo(plain(f"  {row['words']}:"))
                typer.echo(plain(f"    {row['difference']}"))
    if rows:
        raise typer.Exit(FAILED)


def _compared(
    one: MessageInFile, other: MessageInFile, limits: CallLimits, sounds: dict[str, str]
) -> list[dict[str, Any]]:
    """The differences between the menus of two messages, as rows; empty: they are equivalent.

    `sounds`: from an introduction of `one` to the one of `other` that sounds alike. A message that has `silentRepeats`
    is compared with these; any other with those of `limits`. Raises Refusal where not all could be compared.
    """
    before = limits if one.silent_repeats is None else limits._replace(silent_repeats=one.silent_repeats)
    repeats = limits.silent_repeats if other.silent_repeats is None else other.silent_repeats
    found = compare_menus(one.menus, other.menus, before, repeats, sounds)
    if not found.is_whole:
        raise Refusal(
            f"{NOT_COMPARABLE}: {one.path} has more than {MOST_STATES} states side by side; not all was compared."
        )
    return [
        {
            "in": one.path,
            "kind": difference.kind.value,
            "words": steps_in_words(difference.steps),
            "keys": [step._asdict() for step in difference.steps],
            "difference": tell(difference, one.menus, other.menus),
        }
        for difference in found.differences
    ]


def _count(differences: int) -> str:
    if not differences:
        return "equivalent: whatever is pressed, both do the same"
    return f"{differences} difference{'s' if differences > 1 else ''}"


def _messages(count: int) -> str:
    return f"{count} message{'s' if count > 1 else ''}"
