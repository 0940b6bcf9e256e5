"""A function that a callee will wait for is made ready while the phone rings.

Its first invocation would otherwise load the code and open its connections when somebody has just answered.
"""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.config import Config

from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.shared.rules.errors import RetryableError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

WARM = {"warm": True}
"""The event of such an invocation."""
CLIENT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
"""Once, and not for long: without it the call continues as well."""

logger = logging.getLogger(__name__)


class Warming:
    """Asks for a function to be made ready, without waiting for it; the dial that it belongs to has been made."""

    def __init__(self, client: "Callable[[], LambdaClient]", function: str) -> None:
        self._client, self._function = client, function

    def __call__(self) -> None:
        """Invokes the function, without waiting until it has run. Never raises."""
        try:
            self._client().invoke(
                FunctionName=self._function, InvocationType="Event", Payload=json.dumps(WARM).encode()
            )
        except Exception as error:  # noqa: BLE001 - the phone rings already: the call continues without it
            logger.warning("a function could not be made ready: %s", type(error).__name__)


def make_ready(calls: CallStore, engine: Engine) -> None:
    """Opens the connections of a function that is made ready, by a request to each service. Changes nothing."""
    with suppress(RetryableError):
        calls.get("0", 0)
    with suppress(RetryableError):
        engine.succeed("nobody-waits-with-this-token", {"event": "", "key": "", "seq": 0})
