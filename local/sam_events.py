"""`sam local invoke` with the files of events/, each answer read: SAM's exit status is 0 whatever happens.

`python -m local.sam_events [FILE…]`: those files, or all of them (some seconds each: SAM makes the function's image
anew every time). The laptop cloud is the functions' AWS meanwhile.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.artifact import NotBuiltError
from local.cloud import Cloud, CloudSettings
from local.event_files import EVENT_FILES, EVENTS, EventFile
from local.functions import FunctionError
from local.runtime.answers import read_answer
from local.runtime.emulator import RuntimeMissingError
from local.runtime.sam_local import ROOT, SAM, options, sam_environment
from local.template import Template

INVOKE_SECONDS = 300


def invoke(template: Template, file: EventFile) -> Any:
    """What the function answers to the event. Raises FunctionError if it fails, or answers nothing."""
    command = [str(SAM), "local", "invoke", file.function, "--event", str(EVENTS / file.path), *options(template)]
    run = subprocess.run(
        command, cwd=ROOT, env=sam_environment(), capture_output=True, timeout=INVOKE_SECONDS, check=False
    )
    # Only the answer is on standard output; the function's own log lines are on the other.
    lines = run.stdout.strip().splitlines()
    if not lines:
        raise FunctionError("Runtime.NoAnswer", run.stderr.decode("utf-8", "replace")[-1000:])
    return read_answer(200, lines[-1])


def main(wanted: list[str]) -> int:
    """Print each file with its answer; 1 if one is not sensible."""
    files = [file for file in EVENT_FILES if not wanted or file.path in wanted]
    wrong = 0
    try:
        with Cloud(CloudSettings(functions="sam", warm=False)) as cloud, ThreadPoolExecutor(2) as pool:
            answers = [(file, pool.submit(invoke, cloud.template, file)) for file in files]
            for file, pending in answers:
                try:
                    answer = pending.result()
                    is_sensible = file.is_sensible(answer)
                except FunctionError as error:
                    answer, is_sensible = str(error), False
                wrong += not is_sensible
                shown = json.dumps(answer, ensure_ascii=False)[:100]
                print(f"{'ok   ' if is_sensible else 'WRONG'} {file.path} → {file.function}: {shown}", flush=True)
    except (NotBuiltError, RuntimeMissingError) as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{len(files) - wrong} of {len(files)} events have a sensible answer")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
