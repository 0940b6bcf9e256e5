"""What log lines say of failures, and the names by which a line is found: docs/troubleshooting.md has them all.

`mid`, `attempt` (of the call), `webhook_id` and `account` are fields of each line that is about one, so that one filter
tells a message's whole story. The functions' logger is that of the service, `speechcall`, so it is the parent of the
package's own: their lines have the same form, and what comes in `extra` is next to the message in each.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from speechcall.shared.rules.unforeseen import told

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Fields = Mapping[str, object]


@contextmanager
def log_failures(logger: "logging.Logger | Logger", **fields: object) -> Iterator[None]:
    """Logs what an invocation was about when it raises, and lets it: Lambda's own line of the error does not say so."""
    try:
        yield
    except Exception as error:
        logger.error("an invocation failed", extra={**fields, **failure_fields(error)})
        raise


def failure_fields(error: Exception) -> Fields:
    """An error for the log, without its text, which may hold a customer's: its kind, its first cause, where it was.

    The first cause has AWS's own code, of which an error in between need not know.
    """
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    because = {"cause": told(cause)} if cause is not error else {}
    return {"error": told(error), **because, "stack": "".join(traceback.format_tb(error.__traceback__))}
