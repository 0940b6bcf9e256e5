"""What is written about a call attempt while it is dialled, and how each write is made: one conditional update."""

from typing import TYPE_CHECKING, Any

from speechcall.calls.adapters.call_items import load_call
from speechcall.calls.rules.call import Call, Refused
from speechcall.shared.adapters.keys import call_key
from speechcall.shared.adapters.table import ConditionFailed, from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXISTS = "attribute_exists(pk)"
NOT_ENDED = "attribute_not_exists(ended_msec)"


class DialledCalls:
    """The part of a `CallStore` that dialling has."""

    def __init__(self, client: "DynamoDBClient", table: str, digits_key: str = "") -> None:
        """`digits_key`: of KMS, for who hears digits that are sensitive."""
        self._client, self._table, self._digits_key = client, table, digits_key

    def begin_placing(self, mid: str, attempt: int, now_msec: int, before_msec: int) -> bool:
        """Notes that the provider is about to be asked to dial.

        False: it was asked at `before_msec` or later, its contact is known, or the call has ended or was given up.

        try 0   UpdateItem placing ──► placed, but the answer is lost
        try 1        UpdateItem ──X try 0 was just now ──► waits for the contact's own event, or asks under its token
        the contact       ──► set_contact ──► try 1 finds it;  or nothing comes, and try 2 may dial
        or
        cancel   UpdateItem given up ──► nothing was placed: the call is over
        try 0         UpdateItem ──X given up: it is not dialled
        """
        not_placed = "attribute_not_exists(contact_id)"
        no_other_places = "(attribute_not_exists(placing_msec) OR placing_msec < :before)"
        not_given_up = "attribute_not_exists(gave_up_msec)"
        clauses = [EXISTS, NOT_ENDED, not_placed, not_given_up, no_other_places]
        values = {":now": now_msec, ":before": before_msec}
        # `not_placed_msec` says nothing of the request made now. A function that does not know it leaves it there.
        asked = "SET placing_msec = :now REMOVE not_placed_msec"
        return self._update_if(mid, attempt, asked, clauses, values) is not None

    def set_not_placed(self, mid: str, attempt: int, placing_msec: int) -> bool:
        """Notes that no request to dial has placed the call, the last of them that of `placing_msec`. False: the
        provider was asked again since.

        try 0   UpdateItem placing 0 ──► is throttled ────────────────► UpdateItem ──X placing 1: nothing is certain
        try 1        (try 0 was given up) ──► UpdateItem placing 1 ──► placed
        """
        still_ours = "placing_msec = :mine"
        expression = "SET not_placed_msec = :mine REMOVE placing_msec"
        clauses = [EXISTS, still_ours]
        return self._update_if(mid, attempt, expression, clauses, {":mine": placing_msec}) is not None

    def set_refused(self, mid: str, attempt: int, refused: Refused) -> None:
        value = {"reason": refused.reason, "cause": refused.cause.value}
        self._update_if(mid, attempt, "SET refused = :refused", [EXISTS, NOT_ENDED], {":refused": value})

    def set_contact(self, mid: str, attempt: int, contact_id: str) -> Call | None:
        """As `CallStore` says: the contact that answered is known already when the provider's own reply comes late."""
        known = "SET contact_id = if_not_exists(contact_id, :id)"
        return self._update_if(mid, attempt, known, [EXISTS], {":id": contact_id})

    def _update_if(
        self, mid: str, attempt: int, expression: str, clauses: list[str], values: dict[str, Any]
    ) -> Call | None:
        """As `_update`; None: a clause does not hold, and nothing was written."""
        try:
            return self._update(mid, attempt, expression, clauses, values)
        except ConditionFailed:
            return None

    def _update(self, mid: str, attempt: int, expression: str, clauses: list[str], values: dict[str, Any]) -> Call:
        """One conditional update of a call; the call after it. Raises ConditionFailed, with the item as it is (None:
        there is none), and StoreUnavailable.
        """
        names = {"#visit": "visit", "#token": "token", "#path": "path"}
        condition = " AND ".join(clauses)
        used = {name: real for name, real in names.items() if name in expression + condition}
        reserved_words: Any = {"ExpressionAttributeNames": used} if used else {}
        with store_errors():
            result = self._client.update_item(
                TableName=self._table,
                Key=to_wire(call_key(mid, attempt)),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **reserved_words,
            )
        return load_call(from_wire(result["Attributes"]))
