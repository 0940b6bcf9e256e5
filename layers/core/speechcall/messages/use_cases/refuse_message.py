"""The end of a message that waits and will not be dialled, and the line of the log that says so."""

import logging

from speechcall.messages.rules.attempts import best_outcome
from speechcall.messages.rules.message import Message
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.shared.rules.outcome import Outcome

logger = logging.getLogger(__name__)


def refuse_message(
    message: Message, outcome: Outcome, cause: str | None, now_msec: int, *, messages: MessageStore
) -> bool:
    """preparing or queued → finished, from the state in which it was read. False: it has left that state meanwhile.

    `cause`: a text that says more of why; None: there is none. One that was answered in a call before stays answered.
    """
    outcome = best_outcome(message, outcome)
    refused = messages.refuse(message, outcome, cause, now_msec)
    if refused:
        fields = {"mid": message.mid, "account": message.account_id}
        logger.info("message finished", extra={**fields, "outcome": outcome.outcome, "reason": outcome.reason})
    return refused
