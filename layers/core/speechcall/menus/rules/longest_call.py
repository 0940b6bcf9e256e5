"""How long a call through menus can be up at most, for who has to pay for it."""

from collections.abc import Sequence

from speechcall.menus.rules.call_log import HOLD_SECONDS
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.menu_report import longest_walk, lookup_seconds
from speechcall.menus.rules.walk import CallLimits
from speechcall.shared.rules.time_bounds import HANG_UP_SECONDS


def longest_call_seconds(menus: Sequence[Menu], waits: Sequence[int], limits: CallLimits) -> int:
    """The seconds from the answer to the end. `waits`: the seconds that the state machine waits in each menu (`Ask`).

    It is the longest way through the menus, each taking all the time that it may, and its longest lookup. No menu
    begins after `limits.seconds`, so it is those and one more menu at most. Behind it the telephony may hold, and the
    end takes its time.
    """
    way, _ = longest_walk(menus, waits, limits.visits)
    last = max((wait + lookup_seconds(menu) for wait, menu in zip(waits, menus, strict=True)), default=0)
    return min(way, limits.seconds + last) + HOLD_SECONDS + HANG_UP_SECONDS
