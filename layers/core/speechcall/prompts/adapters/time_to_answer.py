"""How long a file may be decoded for, where somebody waits for the answer.

An HTTP API answers 503 by itself when a function has taken 30 s (API Gateway quotas, HTTP API, integration timeout: not
adjustable), and what was uploaded would be lost without a word.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.use_cases.make_audio import Decoded

AFTER_SECONDS = 9.0
"""For all that comes behind the decoding: levelling, S3, DynamoDB, with a second try of one of them."""
LEAST_SECONDS = 0.1


class Context(Protocol):
    """What is needed of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


_context: ContextVar[Context] = ContextVar("context")


@contextmanager
def answering(context: Context) -> Iterator[None]:
    """Within it, Lambda's context says how much time there is; on a laptop several requests share a process."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)


def decode_in_time(content: bytes) -> Decoded:
    """`decode_audio`, ended early enough for the function to answer. Raises PromptUnavailable."""
    left = _context.get().get_remaining_time_in_millis() / 1000 - AFTER_SECONDS
    return decode_audio(content, max(left, LEAST_SECONDS))
