"""The first invocation of each built function under Lambda's own runtime, in a new process each time.

Compared with the floor (a handler that only creates the same boto3 clients, built the same way) and SAM's default build
of the same function (its pip builder, which leaves byte code out). All three in turn, so that a busy moment hits them
alike. Other programs make times longer, but not what a processor is used for: its ratio is shown too. What AWS adds
(download, sandbox, less CPU for less memory) is not in it: the ratios are what to look at.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from benchmarks.length import in_short
from local.cloud.artifact import built_template
from local.cloud.aws_endpoint import MOUNT
from local.cloud.laptop_cloud import Cloud
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.runtime.answers import read_answer
from local.cloud.runtime.emulator import Emulator, environment_of
from local.cloud.simulated_providers import CALLER_ID, EVENT_FILES
from local.cloud.template import FunctionSpec, Template, read_template
from local.common.http_server import HttpServer
from local.network.shared.invoker import FunctionError

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "cold"
ROUNDS = in_short(7, 1)
AIMS = {
    "MessagelistFunction": 1.4,
    "MessageStatusFunction": 1.5,
    "ConnectFlowFunction": 1.15,
    "ControlCallFunction": 1.15,
}
"""For the ratio to the floor."""
IN_SHORT = ["ControlCallFunction"]
LATE_CLIENTS = {"ControlCallFunction": ["lambda"]}
"""Clients that a function makes in the invocation itself: a dial wakes the function that will hear the callee."""


def main(wanted: list[str]) -> None:
    """Print the three medians of every function, or of those that are wanted, and their ratios."""
    wanted = wanted or in_short([], IN_SHORT)
    ours, default = built_template(), default_build(wanted)
    shutil.rmtree(WORK, ignore_errors=True)
    print(f"First invocation under Lambda's runtime, ms (median of {ROUNDS} new processes each, in turn)")
    print(
        f"{'function':<26}{'ours':>7}{'floor':>7}{'ratio':>7}{'of CPU':>8}{'SAM default':>13}{'ratio':>7}{'of CPU':>8}"
    )
    with Cloud() as cloud:
        # Connect's simulator is served here too: an endpoint for everything, as the functions have it.
        door = HttpServer(cloud.functions_aws(), name="aws")
        door.start()
        endpoint = f"{door.url}{MOUNT}"
        try:
            for name, spec in ours.functions.items():
                if wanted and name not in wanted:
                    continue
                _print_function(name, spec, default.functions[name], endpoint)
        finally:
            door.stop()


def _print_function(name: str, spec: FunctionSpec, default: FunctionSpec, endpoint: str) -> None:
    file = next(file for file in EVENT_FILES if file.function == name)
    event = json.dumps(file.load()).encode()
    variants = {"ours": spec, "floor": floor(spec), "default": default}
    times: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for _ in range(ROUNDS):
        for variant, one in variants.items():
            times[variant].append(first_invocation(one, event, endpoint, file.error))
    mine, least, other = (statistics.median(took for took, _ in times[each]) * 1000 for each in variants)
    my_cpu, least_cpu, other_cpu = (statistics.median(cpu for _, cpu in times[each]) for each in variants)
    aim = f"   (aim: at most {AIMS[name]})" if name in AIMS else ""
    ours = f"{name:<26}{mine:>7.0f}{least:>7.0f}{mine / least:>7.2f}{my_cpu / least_cpu:>8.2f}"
    print(f"{ours}{other:>13.0f}{other / mine:>7.2f}{other_cpu / my_cpu:>8.2f}{aim}", flush=True)


def first_invocation(spec: FunctionSpec, event: bytes, endpoint: str, error: str = "") -> tuple[float, float]:
    """Seconds from event to answer in a new environment, and of a processor. Raises FunctionError if it fails.

    `error`: the name of the one that is the right answer to this event; empty: none is.
    """
    environment = Emulator(spec, environment_of(spec, spec.environment, endpoint), DEVNULL)
    environment.start()
    try:
        begin, used = time.perf_counter(), environment.processor_seconds()
        answer = environment.invoke(event)
        took, used = time.perf_counter() - begin, environment.processor_seconds() - used
    finally:
        environment.stop()
    try:
        read_answer(*answer)
    except FunctionError as failure:
        if failure.error_type != error:
            raise
    return took, used


def floor(spec: FunctionSpec) -> FunctionSpec:
    """A function that makes the clients that `spec` makes, and nothing else, with the same layers there to be used."""
    services = re.findall(r'boto3\.client\("(\w+)"', (spec.code_dir / "app.py").read_text(encoding="utf-8"))
    services += LATE_CLIENTS.get(spec.logical_id, [])
    folder = WORK / f"floor-{spec.logical_id}"
    folder.mkdir(parents=True, exist_ok=True)
    clients = "\n".join(f'client_{index} = boto3.client("{service}")' for index, service in enumerate(services))
    handler = "def handler(event, context):\n    return {}\n"
    (folder / "app.py").write_text(f"import boto3\n\n{clients}\n\n\n{handler}", encoding="utf-8")
    return replace(spec, code_dir=folder)


def default_build(wanted: list[str]) -> Template:
    """The same application as SAM builds it when it is told nothing else; of one function, where one is wanted."""
    folder = ROOT / "build" / "sam-default"
    source = folder / "source.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    text = text.replace("BuildMethod: makefile", "BuildMethod: python3.13")
    source.write_text(text.replace("TemplateURL: ", f"TemplateURL: {ROOT}/"), encoding="utf-8")
    python = subprocess.run(["bin/find-python"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    environment = {
        **os.environ,
        "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command: list[Any] = [ROOT / ".venv-sam/bin/sam", "build", "--template", source, "--base-dir", ROOT]
    only = wanted if len(wanted) == 1 else []
    subprocess.run(
        [*command, "--build-dir", folder / "built", *only], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    return read_template(folder / "built/template.yaml", {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})


if __name__ == "__main__":
    main(sys.argv[1:])
