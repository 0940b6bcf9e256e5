"""The opt-outs: pk `OPTOUTS#<account>`, sk `<list>#<digest>`, in the table Registry.

A list that has an age (an import of a register's) has an item of its own, `OPTOUTLIST#<account>#<list>`.
An entry that was taken back stays, as evidence, without `since_msec`: that attribute is what claims ask for.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from speechcall.optouts.rules.opt_out import By, Consent, OptOut
from speechcall.optouts.use_cases.opt_out_ports import Page
from speechcall.shared.adapters.keys import (
    Key,
    opt_out_key,
    opt_out_list_key,
    opt_out_names,
    opt_outs_of_list,
    opt_outs_partition,
)
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_item,
    store_errors,
    tell_change,
    to_wire,
)
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from speechcall.optouts.adapters.digests import NumberDigests

FORM = 1
MOST_KEYS = 100
"""Of one BatchGetItem."""
_THE_CALLEES = {f":by_{by.name.lower()}": by.value for by in By if by.is_the_callees}
_PLACE = re.compile(r"[A-Za-z0-9_-]{0,64}#[0-9a-f]{64}")


class OptOutEntries:
    """The opt-outs on DynamoDB, for who has the digest of a number."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def opted_out(self, account_id: str, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """As `OptOuts.opted_out`. One read is for a hundred: a whole request whose messages name no further lists."""
        keys = [opt_out_key(account_id, list_name, digest) for digest, list_name in sorted(set(wanted))]
        found = [opt_out_names(item["sk"]) for item in self._read(keys, "sk, since_msec") if "since_msec" in item]
        return {(digest, list_name) for list_name, digest in found}

    def holds_until(self, account_id: str, lists: Collection[str]) -> dict[str, int]:
        keys = [opt_out_list_key(account_id, name) for name in sorted(set(lists))]
        return {item["list_name"]: item["until_msec"] for item in self._read(keys, "list_name, until_msec")}

    def set_holds_until(self, account_id: str, list_name: str, until_msec: int) -> None:
        known: Values = {"v": FORM, "list_name": list_name, "until_msec": until_msec}
        tell_change(self._client, {}, {"list": list_name, "untilMsec": until_msec})
        with store_errors():
            self._client.put_item(
                TableName=self._table, Item=to_wire({**opt_out_list_key(account_id, list_name), **known})
            )

    def _read(self, keys: Sequence[Key], attributes: str) -> Iterator[Values]:
        """Those of these items that exist, strongly consistent. Raises StoreUnavailable if not all can be read."""
        for first in range(0, len(keys), MOST_KEYS):
            asked: dict[str, Any] = {
                "Keys": [to_wire(key) for key in keys[first : first + MOST_KEYS]],
                "ConsistentRead": True,
                "ProjectionExpression": attributes,
            }
            with store_errors():
                page = self._client.batch_get_item(RequestItems={self._table: asked})  # type: ignore[dict-item]
            if page.get("UnprocessedKeys"):
                raise StoreUnavailable("not every opt-out could be read")
            yield from map(from_wire, page.get("Responses", {}).get(self._table, []))

    def add(self, account_id: str, opt_out: OptOut) -> bool:
        """Lets an opt-out hold. False: one holds already, and stays; but a callee's own replaces one that is not.

        API          UpdateItem: since, by api ──► written
        key              UpdateItem: since, by key ──► written: the callee's own counts more
        API again            UpdateItem ──X it holds already, and stays the callee's
        removal      reads api ───────────── UpdateItem ──X not as read any more
        """
        it_does_not_hold = "attribute_not_exists(since_msec)"
        it_is_not_the_callees = f"NOT #by IN ({', '.join(_THE_CALLEES)})"
        own = opt_out.by.is_the_callees
        condition = f"{it_does_not_hold} OR {it_is_not_the_callees}" if own else it_does_not_hold
        values: Values = {":v": FORM, ":since": opt_out.since_msec, ":by": opt_out.by.value, ":ending": opt_out.ending}
        if own:
            values |= _THE_CALLEES
        extra = {"mid": opt_out.mid, "reason": opt_out.reason}
        values |= {f":{name}": value for name, value in extra.items() if value is not None}
        assigned = ["v = :v", "since_msec = :since", "#by = :by", "ending = :ending"]
        assigned += [f"{name} = :{name}" for name, value in extra.items() if value is not None]
        gone = ["removed_msec", "was_since_msec", "consent", *(name for name, value in extra.items() if value is None)]
        expression = f"SET {', '.join(assigned)} REMOVE {', '.join(gone)}"
        tell_change(self._client, {}, {"list": opt_out.list_name, "by": opt_out.by.value})
        return self._update(account_id, opt_out, expression, condition, values)

    def find(self, account_id: str, list_name: str, digest: str) -> OptOut | None:
        """Strongly consistent."""
        item = read_item(self._client, self._table, opt_out_key(account_id, list_name, digest))
        return load(item) if item else None

    def remove(self, account_id: str, read: OptOut, consent: Consent | None, now_msec: int) -> bool:
        """Takes back an opt-out that is still as it was read; its item stays. False: it is not (see `add`).

        `consent`: with what it is taken back; None: without any.
        """
        it_is_as_read = "since_msec = :since AND #by = :by"
        values: Values = {":since": read.since_msec, ":by": read.by.value, ":now": now_msec}
        assigned = "removed_msec = :now, was_since_msec = :since"
        removed = {"list": read.list_name, "withConsent": consent is not None}
        tell_change(self._client, {"list": read.list_name, "by": read.by.value}, removed)
        if consent:
            assigned += ", consent = :consent"
            values[":consent"] = {"basis": consent.basis, "at": consent.at, "ref": consent.ref}
        return self._update(account_id, read, f"SET {assigned} REMOVE since_msec", it_is_as_read, values)

    def page(self, account_id: str, list_name: str | None, limit: int, cursor: str | None, *, all_: bool) -> Page:
        """A page of opt-outs by list and digest; `all_`: those that were taken back too.

        `list_name`: empty for the account's own list, None for all lists. `cursor` None: the first page. Raises
        ValueError for a cursor that is none of ours, or of another list.
        """
        values = {":pk": opt_outs_partition(account_id)}
        condition = "pk = :pk"
        if list_name is not None:
            condition += " AND begins_with(sk, :list)"
            values[":list"] = opt_outs_of_list(list_name)
        asked: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_wire(values),
            "Limit": limit,
        }
        if not all_:
            asked["FilterExpression"] = "attribute_exists(since_msec)"
        if cursor is not None:
            place = _place_of(cursor)
            if list_name is not None and not place.startswith(opt_outs_of_list(list_name)):
                raise ValueError("a cursor of another list")
            asked["ExclusiveStartKey"] = to_wire({"pk": opt_outs_partition(account_id), "sk": place})
        with store_errors():
            page = self._client.query(**asked)
        last = page.get("LastEvaluatedKey")
        return Page([load(from_wire(item)) for item in page["Items"]], _cursor(from_wire(last)["sk"]) if last else None)

    def _update(self, account_id: str, opt_out: OptOut, expression: str, condition: str, values: Values) -> bool:
        """Changes the item of an opt-out. False: the condition does not hold, and nothing has changed."""
        try:
            with store_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(opt_out_key(account_id, opt_out.list_name, opt_out.digest)),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#by": "by"} if "#by" in expression + condition else {},
                    ExpressionAttributeValues=to_wire(values),
                )
        except ConditionFailed:
            return False
        return True


class DynamoOptOuts(OptOutEntries):
    """An `OptOutStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str, digests: "NumberDigests") -> None:
        super().__init__(client, table)
        self.digests = digests

    def digest(self, number: str) -> str:
        return self.digests.of(number)


def load(item: Values) -> OptOut:
    """The opt-out in an item."""
    list_name, digest = opt_out_names(item["sk"])
    consent = item.get("consent")
    return OptOut(
        list_name,
        digest,
        item["ending"],
        item["since_msec"] if "since_msec" in item else item["was_since_msec"],
        By(item["by"]),
        item.get("mid"),
        item.get("reason"),
        item.get("removed_msec"),
        Consent(consent["basis"], consent["at"], consent["ref"]) if consent else None,
    )


def _cursor(place: str) -> str:
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place_of(cursor: str) -> str:
    place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    if not _PLACE.fullmatch(place):
        raise ValueError("no cursor of ours")
    return place
