"""`python -m local.tools.fuzz [short]`: the laptop cloud, and Schemathesis against it; 0 if all is as documented."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings
from local.network.shared.scripted_callees import Script, busy
from local.tools.openapi import NUMBER, PLACEHOLDER, SPEC, describe
from speechcall.requests.adapters import shapes_store as shapes

CONFIG = Path(__file__).with_name("schemathesis.toml")
_WITHOUT_COVERAGE = '\n[[operations]]\ninclude-operation-id = "{}"\nphases.coverage.enabled = false\n'
MORE_CONFIG = {
    "full": "",
    # Their bodies are those of sendMessages.
    "short": "".join(map(_WITHOUT_COVERAGE.format, ("checkMessages", "beginRehearsal"))),
}
LEAST_CASES = {"full": 2000, "short": 300}
LEAST_ACCEPTED = {"full": 300, "short": 50}
EXAMPLES = {"full": 300, "short": 10}
# The calls of what is accepted share the machine with the requests.
CALLS_PER_SECOND = {"full": "100", "short": "5"}
PHASES = {"full": "examples,coverage,fuzzing,stateful", "short": "examples,coverage,fuzzing"}

Counts = Counter[tuple[str, int]]


def main(size: str) -> int:
    """Run it; print what was answered and what is wrong."""
    began = time.monotonic()
    # Every body has menus of its own, and the limit on their shapes has tests of its own.
    vars(shapes)["NEW_SHAPES_PER_DAY"] = 1_000_000
    callers = {"caller_for": lambda _number: Script([busy()]), "playback": 100.0}
    settings = CloudSettings(parameters={"Lines": "300", "CallsPerSecond": CALLS_PER_SECOND[size]}, carrier=callers)
    with Cloud(settings) as cloud, tempfile.TemporaryDirectory() as folder:
        counts_file = Path(folder) / "counts.json"
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "local.tools.fuzz.hooks",
            "FUZZ_COUNTS": str(counts_file),
            "FUZZ_IDS": json.dumps(_first_ids(cloud.url)),
        }
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(_smaller(describe())), encoding="utf-8")
        config = Path(folder) / "schemathesis.toml"
        config.write_text(CONFIG.read_text(encoding="utf-8") + MORE_CONFIG[size], encoding="utf-8")
        command = _command(cloud.url, size, document, config)
        status = subprocess.run(command, env=environment, check=False, cwd=folder).returncode
        rows = json.loads(counts_file.read_text(encoding="utf-8")) if counts_file.exists() else []
        failures = [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"]
    counts: Counts = Counter({(label, code): count for label, code, count in rows})
    wrong = [f"Schemathesis ended with {status}"] if status else []
    wrong += _shortcomings(counts, size)
    wrong += [f"{entry['function']} failed: {entry['error']}: {entry['message']}" for entry in failures]
    _print(counts, time.monotonic() - began)
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


def _smaller(document: dict[str, Any]) -> dict[str, Any]:
    """The description with small bounds on what is sent: most of the time would go into making long lists.

    What is larger, and what is too large, is tested in tests/integration/test_http_contract.py.
    """
    schemas = document["components"]["schemas"]
    for name in ("Messagelist", "RehearsedList"):
        schemas[name]["properties"]["messages"]["maxItems"] = 3
    message, menu = schemas["Message"]["properties"], schemas["Menu"]["properties"]
    for menus in (message["menu"], *(schemas[one]["properties"]["menus"] for one in ("Messagelist", "RehearsedList"))):
        menus["maxItems"] = 3
    message["vars"]["anyOf"][0]["maxProperties"] = 1
    message["text"]["maxLength"] = 20
    menu["dtmfActions"]["maxProperties"] = 4
    menu["dtmfActions"]["additionalProperties"]["maxItems"] = 3
    menu["introUrl"]["anyOf"][0]["maxLength"] = schemas["Webhook"]["properties"]["url"]["maxLength"] = 100
    schemas["Webhook"]["properties"]["headers"]["anyOf"][0]["maxProperties"] = 3
    return document


def _command(url: str, size: str, document: Path, config: Path) -> list[str]:
    program = Path(sys.executable).with_name("schemathesis")
    options = {
        "--url": url,
        "--auth": f"{seed.USER}:{seed.PASSWORD}",
        "--phases": PHASES[size],
        "--workers": "2",
        "--max-examples": str(EXAMPLES[size]),
        "--generation-database": "none",
        "--request-timeout": "30",
        "--suppress-health-check": "all",
        "--warnings": "off",
    }
    return [
        *(str(program), "--config-file", str(config), "--no-color", "run", str(document)),
        *(part for option in options.items() for part in option),
        "--continue-on-failure",
    ]


def _first_ids(url: str) -> Mapping[str, list[str]]:
    """The ids of two messages that are sent before anything else."""
    body = (SPEC / "curl.json").read_text(encoding="utf-8").replace(PLACEHOLDER, NUMBER)
    sent = [httpx.post(f"{url}/bat/messagelist", content=body, auth=(seed.USER, seed.PASSWORD)).json() for _ in "12"]
    return {
        "messageId": [answer["messages"][0]["messageId"] for answer in sent],
        "messagelistId": [answer["messagelistId"] for answer in sent],
    }


def _shortcomings(counts: Counts, size: str) -> list[str]:
    accepted = sum(count for (_, code), count in counts.items() if code == 200)
    failed = sum(count for (_, code), count in counts.items() if code >= 500)
    found = []
    if counts.total() < LEAST_CASES[size]:
        found.append(f"{counts.total()} cases; at least {LEAST_CASES[size]} were wanted")
    if accepted < LEAST_ACCEPTED[size]:
        found.append(f"{accepted} were answered 200; at least {LEAST_ACCEPTED[size]} were wanted")
    if failed:
        found.append(f"{failed} were answered 5xx")
    return found


def _print(counts: Counts, seconds: float) -> None:
    codes = sorted({code for _, code in counts})
    print(f"\n{'':<40}" + "".join(f"{code:>7}" for code in codes))
    for label in sorted({label for label, _ in counts}):
        print(f"{label:<40}" + "".join(f"{counts[label, code] or '':>7}" for code in codes))
    print(f"{counts.total()} cases in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main("short" if sys.argv[1:] == ["short"] else "full"))
