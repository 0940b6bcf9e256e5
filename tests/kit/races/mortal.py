"""A function that is killed at any of its requests to AWS, and what happens meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NEVER = 10**9


class Killed(BaseException):
    """The function was killed in this moment."""


@dataclass
class Script:
    """What happens to one run: at which of its requests (from 1), and what."""

    kill_at: int = NEVER
    kills_before: bool = False
    """The request is not made; otherwise it is the last thing that is done."""
    meanwhile_at: int = NEVER
    meanwhile: Callable[[], object] = lambda: None
    done: int = 0

    def step(self, work: Callable[[], Any]) -> Any:
        self.done += 1
        if self.done == self.meanwhile_at:
            self.meanwhile()
        is_last = self.done == self.kill_at
        if is_last and self.kills_before:
            raise Killed
        try:
            return work()
        finally:
            if is_last:
                raise Killed


class Mortal:
    """A client of AWS, every request of which is a step."""

    def __init__(self, client: Any, script: Script) -> None:
        self._client, self._script = client, script

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda **given: self._script.step(lambda: method(**given))
