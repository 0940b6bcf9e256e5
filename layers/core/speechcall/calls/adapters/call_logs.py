"""One call attempt's item, and the log in it: what was heard, and how the state machine comes to it."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from speechcall.calls.adapters.call_items import dump_command, dump_decided, dump_entry, load_call
from speechcall.calls.adapters.dialled_calls import EXISTS, NOT_ENDED
from speechcall.calls.adapters.ended_calls import EndedCalls
from speechcall.calls.rules.call import Call, Command, Ticket
from speechcall.menus.rules.call_log import PROMPT_ERROR, Decided, Entry
from speechcall.shared.adapters.keys import call_key
from speechcall.shared.adapters.table import ConditionFailed, read_item

if TYPE_CHECKING:
    from speechcall.webhooks.adapters.seal import KmsSeal


class CallLogs(EndedCalls):
    """The part of a `CallStore` that keeps the log."""

    def get(self, mid: str, attempt: int) -> Call | None:
        item = read_item(self._client, self._table, call_key(mid, attempt))
        return load_call(item) if item else None

    def seal_digits(self, mid: str, digits: str) -> str:
        """Sensitive digits as they may be stored. Raises StoreUnavailable when KMS cannot be asked now."""
        return self._seal.seal(mid, digits)

    @cached_property
    def _seal(self) -> "KmsSeal":
        from speechcall.webhooks.adapters.seal import digits_seal  # noqa: PLC0415, few menus have sensitive digits

        return digits_seal(self._digits_key)

    def append(self, mid: str, attempt: int, contact_id: str, entry: Entry, turn: int = 0) -> tuple[bool, Call | None]:
        """Adds an entry to the log behind its predecessor; whether this very entry was written, and the call as it is
        now (None: there is none). The first entry, the answer, also notes contact and moment of the answer.

        `turn`: the number of the event that brings it; 0: it has none. Where a higher one is noted, the entry is
        written all the same.

        key 1, seq 3    UpdateItem ──► entry 3 is key 1
        key 2, seq 3         UpdateItem ──X entry 3 is there: key 1 stays
        key 1, seq 3, of another contact  ──X    after the end  ──X
        event 7, key 1, seq 3    UpdateItem entry 3, turn 7;  turn 8 is there ──X ──► UpdateItem entry 3
        answered, seq 1, when the ringing was given up  ──X    (the time-line of both is at `set_answered`)
        a function of a release without a log tells the machine seq 3: seq 4 ──► an entry 3 that comes now ──X
        """
        behind_its_predecessor = "log_seq = :before"
        not_left_behind = "seq <= :seq"
        its_own = "contact_id = :contact"
        values: dict[str, Any] = {
            ":before": entry.seq - 1,
            ":seq": entry.seq,
            ":contact": contact_id,
            ":entries": [dump_entry(entry)],
        }
        changes = "SET log_entries = list_append(log_entries, :entries), log_seq = :seq"
        if entry.seq == 1:
            its_own = "(attribute_not_exists(contact_id) OR contact_id = :contact)"
            values[":at"] = entry.at_msec
            changes += ", answered_msec = if_not_exists(answered_msec, :at)"
            changes += ", contact_id = if_not_exists(contact_id, :contact)"
        if entry.event == PROMPT_ERROR:
            values[":reason"] = entry.then.reason
            changes += ", stop_reason = if_not_exists(stop_reason, :reason)"
        not_given_up = "attribute_not_exists(gave_up_msec)"
        clauses = [EXISTS, NOT_ENDED, not_given_up, its_own, behind_its_predecessor, not_left_behind]
        if turn:
            newer = "(attribute_not_exists(turn) OR turn < :turn)"
            its_turn = values | {":turn": turn}
            if written := self._update_if(mid, attempt, f"{changes}, turn = :turn", [*clauses, newer], its_turn):
                return True, written
        try:
            return True, self._update(mid, attempt, changes, clauses, values)
        except ConditionFailed as failed:
            return False, load_call(failed.item) if failed.item else None

    def decide(self, mid: str, attempt: int, decided: Decided) -> Call | None:
        """Writes what the lookup behind an entry has come to, unless that was decided before or the call has ended; the
        call as it is now. None: there is none.

        the receiver says "paid"    UpdateItem ──► decided: paid
        the callee's time is up          UpdateItem ──X decided: the telephony asks the menu of "paid"
        or
        the callee's time is up     UpdateItem ──► decided: else, and its menu is asked
        the receiver says "paid"         UpdateItem ──X decided: the state machine goes to the menu of else
        after the end  ──X
        """
        was_heard = "log_seq >= :seq"
        not_decided = "(attribute_not_exists(decided_seq) OR decided_seq < :seq)"
        values: dict[str, Any] = {":seq": decided.seq, ":one": [dump_decided(decided)], ":none": []}
        changes = "SET decided = list_append(if_not_exists(decided, :none), :one), decided_seq = :seq"
        try:
            return self._update(mid, attempt, changes, [EXISTS, NOT_ENDED, was_heard, not_decided], values)
        except ConditionFailed as failed:
            return load_call(failed.item) if failed.item else None

    def advance(self, mid: str, attempt: int, command: Command, ticket: Ticket) -> tuple[bool, Call | None]:
        """Writes the machine's next command, or a later try's token; whether the token counts, and the call as it is
        (None: there is none).

        Menu 1, try 0    UpdateItem seq 3 ──► written; entry 3 is there already, or comes
        Menu 1, try 1         UpdateItem ──X visit not newer ──► UpdateItem token 1 ──► still seq 3
        Menu 1, of a try that was given up long ago   ──X entry 3 is not there: no one was told to continue
        the call's end   ended ──► a command for which there is an entry is written all the same, every later one fails
        """
        newer_visit = "#visit < :visit"
        was_told_to_go_on = "log_seq >= seq"
        not_over = "(attribute_not_exists(ended_msec) OR log_seq > seq)"
        values: dict[str, Any] = {":one": 1, ":command": dump_command(command), **ticket_values(ticket)}
        changes = "SET seq = seq + :one, command = :command, #visit = :visit, retry = :retry, #token = :token"
        if command.asks:
            changes += ", visits = visits + :one"
        clauses = [EXISTS, newer_visit, was_told_to_go_on, not_over]
        try:
            return True, self._update(mid, attempt, changes, clauses, values)
        except ConditionFailed as failed:
            found = load_call(failed.item) if failed.item else None
        if found is None or found.ended or found.ticket.visit != ticket.visit:
            return False, found
        return self._renew_token(mid, attempt, ticket)

    def _renew_token(self, mid: str, attempt: int, ticket: Ticket) -> tuple[bool, Call | None]:
        """Puts a later try's token under the same visit; whether the token counts, and the call.

        It does not if the call has ended, the machine is at another visit, or a newer try was first. The call is as
        this write left or found it, as it may have ended since the write before; None: there is none (any more).
        """
        same_visit = "#visit = :visit"
        not_older = "retry <= :retry"
        try:
            return True, self._update(
                mid,
                attempt,
                "SET retry = :retry, #token = :token",
                [EXISTS, NOT_ENDED, same_visit, not_older],
                ticket_values(ticket),
            )
        except ConditionFailed as failed:
            return False, load_call(failed.item) if failed.item else None


def ticket_values(ticket: Ticket) -> dict[str, str | int]:
    """What conditions and updates need of a ticket."""
    return {":visit": ticket.visit, ":retry": ticket.retry, ":token": ticket.token}
