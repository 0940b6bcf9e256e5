"""An AWS client that is made when it is first needed: Connect's takes longer to make than most imports."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

Made = TypeVar("Made")


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """What `make` makes, made at the first call; also for threads, which share a process on the laptop."""
    lock, made = Lock(), list[Made]()

    def get() -> Made:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
