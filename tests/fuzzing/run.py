"""`python -m tests.fuzzing.run MODULE TARGET FOLDER LIBRARIES …libFuzzer's options`: one target, in .venv-atheris.

Imported instrumented: the product, and the libraries (by commas) that take strangers' bytes apart for it there.
"""

import json
import logging
import os
import resource
import sys
import traceback
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import atheris

from tests.fuzzing.target import corpus_of

MOST_MB = 3000
"""How much memory one target may take beyond the most that was used before: libFuzzer goes by the process's peak, and
on Linux a process begins with that of the one that started it (a test run of an hour has used gigabytes).
"""


class Judge:
    """Runs a target. An input that breaks it is kept in the folder, one for each way to break, and fuzzing goes on."""

    def __init__(self, target: Any, folder: Path) -> None:
        self._target, self._folder = target, folder
        self._told = folder / "findings.json"
        self._found: dict[str, str] = json.loads(self._told.read_text(encoding="utf-8")) if self._told.exists() else {}

    def __call__(self, data: bytes) -> None:
        try:
            self._target(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            reason = _reason(error)
            if reason not in self._found:
                kept = self._folder / f"finding-{sha256(data).hexdigest()[:16]}"
                kept.write_bytes(data)
                self._found[reason] = kept.name
                self._told.write_text(json.dumps(self._found), encoding="utf-8")


def _reason(error: Exception) -> str:
    """The exception and the places in the product and its libraries that it came through, as one line."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "tests/fuzzing/target.py" not in one.filename]
    ours = [f"{Path(one.filename).name}:{one.lineno}" for one in frames[1:] if "site-packages" not in one.filename]
    said = str(error) if isinstance(error, AssertionError) else ""
    # Numbers and names in a sentence differ from input to input.
    words = " ".join(word for word in said.split()[:12] if word.isalpha())
    return f"{type(error).__name__}: {words or frames[-1].name} ({' '.join(ours[-3:])})"


def main(module: str, name: str, folder: Path, libraries: str, options: list[str]) -> None:
    """Fuzz until the options' time is up. What is found lies in FOLDER."""
    with atheris.instrument_imports(include=["speechcall", *filter(None, libraries.split(","))]):
        targets = import_module(module).TARGETS
    (target,) = (target for target in targets if target.name == name)
    seeds, made = folder / "seeds", folder / "corpus"
    for place in (seeds, made):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(corpus_of(target)):
        (seeds / f"{number:03}").write_bytes(seed)
    given = [
        f"-max_len={target.most_bytes}",
        f"-artifact_prefix={folder}/",
        "-timeout=60",
        f"-rss_limit_mb={MOST_MB + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}",
        *options,
    ]
    if target.words:
        words = folder / "words"
        words.write_text("".join(f'"{_quoted(word)}"\n' for word in target.words), encoding="ascii")
        given.append(f"-dict={words}")
    logging.disable(logging.CRITICAL)
    # What the product and its libraries print about odd input; libFuzzer writes to the descriptor itself.
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    atheris.Setup([sys.argv[0], *given, str(made), str(seeds)], Judge(target, folder))
    atheris.Fuzz()


def _quoted(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], sys.argv[5:])
