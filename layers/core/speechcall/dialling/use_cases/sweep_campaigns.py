"""Repairs what an acceptance that was cut off has left counted in a campaign."""

import logging
from collections.abc import Callable

from speechcall.campaigns.use_cases.campaign_ports import AcceptingLists
from speechcall.messages.use_cases.message_ports import MessageStore
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

WRITTEN_WITHIN_SECONDS = 300
"""In which the messages of a list are written, or never are without a repeat: a request has 30 s."""
PAGE = 50


def withdraw_lists(
    *, lists: AcceptingLists, messages: MessageStore, clock: Clock, count: Callable[[str, int], object]
) -> None:
    """A list of a campaign that has been counted for five minutes is confirmed, or withdrawn if it has no messages.

    Its messages are written together, so the first of them says whether they are there. `count` (metric, number) tells
    how many were withdrawn. What goes wrong with one list is logged.

    messagelist   counted ──► (cut off)                                  or: counted ──► messages written ──► (cut off)
    sweeper            five minutes later: no message ──► withdrawn          the first message is there ──► confirmed
    """
    withdrawn = 0
    for accepting in lists.accepting(clock.now_msec() - WRITTEN_WITHIN_SECONDS * 1000, PAGE):
        fields = {"messagelist_id": accepting.list_id, "account": accepting.account_id}
        try:
            if messages.get(accepting.first_mid) is not None:
                lists.confirm_list(accepting.list_id, accepting.account_id, accepting.campaign)
            else:
                withdrawn += lists.withdraw(accepting, clock.now_msec())
        except RetryableError as error:
            logger.warning("list %s could not be repaired now: %s", accepting.list_id, error, extra=fields)
        except Exception:
            logger.exception("list %s could not be repaired", accepting.list_id, extra=fields)
    count("ListsWithdrawn", withdrawn)
