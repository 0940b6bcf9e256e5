"""What one fuzz target is: a function of bytes that raises when a promise is broken."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
"""Inputs that were worth keeping, a folder for each target: what found a fault once, and what leads far in."""

One = Callable[[bytes], None]


@dataclass(frozen=True)
class Target:
    """`one` is handed a fuzzer's bytes. It raises nothing but what is a finding."""

    name: str
    one: One
    seeds: Callable[[], list[bytes]]
    """What the fuzzer begins with, beside the corpus: real files, requests and events."""
    most_bytes: int = 4096
    most_seconds: float = 3.0
    """Of processor time, for one input; instrumented code takes several times as long as it does otherwise."""
    words: tuple[str, ...] = ()
    """What chance would not find: a dictionary."""
    libraries: tuple[str, ...] = ()
    """Whose code is fuzzed as well as ours."""

    def __call__(self, data: bytes) -> None:
        began = time.process_time()
        self.one(data)
        took = time.process_time() - began
        if took > self.most_seconds:
            raise TooSlowError(f"{len(data)} bytes took {took:.1f} s")


def corpus_of(target: Target) -> list[bytes]:
    """The seeds of a target, and what is kept of it."""
    return [*target.seeds(), *(path.read_bytes() for path in sorted((CORPUS / target.name).glob("*")))]


class TooSlowError(AssertionError):
    """An input took longer than its target allows."""


def holds(condition: object, what: str) -> None:
    """A promise; `assert` would be gone under -O."""
    if not condition:
        raise AssertionError(what)
