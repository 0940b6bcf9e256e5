"""The function that carries out what was cancelled is asked to begin at once; its own clock asks it each minute."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

CLIENT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
"""Once, and not for long: without it the work begins a minute later."""

logger = logging.getLogger(__name__)


class StopWorker:
    """Asks for the function without waiting for it."""

    def __init__(self, client: "Callable[[], LambdaClient]", function: str) -> None:
        self._client, self._function = client, function

    def wake(self) -> None:
        """Never raises: the job is written, and the next minute's run finds it."""
        try:
            self._client().invoke(FunctionName=self._function, InvocationType="Event", Payload=b"{}")
        except Exception as error:  # noqa: BLE001 - what was cancelled is cancelled already
            logger.warning("what was cancelled is carried out within a minute only: %s", type(error).__name__)
