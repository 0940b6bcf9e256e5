"""What a call has of a menu, without its actions."""

from typing import NamedTuple


class Ask(NamedTuple):
    """What the telephony needs to ask a menu: the prompt's URI, its length, seconds to wait.

    `repeats`: how often it is asked again in silence, then with the prompt at `repeat_uri`.
    """

    prompt_uri: str
    prompt_seconds: float
    idle_seconds: int
    wait_seconds: int
    """Of the state machine, for all of it."""
    repeats: int = 0
    repeat_uri: str = ""
    repeat_seconds: float = 0.0

    def prompt(self, repeat: int) -> tuple[str, float]:
        """What is played, and for how long: 0 is the first time, then come the repeats."""
        return (self.repeat_uri, self.repeat_seconds) if repeat else (self.prompt_uri, self.prompt_seconds)
