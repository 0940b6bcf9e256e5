"""`python -m local.tools.testbed`: the laptop cloud for another process's tests, by lines of JSON.

In, one a line: `{"number": "+380…", "steps": [["answer"], ["press", "1"]]}` says what the callee of a number does in
the next call; several for one number are for one call each. Out: `{"ready": {…}}` when everything runs, then
`{"taken": "+380…"}` for each of these lines. The end of the input ends the cloud.

`--receiver HOST:PORT:TLSPORT`: where all webhooks go, and what gives every introduction that is a URL. Both ports are
plain HTTP; which one is asked tells the URL's scheme.
"""

import argparse
import json
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings
from local.network.shared import scripted_callees as scripts
from local.network.shared.scripted_callees import Script, Step
from speechcall.telephony.provider import ProviderName

PARAMETERS = {"Lines": "50", "CallsPerSecond": "50"}
NO_ANSWER_SECONDS = 2.0
"""A phone that nobody has scripted rings no longer."""
STEPS: Mapping[str, Callable[..., Step]] = {
    "answer": scripts.answer,
    "press": scripts.press,
    "stay_silent": scripts.stay_silent,
    "hang_up": scripts.hang_up,
    "busy": scripts.busy,
    "no_answer": scripts.no_answer,
    "invalid_number": scripts.invalid_number,
}


class Callees:
    """Who answers at each number: what the next call to it meets."""

    def __init__(self) -> None:
        self._scripts: dict[str, deque[Script]] = defaultdict(deque)
        self._lock = threading.Lock()

    def add(self, number: str, steps: list[list[Any]]) -> None:
        """One more call to a number. Raises KeyError, TypeError for steps that are not known."""
        script = Script([STEPS[name](*given) for name, *given in steps])
        with self._lock:
            self._scripts[number].append(script)

    def at(self, number: str) -> Script:
        """Who answers there now; without a script nobody does, and the phone rings."""
        with self._lock:
            waiting = self._scripts[number]
            return waiting.popleft() if waiting else Script([scripts.no_answer()])


def serve(lines: TextIO, out: TextIO, settings: CloudSettings, callees: Callees) -> None:
    """Runs the cloud until the lines end."""

    def tell(**message: Any) -> None:
        print(json.dumps(message), file=out, flush=True)

    with Cloud(settings) as cloud:
        account = {"user": seed.USER, "password": seed.PASSWORD, "key": seed.KEY, "secret": seed.WEBHOOK_SECRET}
        tell(ready={"url": cloud.url, **account})
        for line in lines:
            given = json.loads(line)
            callees.add(given["number"], given["steps"])
            tell(taken=given["number"])


def main(arguments: list[str] | None = None) -> int:
    """Serves until standard input ends; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.tools.testbed", description=__doc__)
    parser.add_argument("--receiver", required=True, metavar="HOST:PORT:TLSPORT")
    parser.add_argument("--playback", type=float, default=20.0, help="how many times faster introductions are played")
    parser.add_argument("--telephony", choices=[name.value for name in ProviderName], default="connect")
    options = parser.parse_args(arguments)
    callees = Callees()
    carrier = {"no_answer_seconds": NO_ANSWER_SECONDS, "playback": options.playback, "caller_for": callees.at}
    settings = CloudSettings(
        telephony=ProviderName(options.telephony),
        parameters=PARAMETERS,
        carrier=carrier,
        overrides={"WEBHOOK_RECEIVER": options.receiver},
        schedule_seconds=2.0,
    )
    out, sys.stdout = sys.stdout, sys.stderr  # functions print their metrics
    serve(sys.stdin, out, settings, callees)
    return 0


if __name__ == "__main__":
    sys.exit(main())
