"""Schedules of the template: `rate(1 minute)` and its kin."""

import re
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.cloud.account import ACCOUNT, PARTITION, REGION
from local.cloud.intrinsics import TemplateError
from local.cloud.template import EventSpec, FunctionSpec

_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class ScheduleTrigger:
    """Invokes one function right after the start, and then at each interval."""

    def __init__(
        self,
        function: FunctionSpec,
        event: EventSpec,
        submit: Callable[[str, Any], None],
        interval: float | None = None,
    ) -> None:
        """`submit` invokes asynchronously; `interval` seconds take the place of the template's rate."""
        self._function = function
        self._rule = f"{function.logical_id}{event.name}"
        self._submit = submit
        self._interval = interval or rate_seconds(event.properties["Schedule"])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"schedule-{self._rule}", daemon=True)

    def start(self) -> None:
        """Begin with one tick at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop ticking."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._submit(self._function.arn, self._event())
            self._stopping.wait(self._interval)

    def _event(self) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:rule/{self._rule}"],
            "detail": {},
        }


def rate_seconds(schedule: str) -> float:
    """The seconds of a `rate(N unit)`; a TemplateError for anything else."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if match is None or int(match[1]) == 0:
        raise TemplateError(f"the schedule {schedule} is not known to the laptop cloud: rate(…) is")
    return float(int(match[1]) * _UNIT_SECONDS[match[2]])
