"""What a trial found: for eyes, for programs, and as a JUnit file for what runs builds."""

import re
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, ElementTree, SubElement

from cli.receiver.trial import Finding, Verdict

SOON_SECONDS = 2.0
"""docs/webhooks.md asks for an answer within so long, if it can be."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines_of(found: Sequence[Finding], requests: int, slowest: float) -> list[str]:
    """The report, line by line. `slowest`: seconds of the slowest answer."""
    lines = []
    for one in found:
        lines.append(f"{one.verdict.value:<11} {one.name:<18} {one.rule}")
        lines += [f"{'':12}{'':18} {seen}" for seen in one.seen]
    count = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    faults = count[Verdict.FAULT]
    told = f"{faults} fault{'' if faults == 1 else 's'}" if faults else "no fault"
    left = f", {count[Verdict.NOT_JUDGED]} not judged" if count[Verdict.NOT_JUDGED] else ""
    lines.append(f"{told} in {len(found)} cases{left}; {requests} requests, the slowest answer took {slowest:.2f} s")
    if slowest > SOON_SECONDS:
        lines.append(f"answer within {SOON_SECONDS:g} s if you can: keep the webhook first, and work on it later")
    return lines


def rows_of(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """The report for programs."""
    return [
        {
            "case": one.name,
            "rule": one.rule,
            "verdict": one.verdict.value,
            "seen": list(one.seen),
            "seconds": round(one.seconds, 3),
        }
        for one in found
    ]


def junit_of(found: Sequence[Finding]) -> "ElementTree[Element]":
    """The report in the form of JUnit: a case that was not judged is skipped."""
    suite = Element(
        "testsuite",
        name="speechcall receiver",
        tests=str(len(found)),
        failures=str(sum(one.verdict is Verdict.FAULT for one in found)),
        errors="0",
        skipped=str(sum(one.verdict is Verdict.NOT_JUDGED for one in found)),
        time=f"{sum(one.seconds for one in found):.3f}",
    )
    for one in found:
        case = SubElement(suite, "testcase", classname="receiver", name=one.name, time=f"{one.seconds:.3f}")
        if one.verdict is not Verdict.OK:
            kind = "failure" if one.verdict is Verdict.FAULT else "skipped"
            text = _NOT_XML.sub("?", "; ".join(one.seen))
            SubElement(case, kind, message=text).text = f"{one.rule}: {text}" if kind == "failure" else None
    return ElementTree(suite)
