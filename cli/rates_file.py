"""A file of rates: what it says, or all that is wrong with it. Pure: from bytes to rates.

`prefix,firstSeconds,firstPrice,stepSeconds,stepPrice`, a line for each beginning of numbers. UTF-8; a byte order mark
before it, and a plus before a prefix, are as good as none.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from speechcall.money.rules.rate import DECIMALS, MOST_PRICE, MOST_SECONDS, Rate, as_text, to_amount

HEADER: Final = ("prefix", "firstSeconds", "firstPrice", "stepSeconds", "stepPrice")
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_RATES: Final = 20_000
MOST_SHOWN: Final = 40
"""Characters of a cell that a sentence repeats."""
_DELIMITERS: Final = (",", ";", "\t")
_PREFIX: Final = re.compile(r"\+?[1-9][0-9]{0,14}", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_FRACTION: Final = re.compile(r"[0-9]+[.,][0-9]+", re.ASCII)
_PRICE: Final = re.compile(r"[0-9]{1,9}(?:\.([0-9]+))?", re.ASCII)
_NEGATIVE: Final = re.compile(r"-\s*[0-9.,]+", re.ASCII)


class WrongLine(NamedTuple):
    """What is wrong in a line of the file; the first is 1. No column: the line as a whole."""

    line: int
    column: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.column}{' ' if self.column else ''}{self.why}"


class _Wrong(Exception):
    """A cell cannot be read; the words say why."""


def read_rates(content: bytes) -> tuple[list[Rate], list[WrongLine]]:
    """The rates of a file, and all that is wrong with it, by line: where anything is, nothing of it may be used."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [WrongLine(content.count(b"\n", 0, error.start) + 1, "", "is not UTF-8; save it as CSV UTF-8")]
    if (at := text.find("\0")) >= 0:
        return [], [WrongLine(text.count("\n", 0, at) + 1, "", "holds a NUL character, so this is no CSV")]
    records = _records(text)
    try:
        line, header = next(records, (1, []))
        if tuple(cell.strip() for cell in header) != HEADER:
            return [], [WrongLine(line, "", f"is not the header {','.join(HEADER)}")]
        rates, wrong = _read(records)
    except csv.Error as error:
        return [], [WrongLine(text.count("\n") + 1, "", f"is no CSV: {error}")]
    if not rates and not wrong:
        wrong = [WrongLine(line, "", "is the header, and no rate stands under it")]
    if len(rates) > MOST_RATES:
        wrong.append(WrongLine(line, "", f"has {len(rates)} rates under it; at most {MOST_RATES} can be"))
    return rates, wrong


def write_rates(rates: Iterable[Rate]) -> str:
    """Rates as a file that `read_rates` reads."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(
        (one.prefix, one.first_seconds, as_text(one.first_price), one.step_seconds, as_text(one.step_price))
        for one in rates
    )
    return text.getvalue()


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that holds anything, with the line (from 1) on which it begins. Raises csv.Error.

    What stands between the cells is whichever of _DELIMITERS the first line has most of.
    """
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _read(records: Iterable[tuple[int, list[str]]]) -> tuple[list[Rate], list[WrongLine]]:
    """The rates of the records under the header, and all that is wrong with them. A prefix may be there once."""
    rates: list[Rate] = []
    wrong: list[WrongLine] = []
    lines: dict[str, int] = {}
    for line, cells in records:
        if len(cells) != len(HEADER):
            wrong.append(WrongLine(line, "", f"has {len(cells)} cells; the header has {len(HEADER)}"))
            continue
        problems, rate = _rate([cell.strip() for cell in cells])
        wrong += [WrongLine(line, column, why) for column, why in problems]
        if rate is None:
            continue
        if rate.prefix in lines:
            wrong.append(WrongLine(line, "prefix", f"{rate.prefix} stands on line {lines[rate.prefix]} already"))
            continue
        lines[rate.prefix] = line
        rates.append(rate)
    return rates, wrong


def _rate(cells: Sequence[str]) -> tuple[list[tuple[str, str]], Rate | None]:
    """All that is wrong with a line's cells, as column and why; or nothing, and its rate."""
    problems: list[tuple[str, str]] = []
    found: list[str | int] = []
    for column, cell in zip(HEADER, cells, strict=True):
        try:
            if column == "prefix":
                found.append(_prefix(cell))
            elif column.endswith("Seconds"):
                found.append(_seconds(cell, 1 if column == "stepSeconds" else 0))
            else:
                found.append(_price(cell))
        except _Wrong as why:
            problems.append((column, str(why)))
    return (problems, None) if problems else ([], Rate(*found))  # type: ignore[arg-type]


def _prefix(cell: str) -> str:
    """The beginning of numbers, without a plus. Raises _Wrong."""
    if not cell or cell == "*":
        raise _Wrong(f"{_shown(cell)} stands for every number; give the beginnings of numbers, such as 380")
    if not _PREFIX.fullmatch(cell):
        raise _Wrong(f"{_shown(cell)} is not the beginning of a number in international format, such as 380")
    return cell.removeprefix("+")


def _seconds(cell: str, least: int) -> int:
    """Whole seconds, from `least` to MOST_SECONDS. Raises _Wrong."""
    if _FRACTION.fullmatch(cell):
        raise _Wrong(f"{_shown(cell)} is a fraction; seconds are whole")
    if not (_WHOLE.fullmatch(cell) and least <= int(cell) <= MOST_SECONDS):
        raise _Wrong(f"{_shown(cell)} is not a whole number from {least} to {MOST_SECONDS}")
    return int(cell)


def _price(cell: str) -> int:
    """A price in millionths, by its digits: it never is a float. Raises _Wrong."""
    if _NEGATIVE.fullmatch(cell):
        raise _Wrong(f"{_shown(cell)} is negative")
    if "," in cell and _PRICE.fullmatch(cell.replace(",", ".", 1)):
        raise _Wrong(f"{_shown(cell)} has a comma; a price has a point, as in 0.35")
    found = _PRICE.fullmatch(cell)
    if found is None:
        raise _Wrong(f"{_shown(cell)} is not a price, such as 0.35")
    price = to_amount(cell)
    if price is None:
        raise _Wrong(f"{_shown(cell)} has {len(found[1].rstrip('0'))} decimals; at most {DECIMALS} can be")
    if price > MOST_PRICE:
        raise _Wrong(f"{_shown(cell)} is more than {as_text(MOST_PRICE)}")
    return price


def _shown(cell: str) -> str:
    """A cell for a sentence. What a terminal must not be given is made plain where the sentence is printed."""
    return f'"{cell if len(cell) <= MOST_SHOWN else f"{cell[:MOST_SHOWN]}…"}"'
