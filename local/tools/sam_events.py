"""`sam local invoke` with the files of events/, each answer read: SAM's exit status is 0 whatever happens.

`python -m local.tools.sam_events [FILE…]`: those files, or all of them. A laptop cloud is the
functions' AWS meanwhile, one for each provider.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.cloud.artifact import NotBuiltError
from local.cloud.event_files import EVENTS, EventFile
from local.cloud.laptop_cloud import Cloud, CloudSettings
from local.cloud.runtime.answers import TIMED_OUT, read_answer
from local.cloud.runtime.emulator import RuntimeMissingError
from local.cloud.runtime.sam_local import ROOT, SAM, options, sam_environment
from local.cloud.simulated_providers import simulated
from local.network.shared.invoker import FunctionError
from speechcall.telephony.provider import ProviderName

INVOKE_SECONDS = 300
TRIES = 3
"""SAM counts a cold start as time of the function, which Lambda does not: on a busy machine 8 s may not be enough."""

COLLECTIONS = tuple((name, simulated(name).event_files) for name in ProviderName)


def invoke(file: EventFile, given: Sequence[str]) -> Any:
    """What the function answers to the event. In: SAM's options. Raises FunctionError if it fails or says nothing."""
    command = [str(SAM), "local", "invoke", file.function, "--event", str(EVENTS / file.path), *given]
    for _ in range(TRIES):
        run = subprocess.run(
            command, cwd=ROOT, env=sam_environment(), capture_output=True, timeout=INVOKE_SECONDS, check=False
        )
        # Only the answer is on standard output; the function's own log lines are on the other.
        if lines := run.stdout.strip().splitlines():
            return read_answer(200, lines[-1])
        if b"timed out after" not in run.stderr:
            raise FunctionError("Runtime.NoAnswer", run.stderr.decode("utf-8", "replace")[-1000:])
    raise FunctionError(TIMED_OUT, f"{TRIES} cold starts, each longer than the function's timeout")


def main(wanted: list[str]) -> int:
    """Print each file with its answer; 1 if one is not sensible, or if there is none of that name."""
    known = {file.path for _, files in COLLECTIONS for file in files}
    if unknown := sorted(set(wanted) - known):
        print(f"events/ has no {', '.join(unknown)}; it has {', '.join(sorted(known))}", file=sys.stderr)
        return 1
    told: list[bool] = []
    try:
        for telephony, collection in COLLECTIONS:
            files = [file for file in collection if not wanted or file.path in wanted]
            if files:
                with Cloud(CloudSettings(telephony=telephony, functions="sam", warm=False)) as cloud:
                    told += _ask(files, options(cloud.template))
    except (NotBuiltError, RuntimeMissingError) as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{sum(told)} of {len(told)} events have a sensible answer")
    return 0 if all(told) else 1


def _ask(files: list[EventFile], given: Sequence[str]) -> list[bool]:
    """Each file's answer, printed; whether it is sensible."""
    told = []
    with ThreadPoolExecutor(2) as pool:
        for file, pending in [(file, pool.submit(invoke, file, given)) for file in files]:
            is_sensible, answer = file.judge(pending.result)
            told.append(is_sensible)
            shown = json.dumps(answer, ensure_ascii=False)[: 100 if is_sensible else None]
            print(f"{'ok   ' if is_sensible else 'WRONG'} {file.path} → {file.function}: {shown}", flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
