"""What a campaign counts of a call: which menus were asked, how each was left, and how long a key took."""

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import was_cut_short
from speechcall.campaigns.rules.funnel import HUNG_UP, INTERRUPTED, Heard, Visit
from speechcall.menus.rules.call_log import KEY, PROMPT_ERROR, Entry, ThenKind


def heard_in(call: Call) -> Heard:
    """From its log. A call of a release that kept none counts as a call, and its menus are not known.

    A menu is asked from the entry on that has decided it. The one that was asked last and left no entry was left by the
    end of the call: by the callee, or by ours.
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
