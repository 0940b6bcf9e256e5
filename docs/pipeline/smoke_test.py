"""One call through a deployed stack whose telephony is simulated: sent, answered, 1 pressed, its webhook attempted.

    SPEECHCALL_KEY=… python smoke_test.py STACK_OR_URL [WEBHOOK_URL]

Needs nothing but Python and, for a stack's name, the AWS CLI. Exit status: 0, or 1 with what was wrong.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

NUMBER = "+4930123401"
"""A number that ends in 01: its simulated callee answers, and presses 1."""
PATIENCE_SECONDS = 180
STEP_SECONDS = 2.0


class Failed(Exception):
    """The stack did not do what it should; the text says what."""


def main(arguments: list[str]) -> int:
    """Runs the test; the exit status."""
    if not 1 <= len(arguments) <= 2 or not os.environ.get("SPEECHCALL_KEY"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        url = arguments[0] if "://" in arguments[0] else url_of(arguments[0])
        told = smoke_test(url.rstrip("/"), os.environ["SPEECHCALL_KEY"], *arguments[1:])
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    print(told)
    return 0


def url_of(stack: str) -> str:
    """The API of a stack."""
    query = "Stacks[0].Outputs[?OutputKey=='ApiUrl'].OutputValue"
    command = ["aws", "cloudformation", "describe-stacks", "--stack-name", stack, "--query", query, "--output", "text"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def smoke_test(url: str, key: str, webhook: str = "https://example.com/smoke-test") -> str:
    """Sends a message and waits for its end. What happened, in a sentence. Raises Failed, OSError."""
    health = ask(f"{url}/health", key)
    if health.get("status") != "ok":
        raise Failed(f"/health answers {health}")
    menu = {
        "say": {"text": "This is a test. Press one.", "language": "en-GB"},
        "idleTimeoutMsec": 5000,
        "dtmfActions": {
            "d1": [{"action": "webhook", "url": webhook, "body": {"smoke": True}}, {"action": "hangup"}],
            "wrong": [{"action": "hangup"}],
        },
    }
    message = {"from": "Smoke", "to": NUMBER, "text": "smoke test", "type": "speechcall", "menu": [menu]}
    (answer,) = ask(f"{url}/bat/messagelist?strict=true", key, {"messages": [message]})["messages"]
    if answer["status"] != "sent":
        raise Failed(f"the message was not accepted: {answer}")
    begun = time.monotonic()
    while True:
        status = ask(f"{url}/bat/message/{answer['messageId']}", key)["call"]
        if status["state"] == "finished":
            break
        if time.monotonic() > begun + PATIENCE_SECONDS:
            raise Failed(f"after {PATIENCE_SECONDS} s the message is {status['state']}: {status}")
        time.sleep(STEP_SECONDS)
    heard = [step["heard"] for step in status["path"]]
    hooks = [hook["state"] for hook in status["webhooks"]]
    if status["outcome"] != "answered" or heard != ["d1"] or len(hooks) != 1:
        raise Failed(f"the call went otherwise: {status}")
    seconds = time.monotonic() - begun
    return f"{health['version']} at {url}: answered, 1 pressed, webhook {hooks[0]}, after {seconds:.0f} s."


def ask(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer of the API. Raises Failed, OSError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"X-Authorization-Key": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise Failed(f"{error.code} of {url}: {error.read(2000).decode(errors='replace')}") from error
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
