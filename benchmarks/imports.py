"""How long a function's module takes to import, against `import boto3` and the clients that it makes.

Each in new processes, in turn, by the least CPU time: what is above it tells what else the machine was at. What
Lambda adds (download, sandbox, less CPU) is not in it. `make bench`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.length import in_short
from local.cloud.simulated_providers import parameters_of
from local.cloud.template import read_template
from speechcall.telephony.provider import ProviderName, provider

ROOT = Path(__file__).parent.parent
ROUNDS = in_short(7, 1)
DEFAULT = ProviderName.CONNECT
FUNCTIONS = (
    ("MessagelistFunction", DEFAULT, ("dynamodb",), 1.4),
    *(
        (function, name, ("dynamodb", "stepfunctions"), 1.2)
        for name in ProviderName
        for function in (provider(name).listener, "ControlCallFunction")
    ),
)
"""With the stack's provider, the clients of the floor, and the aim for the ratio."""

_TIMED = "import time; begin = time.process_time()\n{}\nprint(time.process_time() - begin)"


def main() -> None:
    """Print the least import time of each function, of its floor, and their ratio."""
    print(f"\nImport of a function, ms of CPU time (least of {ROUNDS} new processes, in turn with the floor)")
    print(f"{'function':<32}{'ours':>8}{'floor':>8}{'ratio':>8}")
    for function, name, services, aim in FUNCTIONS:
        spec = read_template(ROOT / "template.yaml", parameters_of(name)).functions[function]
        clients = "; ".join(f"boto3.client({service!r})" for service in services)
        sources = [
            f"import runpy; runpy.run_path({json.dumps(str(spec.code_dir / 'app.py'))})",
            f"import boto3; {clients}",
        ]
        times: list[list[float]] = [[], []]
        for turn in range(ROUNDS + 1):
            for source, found in zip(sources, times, strict=True):
                seconds = _run(_TIMED.format(source), spec.environment)
                if turn:  # the first one compiles
                    found.append(seconds)
        ours, floor = (min(found) * 1000 for found in times)
        label = function if name is DEFAULT else f"{function} ({name})"
        print(f"{label:<32}{ours:>8.0f}{floor:>8.0f}{ours / floor:>8.2f}   (aim: at most {aim})")


def _run(code: str, environment: dict[str, str]) -> float:
    aws = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    variables = {**os.environ, **environment, **aws}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # byte code is shipped, so it is measured
    output = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    return float(output.stdout.split()[-1])


if __name__ == "__main__":
    main()
