"""The call attempts: each write is one conditional update of one item."""

from typing import Any

from speechcall.calls.adapters.call_items import dump_call, dump_command, dump_reply, dump_step, load_call
from speechcall.calls.adapters.call_logs import CallLogs, ticket_values
from speechcall.calls.adapters.dialled_calls import EXISTS, NOT_ENDED
from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Reply, Step, Ticket
from speechcall.shared.adapters.table import ConditionFailed, store_errors, to_wire

_STILL_AWAITED = [
    NOT_ENDED,
    "seq = :seq",  # it is the question that is asked
    "done_seq < :seq",  # that is not answered
    "(attribute_not_exists(kept_reply) OR kept_reply.seq < :seq)",  # and the first reply stays
]
"""The clauses under which a reply is kept."""


class DynamoCalls(CallLogs):
    """A `CallStore` on DynamoDB."""

    def open(self, call: Call, expires_at: int) -> Call:
        """Writes a new attempt with its dial command, or a later try's token into it; the call as it is now. Its ticket
        is not that of `call` where the try does not count: a newer one, or another's write, was first.

        try 0   PutItem ──► written                    (then dies, or its place() is throttled)
        try 1        PutItem ──X exists ──► UpdateItem token 1 ──► the same seq, token 1
        try 0 late                                UpdateItem token 0 ──X retry 1 is newer
        """
        item = dump_call(call) | {"expires_at": expires_at}
        try:
            with store_errors():
                self._client.put_item(
                    TableName=self._table, Item=to_wire(item), ConditionExpression="attribute_not_exists(pk)"
                )
            return call
        except ConditionFailed:
            pass
        _, stored = self._renew_token(call.mid, call.attempt, call.ticket)
        return stored or call  # None: it has expired just now, long after its time

    def put_command(
        self, mid: str, attempt: int, command: Command, ticket: Ticket, bounds: Bounds, now_msec: int
    ) -> tuple[bool, Call | None]:
        """Writes a command under a new `seq`, or a later try's token; whether the token counts, and the call as it is
        (None: there is none). Only a command that asks a menu is held to the `bounds`.

        Menu 0, try 0   UpdateItem seq 2 ──────────────────► written
        Menu 0, try 1        UpdateItem ──X visit not newer ──► UpdateItem token 1 ──► still seq 2
        Menu 0, try 0, late       UpdateItem ──X visit not newer ──► UpdateItem ──X retry 1 is newer
        the call's end                 ended ──► every later command fails, and is answered `ended`
        """
        newer_visit = "#visit < :visit"
        within_visits = "visits < :max_visits"
        within_time = "dialled_msec > :oldest"
        clauses = [EXISTS, NOT_ENDED, newer_visit]
        values: dict[str, Any] = {":one": 1, ":command": dump_command(command), **ticket_values(ticket)}
        assignments = "seq = seq + :one, command = :command, #visit = :visit, retry = :retry, #token = :token"
        if command.asks:
            clauses += [within_visits, within_time]
            values |= {":max_visits": bounds.max_visits, ":oldest": now_msec - bounds.max_seconds * 1000}
            assignments += ", visits = visits + :one"
        try:
            return True, self._update(mid, attempt, f"SET {assignments}", clauses, values)
        except ConditionFailed as failed:
            found = load_call(failed.item) if failed.item else None
        if found is None or found.ended or found.ticket.visit != ticket.visit:
            return False, found
        return self._renew_token(mid, attempt, ticket)

    def set_answered(self, mid: str, attempt: int, contact_id: str, now_msec: int) -> Call | None:
        """Notes that the callee has answered; the call. None: there is none, it has ended or was given up before, or
        another contact is its own.

        the callee answers   UpdateItem answered ──► served
        Dial's time is up         UpdateItem gave_up ──X somebody has answered ──► Menu 0
        or
        Dial's time is up    UpdateItem gave_up ──► noAnswer, and the contact is stopped
        the callee answers        UpdateItem answered ──X it was given up ──► is told to hang up
        """
        not_given_up = "attribute_not_exists(gave_up_msec)"
        its_own = "(attribute_not_exists(contact_id) OR contact_id = :id)"
        return self._update_if(
            mid,
            attempt,
            "SET answered_msec = if_not_exists(answered_msec, :now), contact_id = if_not_exists(contact_id, :id)",
            [EXISTS, NOT_ENDED, not_given_up, its_own],
            {":now": now_msec, ":id": contact_id},
        )

    def give_up(self, mid: str, attempt: int, now_msec: int) -> Call | None:
        """Gives up the ringing; the call. None: somebody has answered, the call has ended, or there is none.

        A call that was placed, so that its phone has rung, gets the cause `noAnswer` too. The time-line is at
        `set_answered`.
        """
        nothing_heard = "attribute_not_exists(answered_msec)"
        clauses = [EXISTS, NOT_ENDED, nothing_heard]
        given_up = "SET gave_up_msec = if_not_exists(gave_up_msec, :now)"
        known = f"{given_up}, cause = if_not_exists(cause, :cause)"
        placed = "attribute_exists(contact_id)"
        values = {":now": now_msec, ":cause": Cause.NO_ANSWER.value}
        found = self._update_if(mid, attempt, known, [*clauses, placed], values)
        return found or self._update_if(mid, attempt, given_up, clauses, {":now": now_msec})

    def take_turn(self, mid: str, attempt: int, contact_id: str, turn: int, reply: Reply | None = None) -> Call | None:
        """Notes the number of the contact's event that is about to be answered; the highest number stays.

        A `reply` is kept in the same write, if its question still waits for one. The call as it is now, whatever was
        written; None: there is none.

        event 7   UpdateItem turn 7 ──► waits for the next command ... finds turn 8: event 8 is told it
        event 8        UpdateItem turn 8 ──► waits for the next command ──► is told it
        event 7, late       UpdateItem ──X turn 8 is newer

        event 7, a key   UpdateItem turn 7, d1 ──► kept: answers the task
        event 8, the end      turn 6: waits a little ──► turn 7, so d1 is there ──► UpdateItem ended, answers with d1
        """
        its_own = "(attribute_not_exists(contact_id) OR contact_id = :contact)"
        newer = "(attribute_not_exists(turn) OR turn < :turn)"
        clauses, values = [EXISTS, its_own, newer], {":contact": contact_id, ":turn": turn}
        if reply:
            kept = values | _reply_values(reply)
            expression = "SET turn = :turn, kept_reply = :reply"
            if taken := self._update_if(mid, attempt, expression, [*clauses, *_STILL_AWAITED], kept):
                return taken
        try:
            return self._update(mid, attempt, "SET turn = :turn", clauses, values)
        except ConditionFailed as failed:
            return load_call(failed.item) if failed.item else None

    def set_done(self, mid: str, attempt: int, seq: int, step: Step | None, reply: Reply | None = None) -> None:
        """Notes up to which command (`seq`) the machine's task was answered, and adds `step`, if any, to the path.

        `reply`: kept for a next try, unless a newer one is kept. Nothing changes if the command was noted before.

        seq 1 answered    task told ──────────────────────────────────► UpdateItem ──X d1 is kept ──► UpdateItem done 1
        seq 2, key 1             its token expired ──► UpdateItem d1 ──► kept
        """
        # The next command may already stand here: the state machine can be quicker than this write.
        not_done = "done_seq < :seq"
        nothing_newer_kept = "(attribute_not_exists(kept_reply) OR kept_reply.seq <= :seq)"
        values: dict[str, Any] = {":seq": seq}
        done = "SET done_seq = :seq"
        if step:
            done += ", #path = list_append(#path, :steps)"
            values[":steps"] = [dump_step(step)]
        if reply:
            kept = values | {":reply": dump_reply(reply)}
            clauses = [EXISTS, not_done, nothing_newer_kept]
            if self._update_if(mid, attempt, f"{done}, kept_reply = :reply", clauses, kept):
                return
        self._update_if(mid, attempt, done, [EXISTS, not_done], values)

    def keep_reply(self, mid: str, attempt: int, reply: Reply) -> Call | None:
        """Keeps what was heard, for the token of the task's next try; the call. None: nothing is kept, because the call
        does not wait for this reply (`_STILL_AWAITED`), or is not there.

        key 1, token 0 expired   UpdateItem d1 ──► kept
        Menu 0, try 1                 UpdateItem token 1 ──► finds d1, answers token 1 with it
        or
        Menu 0, try 1            UpdateItem token 1 ──► nothing kept: waits
        key 1, token 0 expired        UpdateItem d1 ──► finds token 1, which the next look answers
        """
        return self._update_if(mid, attempt, "SET kept_reply = :reply", [EXISTS, *_STILL_AWAITED], _reply_values(reply))

    def set_stop_reason(self, mid: str, attempt: int, reason: str) -> None:
        self._update_if(
            mid, attempt, "SET stop_reason = if_not_exists(stop_reason, :reason)", [EXISTS], {":reason": reason}
        )


def _reply_values(reply: Reply) -> dict[str, Any]:
    return {":reply": dump_reply(reply), ":seq": reply.seq}
