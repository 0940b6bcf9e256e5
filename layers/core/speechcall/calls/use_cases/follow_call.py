"""The telephony's side of the conversation: what it heard, and what it is to do next.

      telephony              call item                  control_call
          │── key 1, seq 2 ─────►│                           │  (its task waits with token 2)
          │                      │  entry 2: key 1, then ask menu 1
          │     SendTaskSuccess(token 2, key 1)              │
          │◄─ ask menu 1, seq 3 ─│                           │
          │  plays, listens      │◄── seq 3, ask menu 1 ─────│  the machine comes to the same, later
          │── key 2, seq 3 ─────►│
          │                      │  entry 3: key 2, then the end
          │     SendTaskSuccess(token 3, key 2)              │
          │◄─ hold ──────────────│◄── seq 4, hang up ────────│
          │── next, seq 3 ──────►│
          │◄─ hang up, seq 4 ────│

A key may lead to a lookup: then a receiver decides which menu follows, and the callee hears a sound meanwhile. What it
has answered is written behind the key's entry, by `ask_receiver`; when the time for it is over, by whatever comes next:

          │── key 3, seq 3 ─────►│  entry 3: key 3, then a lookup
          │◄─ wait ──────────────│◄── decided: paid, menu 2 ─│  its state asks the receiver
          │── next, seq 3 ──────►│
          │◄─ ask menu 2, seq 4 ─│◄── seq 4, ask menu 2 ─────│

The first entry for a question counts, whatever is reported later: a repeat is told what that entry says. Each report
tells the waiting task again what is in the log for it, so that a SendTaskSuccess that failed costs nothing.

A provider that numbers its events may bring a second one while the first is still being answered. What
each reports counts; but only the latest is told what to do next, the others to continue as they are.
"""

from contextlib import suppress

from speechcall.calls.rules.call import Call
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.use_cases.follow_by_mailbox import MAILBOX_SECONDS, follow_by_mailbox
from speechcall.calls.use_cases.give_reply import tell_task
from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.calls.use_cases.report import HANG_UP, Next, Op, Report, told_again, told_by_log
from speechcall.menus.rules.call_log import ANSWERED, TIMED_OUT, Entry
from speechcall.shared.rules.errors import EngineUnavailable
from speechcall.shared.use_cases.clock import Clock


def follow_call(
    report: Report,
    *,
    calls: CallStore,
    engine: Engine,
    clock: Clock,
    patience_seconds: float = MAILBOX_SECONDS,
) -> Next:
    """Takes in what was heard and returns what to do next. A key takes three requests and no wait: a read, a write,
    SendTaskSuccess. Sensitive digits, numbered events and lookups whose time is over may take more.

    `patience_seconds`: only for a call without a log, which waits for its machine. Safe to repeat. A contact whose call
    is unknown, has ended, or belongs to another contact is told to hang up, whatever it reports. Raises
    StoreUnavailable; Step Functions in trouble is tried again, with the next report.
    """
    call, after = calls.get(report.mid, report.attempt), max(1, report.heard.seq)
    if _has_no_call(call, report):
        return HANG_UP
    again = None
    if call and call.goes_by_log:
        again = told_again(call, report.heard, clock.now_msec())
        call = _log_report(call, report, calls, clock, is_heard=again is None)
        if call is None or _has_no_call(call, report):
            return HANG_UP
    if call and (until := call.waits_until(after)) is not None and clock.now_msec() >= until:
        # Whatever has become of the state machine, the callee waits no longer.
        decided = call.would_decide(after, clock.now_msec(), error=TIMED_OUT)
        call = calls.decide(call.mid, call.attempt, decided) if decided else call
        if _has_no_call(call, report):
            return HANG_UP
    if call is None or not call.goes_by_log:
        return follow_by_mailbox(
            call, report, calls=calls, engine=engine, clock=clock, patience_seconds=patience_seconds
        )
    reply = call.known_reply
    if reply:
        with suppress(EngineUnavailable):  # then the next report, the menu's timeout or the call's end tells it
            tell_task(reply, call.ticket.token, engine)
    if call.turn > report.turn > 0:
        return Next(Op.GO_ON, after)
    step = told_by_log(call, after, clock.now_msec())
    if again and step.op is Op.HOLD and call.entry(after) is None:
        return again
    if step.lost:
        calls.set_stop_reason(report.mid, report.attempt, "lost")
    return step


def _has_no_call(call: Call | None, report: Report) -> bool:
    """Whether the contact of a report has no call (any more): it is gone, over, or has another contact. The first one
    that answers may be unknown to the call.
    """
    if call is None or is_over(call):
        return True
    own = (None, report.contact_id) if report.heard.event == ANSWERED else (report.contact_id,)
    return call.contact_id not in own


def _with_digits(entry: Entry, digits: str | None, call: Call, calls: CallStore) -> Entry:
    """The entry with what was entered (None: nothing); sensitive digits leave this function only sealed."""
    asked = call.asks[entry.menu or 0].input
    if digits is None or asked is None or not asked.sensitive:
        return entry._replace(digits=digits)
    return entry._replace(sealed=calls.seal_digits(call.mid, digits))


def _log_report(call: Call, report: Report, calls: CallStore, clock: Clock, *, is_heard: bool) -> Call | None:
    """Adds what was heard to the call's log, and notes the event's turn; the call as it is then. None: it is gone.

    `is_heard`: False where the question is asked again after silence; then no entry is added, the turn is noted alone.

    Where the log has another entry in this place already, that one stays. Entry and turn are one write: the end of a
    call waits for the turns before its own, and finds their entries.
    """
    now, written = clock.now_msec(), False
    heard, contact_id, turn = report.heard, report.contact_id, report.turn
    reply = heard.reply(call) if is_heard else None
    entry = call.would_log(reply.seq, reply.event, reply.key, now) if reply else None
    if entry and entry.menu is not None and entry.key in call.asks[entry.menu].keeps:
        entry = _with_digits(entry, heard.digits(call), call, calls)
    if entry and entry.event == ANSWERED and heard.began_msec is not None:
        entry = entry._replace(waited_msec=max(0, now - heard.began_msec))
    found: Call | None = call
    if entry:
        written, found = calls.append(call.mid, call.attempt, contact_id, entry, turn)
    return calls.take_turn(call.mid, call.attempt, contact_id, turn) if turn and not written else found
