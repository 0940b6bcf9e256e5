"""The state machine's side of a call with a log (`menus/rules/call_log.py`).

The telephony follows the log and does not wait for the machine. The machine walks through the same menus behind it, and
may be late: what was heard for its question is then in the log already, and is its answer at once.

      call item                          control_call
          │   entry 2: key 1, then ask 1      │  token 2 is told key 1; its list runs
          │   entry 3: key 2, then the end    │
          │◄── seq 3, ask menu 1, token 3 ────│  entry 3 is there: token 3 is told key 2 at once
          │◄── seq 4, hang up, token 4 ───────│

A menu that is not to be asked any more (`limit`, `silence`) is answered `limit`: that is the word which every machine
knows, also one that was published by an earlier release.
"""

from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Kind, Reply, Ticket
from speechcall.calls.use_cases.end_call import end_as_recorded
from speechcall.calls.use_cases.give_reply import tell_task
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.menus.rules.call_log import IDLE, INTERNAL_ERROR, Plan, ThenKind
from speechcall.menus.rules.walk import table_of, waits_of
from speechcall.messages.rules.message import Message
from speechcall.shared.rules.errors import StoreUnavailable, TelephonyUnavailable
from speechcall.shared.use_cases.clock import Clock
from speechcall.shared.use_cases.tasks import TaskAnswer


def plan_of(message: Message, bounds: Bounds, now_msec: int) -> Plan:
    """What decides how a call continues, fixed when it is dialled: a setting that changes meanwhile has no effect."""
    repeats = message.silent_repeats
    return Plan(
        table=table_of(message.menus),
        max_visits=bounds.max_visits,
        until_msec=now_msec + bounds.max_seconds * 1000,
        silent_repeats=bounds.silent_repeats if repeats is None else repeats,
        waits=waits_of(message.menus),
    )


def may_obey_log(call: Call, ticket: Ticket) -> bool:
    """Whether a command of this ticket is for `obey_log`: the call goes by its log, and if the command is a new one and
    no further try, the log has what was heard for the command before it.
    """
    is_next = ticket.visit > call.ticket.visit
    return call.goes_by_log and (call.log_seq >= call.seq or not is_next)


def obey_log(call: Call, command: Command, ticket: Ticket, *, calls: CallStore, engine: Engine) -> None:
    """Writes the machine's next command. `call`: just read.

    Its task is answered at once with what the log has for it, else with `ended` if the call has ended or is gone; else
    it waits for the telephony. A menu is answered `limit`, and not written, where the log says that the call ends. A
    try that a newer one has overtaken does nothing. Raises EngineUnavailable; StoreUnavailable, also if the call has
    left its log meanwhile: the next try goes by the mailbox.
    """
    if (ticket.visit, ticket.retry) < (call.ticket.visit, call.ticket.retry):
        return
    before = call.entry(call.seq) if ticket.visit != call.ticket.visit else None
    if command.kind is Kind.ASK and before and before.then.kind is ThenKind.END and not call.ended:
        calls.set_stop_reason(call.mid, call.attempt, before.then.reason or "limit")
        engine.succeed(ticket.token, heard("limit", call))
        return
    written, found = calls.advance(call.mid, call.attempt, command, ticket)
    if found and found.ticket.visit == ticket.visit:  # the command is there, by this try or another
        is_latest = found.ticket.retry <= ticket.retry
        if (reply := found.known_reply) and is_latest:
            tell_task(reply, ticket.token, engine)
            return
        if written or not is_latest:
            return
    elif found and found.ticket.visit > ticket.visit:  # the machine is further already
        return
    if found and not found.ended:
        raise StoreUnavailable("the call has left its log meanwhile")
    engine.succeed(ticket.token, heard("ended", found))


def conclude_by_log(
    call: Call, menu: int, *, calls: CallStore, engine: Engine, telephony: Telephony, clock: Clock
) -> TaskAnswer:
    """The answer to a menu whose task has run into its timeout: no report came while the machine waited.

    `call`: just read. What is in the log counts, silence too. Else the contact is looked up: if it is up, the callee
    was silent, and that is written into the log; if it has ended, so has the call. Raises TelephonyUnavailable, also
    where the menu was never asked, and what the stores raise: the machine tries again.
    """
    is_asked = call.command == Command(Kind.ASK, menu)
    if not is_asked and not call.ended:
        raise TelephonyUnavailable("the menu was never asked: none of its tries has written its command")
    if is_asked and (reply := call.known_reply):
        return _said(reply)
    if call.ended or call.contact_id is None:
        return heard("ended", call)
    contact = telephony.look_up(call.contact_id)
    found: Call | None
    if contact.ended:
        found = end_as_recorded(call, contact, Cause.CALLER_HUNG_UP, calls=calls, engine=engine, clock=clock)
    else:
        silence = call.would_log(call.seq, IDLE, "", clock.now_msec())
        found = call
        if silence:
            _, found = calls.append(call.mid, call.attempt, call.contact_id, silence)
    if found and (reply := found.known_reply):
        return _said(reply)
    return heard("ended", found)


def conclude_lookup(call: Call, seq: int, otherwise: int, *, calls: CallStore, now_msec: int) -> int:
    """Which menu follows a lookup, behind entry `seq`, that ask_receiver has failed to make: what was decided stays.

    If nothing was, it is decided now that there is no case (INTERNAL_ERROR). `call`: just read. `otherwise`: the menu
    that follows without a case; also the answer where nothing can be decided: the call has ended, or keeps no log.
    """
    decided = call.would_decide(seq, now_msec, error=INTERNAL_ERROR)
    found = (calls.decide(call.mid, call.attempt, decided) if decided else None) or call
    entry = found.entry(seq)
    return entry.decided.target if entry and entry.decided else otherwise


def heard(event: str, call: Call | None) -> TaskAnswer:
    """What a task is told that no telephony has said: `ended`, `limit`, … `call` None: there is none, and no seq."""
    return {"event": event, "key": "", "seq": call.seq if call else 0}


def _said(reply: Reply) -> TaskAnswer:
    return {"event": reply.event, "key": reply.key, "seq": reply.seq}
