"""`make numbering`: writes what the rules of numbers need of libphonenumber's metadata, as two modules of constants.

They are next to numbering.py, which loads them with the first number. To import the library itself costs a cold start
of `messagelist` some 25 ms (docs/decisions.md).
"""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumberDesc,
    PhoneNumberType,
    is_number_type_geographical,
)
from phonenumbers.tzdata import TIMEZONE_DATA

from speechcall.requests.rules import numbering
from speechcall.requests.rules.numbering import LINES, MOBILES, Plan, Range

FOLDER = Path(numbering.__file__).parent
KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    LINES,
    MOBILES,
)
"""In the order in which libphonenumber asks whether a number is one."""

_ABOUT = """\"\"\"{about}

Written by `make numbering`, from the metadata of libphonenumber (phonenumbers {version}): Copyright (C) The
Libphonenumber Authors, Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0
\"\"\"

"""

_RANGE = "tuple[str, tuple[int, ...]]"
_PLANS = f"dict[int, tuple[tuple[str, str, {_RANGE}, tuple[tuple[str, {_RANGE}], ...]], ...]]"


def plans_text() -> str:
    """The module of the numbering plans, one plan a line."""
    lines = [_about("The numbering plans under each country code, the main one first: numbering.py's Plan.")]
    lines.append(f"PLANS: {_PLANS} = {{\n")
    for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        lines.append(f"    {code}: (\n")
        lines += [f"        {_plain(plan)!r},\n" for plan in _plans(code, regions)]
        lines.append("    ),\n")
    return "".join([*lines, "}\n"])


def zones_text() -> str:
    """The module of the time zones, one set of zones a line."""
    lines = [_about("The time zones of numbers: under each country code, zones with the beginnings of their numbers.")]
    local = [code for code in COUNTRY_CODE_TO_REGION_CODE if is_number_type_geographical(PhoneNumberType.MOBILE, code)]
    lines.append(f"LOCAL_MOBILES = {tuple(sorted(local))!r}\n")
    lines.append('"""Country codes whose mobile numbers tell where they are from."""\n\n')
    lines.append("ZONES: dict[int, tuple[tuple[tuple[str, ...], str], ...]] = {\n")
    by_code: dict[int, dict[tuple[str, ...], list[str]]] = {code: {} for code in sorted(COUNTRY_CODE_TO_REGION_CODE)}
    for prefix, zones in sorted(TIMEZONE_DATA.items()):
        code = next(int(prefix[:n]) for n in (1, 2, 3) if int(prefix[:n]) in by_code)
        by_code[code].setdefault(zones, []).append(prefix)
    for code, found in by_code.items():
        lines.append(f"    {code}: (\n")
        lines += [f"        ({zones!r}, {' '.join(prefixes)!r}),\n" for zones, prefixes in found.items()]
        lines.append("    ),\n")
    return "".join([*lines, "}\n"])


def main() -> None:
    """Write both modules."""
    for name, text in (("numbering_plans", plans_text()), ("numbering_zones", zones_text())):
        path = FOLDER / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text) / 1000:.0f} KB")


def _about(about: str) -> str:
    return _ABOUT.format(about=about, version=version("phonenumbers"))


def _plans(code: int, regions: tuple[str, ...]) -> Iterator[Plan]:
    for region in regions:
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        if metadata is None or metadata.general_desc is None:
            raise ValueError(f"no plan of {region}")
        kinds = {kind: found for kind in KINDS if (found := _range(getattr(metadata, kind)))}
        if metadata.same_mobile_and_fixed_line_pattern:
            kinds.pop(MOBILES, None)  # libphonenumber does not ask twice
        general = _range(metadata.general_desc)
        if general is None:
            raise ValueError(f"no numbers in the plan of {region}")
        # Of a country that has its code for itself, libphonenumber does not ask for the leading digits.
        leading = metadata.leading_digits if len(regions) > 1 else None
        yield Plan(leading or "", metadata.national_prefix or "", general, tuple(kinds.items()))


def _range(desc: PhoneNumberDesc | None) -> Range | None:
    if desc is None or not desc.national_number_pattern:
        return None
    return Range(desc.national_number_pattern, tuple(desc.possible_length))


def _plain(plan: Plan) -> tuple[object, ...]:
    """Without the names, which would be calls: constants are read with the byte code."""
    return (plan.leading, plan.trunk, tuple(plan.general), tuple((kind, tuple(found)) for kind, found in plan.kinds))


if __name__ == "__main__":
    main()
