"""How long promises take to prove: the search must be linear in menus × keys × states, and short.

The floor is the import of the function that proves, in a new process: what a first invocation costs before it does
anything. `make bench`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.length import in_short
from local.cloud.simulated_providers import parameters_of
from local.cloud.template import read_template
from speechcall.menus.rules.menu import KEYS, WRONG, GotoMenu, Menu, Webhook
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.menus.rules.prove import prove
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.telephony.provider import ProviderName

ROOT = Path(__file__).parent.parent
ROUNDS = in_short(5, 1)
MENUS = in_short((5, 10, 20), (2, 4))
KEYS_OF_A_MENU = in_short((3, 6, 12), (3,))
VISITS = in_short((50, 100, 200), (10,))
HOOK = Webhook("https://api.example.com/answer")
PROMISES: tuple[dict[str, Any], ...] = (
    {"never": {"webhook": "*/confirmed", "by": "wrong"}},
    {"never": {"both": ["*/answer", "*/confirmed"]}},
    {"always": {"key": "d9", "in": "every menu", "leadsTo": {"webhook": "*/answer"}}},
    {"always": {"menus": "<= 500"}},
    {"always": {"callSeconds": "<= 1500"}},
)
"""Kept or not, each is looked at to the end, or nearly."""
_IMPORT = "import runpy, time; begin = time.process_time(); runpy.run_path({!r}); print(time.process_time() - begin)"


def main() -> None:
    """Print what 20 menus take, against the floor; and the time of a state by menus, keys and visits."""
    floor = _floor()
    menus = ring(MENUS[-1], len(KEYS))
    print(f"\nProving promises about {len(menus)} menus of {len(KEYS)} keys: CPU, ms (best of {ROUNDS})")
    print(f"{'promise':<92}{'states':>8}{'ms':>8}{'ratio':>8}")
    whole = 0.0
    for given in PROMISES:
        states, seconds = _measure(menus, given, AS_DEPLOYED)
        whole += seconds
        print(f"{given!s:<92}{states:>8}{seconds * 1000:>8.1f}{seconds / floor:>8.2f}")
    print(f"{'all of them':<100}{whole * 1000:>8.1f}{whole / floor:>8.2f}   (aim: below 1, a first import)")

    print("\nTime of a state and a key, µs; ratio: to the first row's (linear: about 1)")
    print(f"{'menus':>6}{'keys':>6}{'visits':>8}{'states':>8}{'ms':>8}{'each':>8}{'ratio':>7}")
    first = 0.0
    rows = [(count, len(KEYS), 50) for count in MENUS]
    rows += [(MENUS[-1], keys, 50) for keys in KEYS_OF_A_MENU]
    rows += [(MENUS[-1], len(KEYS), visits) for visits in VISITS]
    for count, keys, visits in rows:
        limits = CallLimits(visits, seconds=10**6)
        states, seconds = _measure(ring(count, keys), {"always": {"menus": f"<= {500}"}}, limits)
        each = seconds / states / (keys + 2)
        first = first or each
        print(f"{count:>6}{keys:>6}{visits:>8}{states:>8}{seconds * 1000:>8.1f}{each * 1e6:>8.2f}{each / first:>7.2f}")


def ring(count: int, keys: int) -> tuple[Menu, ...]:
    """So many menus, each key leading to another, and silence round all of them."""
    return tuple(
        Menu(
            "intro",
            10_000,
            {
                **{key: (HOOK, GotoMenu((index * 3 + place) % count)) for place, key in enumerate(KEYS[::-1][:keys])},
                WRONG: (GotoMenu((index + 1) % count),),
            },
        )
        for index in range(count)
    )


def _measure(menus: tuple[Menu, ...], given: dict[str, Any], limits: CallLimits) -> tuple[int, float]:
    (promise,), _ = read_promises([given])
    states = prove(menus, promise.rule, limits, {"intro": 3.0}).states
    return states, _cpu(lambda: prove(menus, promise.rule, limits, {"intro": 3.0}))


def _cpu(work: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def _floor() -> float:
    """CPU seconds in which a new process has imported the function that proves."""
    parameters = parameters_of(ProviderName.CONNECT)
    spec = read_template(ROOT / "template.yaml", parameters).functions["MessagelistFunction"]
    aws = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    code, found = _IMPORT.format(str(spec.code_dir / "app.py")), []
    for _ in range(ROUNDS + 1):  # the first one compiles
        command = [sys.executable, "-c", code]
        environment = {**os.environ, **spec.environment, **aws}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.append(float(run.stdout.split()[-1]))
    return min(found[1:])


if __name__ == "__main__":
    main()
