"""The fuzz targets of tests/fuzzing: every kept input holds, and under atheris no new one is found that does not."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzzing.__main__ import PYTHON, fuzz
from tests.fuzzing.catalogue import TARGETS
from tests.fuzzing.target import CORPUS, corpus_of

ROOT = Path(__file__).parents[2]
MOST_CORPUS_BYTES = 200 * 1024
SECONDS_OF_EACH = 2.0
CHANGED = 10


@pytest.mark.parametrize("name", TARGETS)
def test_every_kept_input_holds_and_so_does_what_is_close_to_it(name):
    """Without atheris, so on every machine: the seeds, the corpus, and a few changes of single bytes."""
    target, random = TARGETS[name], Random(name)
    kept = corpus_of(target)
    for data in kept:
        target(data)
    for _ in range(CHANGED):
        changed = bytearray(random.choice(kept) or b"\0")
        for _ in range(random.randint(1, 4)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        target(bytes(changed))


def test_the_corpus_is_small_and_belongs_to_targets():
    folders = [path for path in CORPUS.iterdir() if path.is_dir()]
    assert {folder.name for folder in folders} <= set(TARGETS)
    assert sum(path.stat().st_size for folder in folders for path in folder.iterdir()) < MOST_CORPUS_BYTES


@pytest.fixture(scope="module")
def atheris() -> None:
    if sys.platform != "linux":
        pytest.skip("atheris has wheels for Linux alone")
    made = subprocess.run([str(ROOT / "bin/install"), "atheris"], capture_output=True, text=True, check=False, cwd=ROOT)
    tried = [str(PYTHON), "-c", "import atheris"]
    if made.returncode or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip(f"atheris cannot be had for this Python, or on this machine: {(made.stdout + made.stderr)[-200:]}")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("atheris")
@pytest.mark.parametrize("name", TARGETS)
def test_a_short_while_of_fuzzing_finds_nothing(name, tmp_path):
    row = fuzz(name, SECONDS_OF_EACH, tmp_path)
    assert row.broken == ""
    assert row.findings == {}  # each with the input that shows it
    assert row.executions > 0
