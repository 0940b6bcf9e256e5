"""What a campaign counts of a call: which menus were asked, how each was left, and how long a key took."""

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import was_cut_short
from speechcall.campaigns.rules.funnel import HUNG_UP, INTERRUPTED, Heard, Visit
from speechcall.menus.rules.call_log import KEY, PROMPT_ERROR, Entry, ThenKind


def heard_in(call: Call) -> Heard:
    """What a campaign counts of a call, from its log. A call of a release that kept no log counts without its menus.

    The time of a menu begins with the entry, or the lookup's decision, that led to it. A menu that was asked and left
    no entry was left by the end of the call: the callee's end, or ours.
    """
    visits: list[Visit] = []
    decided_msec = 0
    for entry in call.log:
        if entry.menu is not None:
            visits.append(Visit(entry.menu, _left_by(entry, call), max(entry.at_msec - decided_msec, 0)))
        decided_msec = entry.decided_msec
    if call.log and call.log[-1].then.kind is ThenKind.ASK:
        hung_up = call.cause is Cause.CALLER_HUNG_UP
        visits.append(Visit(call.log[-1].then.menu or 0, HUNG_UP if hung_up else INTERRUPTED))
    return Heard(call.answered_msec is not None, tuple(visits))


def _left_by(entry: Entry, call: Call) -> str:
    if entry.event == PROMPT_ERROR:
        return HUNG_UP if was_cut_short(call) else INTERRUPTED
    return entry.key if entry.event == KEY else entry.event
