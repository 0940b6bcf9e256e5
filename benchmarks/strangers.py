"""What a request without valid credentials costs in CPU, against the least that it could cost, and of DynamoDB.

The floor is a function of the same kind that answers 401 at once: Powertools' context for log lines, the count of
refusals, the answer's JSON.
"""

import base64
import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

from aws_lambda_powertools import Logger

from benchmarks import acceptance
from benchmarks.length import in_short
from speechcall.accounts.use_cases.accounts import with_checksum
from speechcall.api.adapters.http_answers import answer_problem
from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.errors import Unauthorized

AIM = 1.2
REPEATS = in_short(300, 1)


def strangers() -> dict[str, dict[str, str]]:
    """The headers of each kind."""
    replaced = f"shop:{with_checksum('b' * 22)}"
    mistyped = with_checksum("a" * 32)[:-1] + "_"
    return {
        "no credentials": {},
        "not Basic": {"authorization": "Bearer abc"},
        "no base64": {"authorization": "Basic !!!"},
        "a mistyped key": {"x-authorization-key": mistyped},
        "a replaced password, again": {"authorization": "Basic " + base64.b64encode(replaced.encode()).decode()},
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
        print(f"{'credentials':<26}{'ours, us':>10}{'floor, us':>11}{'ratio':>8}{'DynamoDB':>10}")
        for name, headers in strangers().items():
            event = acceptance.example(1)
            event["headers"] = {
                key: value for key, value in event["headers"].items() if key != "authorization"
            } | headers
            refused(app.handler, event)  # the first time of a wrong password is looked up
            asked.clear()
            ours, floor = acceptance.measure(
                lambda event=event: refused(app.handler, event, REPEATS),
                lambda event=event: refused(FLOOR, event, REPEATS),
            )
            micro = 1e6 / REPEATS
            print(f"{name:<26}{ours * micro:>10.1f}{floor * micro:>11.1f}{ours / floor:>8.2f}{len(asked):>10}")
        print(f"(aims: at most {AIM}; no request)")


def refused(handler: Callable[[Any, Any], Any], event: dict[str, Any], times: int = 1) -> None:
    """Have a request answered 401 so often; a RuntimeError if it is not."""
    with redirect_stdout(io.StringIO()):
        for _ in range(times):
            answer = handler(event, acceptance.Context())
    if answer["statusCode"] != 401:
        raise RuntimeError(answer["body"])


_logger = Logger()


@_logger.inject_lambda_context
def _floor(event: dict[str, Any], context: Any) -> dict[str, Any]:
    error = Unauthorized("The user name, password or key is wrong.")
    count("RequestsRefused", code=error.code)
    return answer_problem(error)


FLOOR: Callable[[Any, Any], Any] = _floor

if __name__ == "__main__":
    main()
