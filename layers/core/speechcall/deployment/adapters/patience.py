"""Questions to AWS by a role that was made a moment ago."""

import time
from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import ClientError

PAUSES_SECONDS = (3.0, 6.0)
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})

Question = Callable[[], str | None]
"""What is wrong, in words; None if nothing is. Raises ClientError."""


def answers(questions: Iterable[Question], on_failure: Callable[[Exception], None]) -> Iterator[str]:
    """What the questions find wrong. One that raises finds nothing, and `on_failure` is told its error.

    A new role is not known everywhere at once, so a question that is denied is asked three times, after the others.
    """
    left = list(questions)
    denied: list[tuple[Question, Exception]] = []
    for pause in (0.0, *PAUSES_SECONDS):
        time.sleep(pause)
        denied = []
        for question in left:
            try:
                wrong = question()
            except Exception as error:  # noqa: BLE001  whatever it is, the other questions are still asked
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in DENIED:
                    denied.append((question, error))
                else:
                    on_failure(error)
            else:
                if wrong:
                    yield wrong
        left = [question for question, _ in denied]
        if not left:
            return
    for _, denial in denied:
        on_failure(denial)
