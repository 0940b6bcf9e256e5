"""`make fuzz-bytes`: every target for a while under atheris, and a table of what was run, reached and found.

    python -m tests.fuzzing [--seconds N] [--folder FOLDER] [TARGET …]

The inputs that broke a target are kept in the folder, one for each way to break it. The status is 1 if there is one.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzzing.catalogue import MODULES, TARGETS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-atheris/bin/python"
CRASHES = ("crash-*", "timeout-*", "oom-*", "leak-*")
"""What libFuzzer keeps when it ends the process; an exception does not end it."""
MOST_STARTS = 20


@dataclass
class Row:
    """What became of one target."""

    name: str
    executions: int = 0
    coverage: int = 0
    features: int = 0
    kept: int = 0
    seconds: float = 0.0
    findings: dict[str, Path] = field(default_factory=dict)
    """By what was said of it: the input."""
    broken: str = ""
    """Why it could not be run at all."""


def fuzz(name: str, seconds: float, folder: Path) -> Row:
    """One target for so long."""
    row, began, starts = Row(name), time.monotonic(), 0
    while (left := seconds - row.seconds) >= 1 and starts < MOST_STARTS:
        starts += 1
        what = [MODULES[name], name, str(folder), ",".join(TARGETS[name].libraries)]
        limits = [f"-max_total_time={max(1, round(left))}", f"-seed={starts}", "-print_final_stats=1"]
        done = subprocess.run(
            [str(PYTHON), "-m", "tests.fuzzing.run", *what, *limits],
            cwd=ROOT,
            check=False,
            capture_output=True,
            timeout=left + 300,
        )
        said = done.stderr.decode(errors="replace")
        row.seconds = time.monotonic() - began
        if not (states := re.findall(r"#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)", said)):
            row.broken = said[-2000:]
            break
        row.executions += int(states[-1][0])
        for attribute, number in (("coverage", 1), ("features", 2), ("kept", 3)):
            setattr(row, attribute, max(getattr(row, attribute), *(int(state[number]) for state in states)))
        if done.returncode == 0:
            break
        crashes = {path for pattern in CRASHES for path in folder.glob(pattern)} - set(row.findings.values())
        if not crashes:
            row.broken = said[-2000:]
            break
        last = re.findall(r"ERROR: .*|SUMMARY: .*", said)
        row.findings[f"{starts}: {last[0] if last else said[-200:]}"] = crashes.pop()
    told = folder / "findings.json"
    found = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    row.findings |= {reason: folder / name for reason, name in found.items()}
    return row


def main() -> int:
    """Run the targets; print the table; 1 if there is a finding."""
    parser = argparse.ArgumentParser(prog="make fuzz-bytes")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each target")
    parser.add_argument("--folder", type=Path, help="where findings and the corpus are left")
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    given = parser.parse_args()
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    print(
        f"{'target':<16}{'executions':>12}{'a second':>10}{'coverage':>10}{'features':>10}{'kept':>7}{'findings':>10}"
    )
    rows = []
    for name in given.targets or TARGETS:
        row = fuzz(name, given.seconds, folder / name)
        rows.append(row)
        speed = round(row.executions / row.seconds) if row.seconds else 0
        told = (
            f"{row.executions:>12}{speed:>10}{row.coverage:>10}{row.features:>10}{row.kept:>7}{len(row.findings):>10}"
        )
        print(f"{name:<16}{told}", flush=True)
        for reason, path in row.findings.items():
            print(f"    WRONG: {reason}\n           {path}", flush=True)
        if row.broken:
            print(f"    WRONG: it did not run: {row.broken}", flush=True)
    seconds, executions = sum(row.seconds for row in rows), sum(row.executions for row in rows)
    print(f"{executions} executions in {seconds:.0f} s; inputs in {folder}")
    return int(any(row.findings or row.broken for row in rows))


if __name__ == "__main__":
    sys.exit(main())
