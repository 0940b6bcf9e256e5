"""The garbage collector while a function starts: off in an environment of Lambda, on from its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAITED_FOR = ("connect_flow", "control_call", "chime_events", "messagelist", "finish_call")
IMPORT = "from speechcall.shared.adapters.start import started"
PROBE = """
import gc
from speechcall.shared.adapters.start import started
before, frozen = gc.isenabled(), gc.get_freeze_count()  # Python 3.12 begins with some that are frozen
started()
print(before, gc.isenabled(), gc.get_freeze_count() > frozen)
"""


@pytest.mark.parametrize(
    ("variables", "told"),
    [({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, "False True True"), ({}, "True True False")],
)
def test_nothing_is_collected_until_a_function_has_started(variables, told):
    environment = {**os.environ, **variables}
    run = subprocess.run([sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == told


def test_what_somebody_waits_for_begins_so_and_whoever_begins_so_ends_it():
    sources = {path.parent.name: path.read_text(encoding="utf-8") for path in (ROOT / "functions").glob("*/app.py")}
    begun = {name for name, source in sources.items() if IMPORT in source}
    assert begun >= set(WAITED_FOR)
    for name in begun:
        first = sources[name].index("import ")
        assert sources[name].index(IMPORT) < first, name
        assert "\nstarted()\n\n\n@" in sources[name], name
