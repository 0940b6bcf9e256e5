"""What a call has of a menu, without its actions."""

from typing import NamedTuple


class Ask(NamedTuple):
    """What the telephony needs to ask a menu: the prompt's URI, its length, seconds to wait."""

    prompt_uri: str
    prompt_seconds: float
    idle_seconds: int
    wait_seconds: int
