"""What a request without valid credentials costs in CPU, against the least that it could cost, and of DynamoDB.

The floor is a function of the same kind that answers 401 at once: Powertools' context for log lines, the count of
refusals, the answer's JSON. It reads nothing of the request, so all looking at credentials is above it.

Short blocks of both in turn, each pair in the other order than the one before; the ratio is the median of the pairs'.
So a machine that has other work to do changes both sides of a pair. What is told as its scatter is how far the medians
of eight parts of the run are apart, halved.
"""

import base64
import gc
import io
import os
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from itertools import count as count_from
from typing import Any

from aws_lambda_powertools import Logger

from benchmarks import acceptance
from benchmarks.length import in_short
from speechcall.accounts.use_cases.accounts import KEY_HEADER, with_checksum
from speechcall.api.adapters.http_answers import answer_problem
from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.errors import Unauthorized

AIM = 1.2
REPEATS = in_short(25, 1)
PARTS = 8
PAIRS = in_short(50, 1)
"""In each part."""

Handler = Callable[[Any, Any], Any]


def strangers() -> dict[str, Callable[[], dict[str, str]]]:
    """The headers of each kind, for one request."""
    replaced = f"shop:{with_checksum('b' * 22)}"
    mistyped, numbers = with_checksum("a" * 32), count_from(0)
    return {
        "no credentials": dict,
        "not Basic": lambda: {"authorization": "Bearer abc"},
        "no base64": lambda: {"authorization": "Basic !!!"},
        "a mistyped key, again": lambda: {KEY_HEADER: mistyped.replace("aaa", "aab", 1)},
        "a mistyped key, another": lambda: {KEY_HEADER: mistyped.replace("aaaaaaaaa", f"{next(numbers):09}", 1)},
        "a replaced password, again": lambda: {
            "authorization": "Basic " + base64.b64encode(replaced.encode()).decode()
        },
    }


def main() -> None:
    """Print CPU, floor and ratio for each kind, and the requests to DynamoDB."""
    with acceptance.canned_dynamodb() as endpoint:
        os.environ.update(acceptance.environment(endpoint))
        acceptance.store()
        app = acceptance.load_function()
        asked: list[str] = []
        app.dynamodb.meta.events.register("before-send.dynamodb", lambda **_: asked.append("request"))
        print("\nCPU of a request without valid credentials (in turn with the floor)")
        print(f"{'credentials':<26}{'ours, us':>10}{'floor, us':>11}{'ratio':>8}{'scatter':>9}{'DynamoDB':>10}")
        for name, headers in strangers().items():
            parts = []
            asked.clear()
            for _ in range(PARTS):
                known = len(asked)
                # The first time in ten seconds, a wrong password is looked up.
                refused(app.handler, requests(headers, 1))
                del asked[known:]
                parts.append(pairs(app.handler, headers))
            ours, floor = (statistics.median(pair[side] for part in parts for pair in part) for side in (0, 1))
            ratio = statistics.median(mine / least for part in parts for mine, least in part)
            medians = [statistics.median(mine / least for mine, least in part) for part in parts]
            scatter = (max(medians) - min(medians)) / 2
            print(f"{name:<26}{ours:>10.1f}{floor:>11.1f}{ratio:>8.2f}{scatter:>9.3f}{len(asked):>10}")
        print(f"(aims: at most {AIM}; no request)")


def pairs(handler: Handler, headers: Callable[[], dict[str, str]]) -> list[tuple[float, float]]:
    """CPU microseconds of one request, of `handler` and of the floor next to it."""
    found = []
    gc.collect()
    gc.disable()  # else some pairs would pay for what all have left
    try:
        for turn in range(PAIRS):
            events = requests(headers, REPEATS)
            if turn % 2:
                floor, ours = cpu(FLOOR, events), cpu(handler, events)
            else:
                ours, floor = cpu(handler, events), cpu(FLOOR, events)
            found.append((ours, floor))
    finally:
        gc.enable()
    return found


def requests(headers: Callable[[], dict[str, str]], times: int) -> list[dict[str, Any]]:
    """Events of the gateway, none of which shares its headers with another."""
    event = acceptance.example(1)
    others = {name: value for name, value in event["headers"].items() if name != "authorization"}
    return [{**event, "headers": {**others, **headers()}} for _ in range(times)]


def cpu(handler: Handler, events: list[dict[str, Any]]) -> float:
    begin = time.process_time_ns()
    refused(handler, events)
    return (time.process_time_ns() - begin) / len(events) / 1000


def refused(handler: Handler, events: list[dict[str, Any]]) -> None:
    """Have requests answered 401; a RuntimeError if the last is not."""
    with redirect_stdout(io.StringIO()):
        for event in events:
            answer = handler(event, acceptance.Context())
    if answer["statusCode"] != 401:
        raise RuntimeError(answer["body"])


_logger = Logger()


@_logger.inject_lambda_context
def _floor(event: dict[str, Any], context: Any) -> dict[str, Any]:
    error = Unauthorized("The user name, password or key is wrong.")
    count("RequestsRefused", code=error.code)
    return answer_problem(error)


FLOOR: Handler = _floor

if __name__ == "__main__":
    main()
