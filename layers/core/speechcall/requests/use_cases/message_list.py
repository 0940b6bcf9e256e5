"""A message list as it is stored."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from speechcall.api.rules.answers import Accepted


class MessageList(NamedTuple):
    """A stored request: who sent it, which messages it became, and the answer it was given.

    The answer without whom it is about: `recipient` and `customerMessageId` are in each repeat of the request too.
    """

    list_id: str
    account_id: str
    message_ids: tuple[str, ...]
    created_msec: int
    expires_at: int
    fingerprint: str
    answer: "Accepted"
    campaign: str = ""
    """The name under which it is counted; empty: none."""
    funnels: tuple[str, ...] = ()
    """The shapes of its menus that have a funnel of their own in the campaign. Where it is new: all its shapes."""
    status_url: str = ""
    """Where its sender is told when all its messages have ended; empty: nowhere."""
    is_simulated: bool = False
    """Its messages ring no phone."""
    erased: frozenset[str] = frozenset()
    """Those of its messages that were erased: they are not written again."""
    keep_days: int = 0
    """For so long its messages are kept after their ends; 0: a release before accepted it, and they go with it."""
