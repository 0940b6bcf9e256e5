"""What is written about a call attempt's end, and to which call attempt a contact belongs.

A contact's own item has pk `C#<contact id>`, sk `CONTACT`, and the call attempt: news of an end names the contact
alone. An earlier release, which knows neither this item nor `cause_is_guess`, takes a guessed cause for the cause.
"""

from typing import Any

from speechcall.calls.adapters.dialled_calls import EXISTS, DialledCalls
from speechcall.calls.rules.call import Call, Cause
from speechcall.shared.adapters.keys import contact_key
from speechcall.shared.adapters.table import read_item, store_errors, to_wire


class EndedCalls(DialledCalls):
    """The part of a `CallStore` that ends have."""

    def end(self, mid: str, attempt: int, cause: Cause, now_msec: int, *, is_guess: bool = False) -> Call | None:
        """Notes the end of a call, and its cause if none is known; the call as it is now, None: there is none.

        A cause that is there stays, also a guess, and the first moment of the end. `is_guess`: `cause` is one.

        news of the end   UpdateItem ended, noAnswer, a guess ──► the line is given back
        the record             (explain) UpdateItem busy, no guess ──► busy
        news, once more             UpdateItem ──X a cause is there: it is not guessed again
        or
        we give up        UpdateItem noAnswer (no guess: our own decision)
        news of the end        UpdateItem ──X a cause is there ──► UpdateItem ended
        """
        values: dict[str, Any] = {":now": now_msec, ":cause": cause.value}
        ended = "SET ended_msec = if_not_exists(ended_msec, :now)"
        if is_guess:
            no_cause = "attribute_not_exists(cause)"
            guess, its_values = f"{ended}, cause = :cause, cause_is_guess = :yes", values | {":yes": True}
            if guessed := self._update_if(mid, attempt, guess, [EXISTS, no_cause], its_values):
                return guessed
        return self._update_if(mid, attempt, f"{ended}, cause = if_not_exists(cause, :cause)", [EXISTS], values)

    def explain(
        self, mid: str, attempt: int, cause: Cause, answered_msec: int | None, *, is_guess: bool = False
    ) -> Call | None:
        """Replaces a guessed cause by the one that the provider's record has; the call. None: its cause is no guess
        (any more), and stays. `answered_msec`: when it was answered, if that was not known; None: that stays as it is.
        `is_guess`: the new cause is a guess too, a better one.

        finish_call   DescribeContact: busy ──► UpdateItem busy, no guess ──► busy
        the sweeper        five minutes are over ──► UpdateItem noAnswer ──X it is no guess any more ──► reads busy
        or
        the sweeper   five minutes are over ──► UpdateItem noAnswer, no guess ──► final
        finish_call        DescribeContact: busy ──► UpdateItem ──X: the call's cause is final
        """
        it_is_a_guess = "cause_is_guess = :yes"
        values: dict[str, Any] = {":cause": cause.value, ":yes": True}
        expression = "SET cause = :cause"
        if answered_msec is not None:
            expression += ", answered_msec = if_not_exists(answered_msec, :answered)"
            values[":answered"] = answered_msec
        if not is_guess:
            expression += " REMOVE cause_is_guess"
        return self._update_if(mid, attempt, expression, [EXISTS, it_is_a_guess], values)

    def name_contact(self, contact_id: str, mid: str, attempt: int, expires_at: int) -> None:
        item: dict[str, Any] = contact_key(contact_id) | {"mid": mid, "attempt": attempt, "expires_at": expires_at}
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire(item))

    def find_contact(self, contact_id: str) -> tuple[str, int] | None:
        item = read_item(self._client, self._table, contact_key(contact_id))
        return (item["mid"], item["attempt"]) if item else None
