"""Where the handlers' log lines go: to one stream of our choice, never between the lines of the terminal.

A Lambda's log is its standard output. Here all functions share one process, so what they write to `sys.stdout` is told
apart by thread: `print` (Powertools' metrics use it) inside an invocation, and every Powertools Logger made while a
function is loaded, write to the log; everything else in the process keeps the terminal.
"""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from aws_lambda_powertools.logging.formatter import THREAD_LOCAL_KEYS
from aws_lambda_powertools.logging.lambda_context import build_lambda_context_model

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_in_handler: ContextVar[bool] = ContextVar("in_handler", default=False)


class _Log(io.TextIOBase):
    """The functions' log. It outlives every cloud, as the loggers do that hold it; `target` changes."""

    target: TextIO | None = None

    def write(self, text: str) -> int:
        target = self.target
        if target is not None:
            # A terminal that shows it must not obey what a stranger's text holds.
            target.write(_COMMANDS.sub(lambda found: f"\\x{ord(found[0]):02x}", text))
        return len(text)

    def flush(self) -> None:
        target = self.target
        if target is not None:
            target.flush()


class _Router(io.TextIOBase):
    """Stands in for `sys.stdout`: the log inside an invocation, what was there before outside of one."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        return (LOG if _in_handler.get() else self._terminal).write(text)

    def flush(self) -> None:
        (LOG if _in_handler.get() else self._terminal).flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)


LOG = _Log()


@contextmanager
def logging_to(target: TextIO | None) -> Iterator[None]:
    """Within it, handlers' output goes to `target`; None throws it away."""
    before, terminal = LOG.target, sys.stdout
    router = _Router(terminal)
    LOG.target = target
    sys.stdout = router
    try:
        yield
    finally:
        LOG.target = before
        if sys.stdout is router:
            sys.stdout = terminal


@contextmanager
def as_a_function(context: Any) -> Iterator[None]:
    """Within it, this thread runs a function's code: its output is the log's, and its log lines name this invocation.

    A Powertools Logger keeps what `inject_lambda_context` tells it for all threads, which is right where a process is
    one function. What it is told for this thread comes before that.
    """
    in_handler = _in_handler.set(True)
    fields = THREAD_LOCAL_KEYS.set(dict(vars(build_lambda_context_model(context))))
    try:
        yield
    finally:
        THREAD_LOCAL_KEYS.reset(fields)
        _in_handler.reset(in_handler)


@contextmanager
def loading() -> Iterator[None]:
    """Within it, a Logger that is made takes the log for its standard output, for good."""
    terminal = sys.stdout
    sys.stdout = LOG
    try:
        yield
    finally:
        sys.stdout = terminal
