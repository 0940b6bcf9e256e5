"""What a call has of a menu, without its actions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ask:
    """What the telephony needs to ask a menu: the prompt's URI, its length, seconds to wait."""

    prompt_uri: str
    prompt_seconds: float
    idle_seconds: int
    wait_seconds: int
