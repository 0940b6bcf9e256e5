"""How long a call through menus can be up at most, for who has to pay for it."""

from collections.abc import Sequence

from speechcall.menus.rules.call_log import HOLD_SECONDS
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.menu_report import longest_walk
from speechcall.menus.rules.walk import CallLimits
from speechcall.shared.rules.time_bounds import HANG_UP_SECONDS


def longest_call_seconds(menus: Sequence[Menu], waits: Sequence[int], limits: CallLimits) -> int:
    """The seconds from the answer to the end. `waits`: for how many the state machine waits in each menu (`Ask`).

    The longest way through the menus, each taking all the time that it may. No menu begins after the stack's longest
    call, so it is that and one more menu at most. Behind it the telephony may hold, and the end takes its time.
    """
    way, _ = longest_walk(menus, waits, limits.visits)
    return min(way, limits.seconds + max(waits, default=0)) + HOLD_SECONDS + HANG_UP_SECONDS
