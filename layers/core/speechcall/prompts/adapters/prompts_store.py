"""The accounts' prompts, in Registry: pk `PROMPT#<account>`, sk `ID#<name>`, `URL#<sha256>` or `SAY#<sha256>`."""

import hashlib
from typing import TYPE_CHECKING

from speechcall.outbound.rules.address import is_url
from speechcall.prompts.rules.prompt import AudioWarning, KnownPrompt, Prompt, Source, Trying, is_uploaded
from speechcall.shared.adapters.keys import (
    UPLOADS,
    fetched_prompt_key,
    prompts_partition,
    spoken_prompt_key,
    uploaded_prompt_key,
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

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
_KEPT_SECONDS = 30 * 24 * 3600
"""A URL or a text that was not used for so long is forgotten; an identifier stays until it is removed."""


class DynamoPrompts:
    """Lookups by key only; reads are strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def find(self, account_id: str, name: str) -> KnownPrompt | None:
        """What is stored under an identifier or a URL, if messages can name it."""
        known = self.find_any(account_id, name)
        return None if known is None or known.is_removed else known

    def find_any(self, account_id: str, name: str) -> KnownPrompt | None:
        """What is stored under an identifier or a URL, though it is about to be removed."""
        item = read_item(self._client, self._table, _key(account_id, name))
        return load(item) if item else None

    def put(self, account_id: str, known: KnownPrompt) -> None:
        """Stores it in the place of what was there."""
        with store_errors():
            self._client.put_item(TableName=self._table, Item=to_wire(dump(account_id, known)))

    def put_instead(self, account_id: str, known: KnownPrompt, before: KnownPrompt | None) -> bool:
        """Stores audio in the place of what was found (None: of nothing). False: another has stored its own since.

        put     find_any: a ──────────────── put b if a is there ──X find_any: c ─── put b if c is there ──► written
        put     find_any: a ─── put c if a is there ──► written, and a is marked
        """
        it_is_not_there, it_is_as_found = "attribute_not_exists(pk)", "uri = :uri"
        given: PutItemInputTypeDef = {
            "TableName": self._table,
            "Item": to_wire(dump(account_id, known)),
            "ConditionExpression": it_is_not_there,
        }
        if before is not None:
            given["ConditionExpression"] = it_is_as_found
            given["ExpressionAttributeValues"] = to_wire({":uri": _uri(before)})
        tell_change(self._client, _facts(before), _facts(known))
        try:
            with store_errors():
                self._client.put_item(**given)
        except ConditionFailed:
            return False
        return True

    def note_settled(self, account_id: str, known: KnownPrompt) -> None:
        """Forgets what this audio has replaced, once all of that is marked as removed.

        put     put b, "b replaced a" ─── a is marked ─── note that ──X c is there, and says so itself
        put                        find_any: b, a ── put c, "c replaced b, a" ──► written
        """
        it_is_the_same = "uri = :uri"
        self._update(account_id, known.name, "REMOVE replaced", it_is_the_same, {":uri": _uri(known)})

    def put_used(self, account_id: str, name: str, now_msec: int) -> None:
        """Notes that a prompt was used now; what was not uploaded is kept for as long again (_KEPT_SECONDS).

        used     UpdateItem used_msec ──► written
        removed  DeleteItem, then UpdateItem ──X it is gone, and stays gone
        """
        it_is_there = "attribute_exists(pk)"
        until = ", expires_at = :until" if not is_uploaded(name) else ""
        values = {":now": now_msec, **({":until": now_msec // 1000 + _KEPT_SECONDS} if until else {})}
        self._update(account_id, name, f"SET used_msec = :now{until}", it_is_there, values)

    def mark_removed(self, account_id: str, name: str) -> KnownPrompt | None:
        """Takes an identifier out of use, before its audio is marked. Out: what it named; None: there was nothing.

        remove   mark a ──► `find`: none ─── a's audio is marked ─── forget a ──X b is there, and stays
        put                         find_any: a ─── put b, "b replaced a" ──► written
        or
        remove   find_any: a ────────────────────── mark a ──X b is there ── find_any: b ── mark b ──► `find`: none
        put               find_any: a ─── put b ──► written                 (else b's audio would never be marked)
        """
        it_is_as_found = "uri = :uri AND stored_msec = :stored"
        while (found := self.find_any(account_id, name)) is not None:
            values = {":yes": True, ":uri": _uri(found), ":stored": found.stored_msec}
            tell_change(self._client, _facts(found), {})
            if self._update(account_id, name, "SET is_removed = :yes", it_is_as_found, values) is not None:
                return found._replace(is_removed=True)
        return None

    def forget(self, account_id: str, known: KnownPrompt) -> None:
        """Deletes what is marked as removed, unless other audio was stored there since (the race in `mark_removed`)."""
        it_is_marked, it_is_the_same = "is_removed = :yes", "uri = :uri"
        try:
            with store_errors():
                self._client.delete_item(
                    TableName=self._table,
                    Key=to_wire(_key(account_id, known.name)),
                    ConditionExpression=f"{it_is_marked} AND {it_is_the_same}",
                    ExpressionAttributeValues=to_wire({":yes": True, ":uri": _uri(known)}),
                )
        except ConditionFailed:
            return

    def uploaded(self, account_id: str) -> list[KnownPrompt]:
        """The prompts that have an identifier, in its order."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :identifiers)",
            ExpressionAttributeValues=to_wire({":pk": prompts_partition(account_id), ":identifiers": UPLOADS}),
            ConsistentRead=True,
        )
        with store_errors():
            found = [load(from_wire(item)) for page in pages for item in page["Items"]]
        return [known for known in found if not known.is_removed]

    def _update(self, account_id: str, name: str, change: str, condition: str, values: Values) -> Values | None:
        """The item after a change. None: the condition does not hold; nothing is changed. Raises StoreUnavailable."""
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(_key(account_id, name)),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailed:
            return None
        return from_wire(changed["Attributes"])


def _key(account_id: str, name: str) -> dict[str, str]:
    if is_uploaded(name):
        return uploaded_prompt_key(account_id, name)
    digest = hashlib.sha256(name.encode()).hexdigest()
    return fetched_prompt_key(account_id, digest) if is_url(name) else spoken_prompt_key(account_id, digest)


def _facts(known: KnownPrompt | None) -> Values:
    """What the audit trail tells of audio."""
    if known is None or known.prompt is None or known.is_removed:
        return {}
    return {"seconds": round(known.prompt.seconds, 1), "bytes": known.prompt.size}


def _uri(known: KnownPrompt) -> str:
    return known.prompt.uri if known.prompt else ""


def dump(account_id: str, known: KnownPrompt) -> Values:
    """The item of a prompt; what is not known is left out. One that was not uploaded expires _KEPT_SECONDS after the
    latest moment at which it was used, tried or stored.
    """
    prompt, source = known.prompt, known.source
    values: Values = {**_key(account_id, known.name), "v": FORM, "name": known.name, "stored_msec": known.stored_msec}
    if prompt is not None:
        warnings = [{"code": one.code, "message": one.message} for one in prompt.warnings]
        values |= {"uri": prompt.uri, "seconds": prompt.seconds, "size": prompt.size, "warnings": warnings}
    if known.used_msec is not None:
        values["used_msec"] = known.used_msec
    if known.is_removed:
        values["is_removed"] = True
    if known.replaced:
        values["replaced"] = list(known.replaced)
    if source != Source():
        values["source"] = _dump_source(source)
    if known.trying.since_msec is not None:  # not in `source`: earlier releases load each name in it
        values |= {"tries": known.trying.count, "tried_since_msec": known.trying.since_msec}
        values |= {"try_is_open": known.trying.is_open, "next_try_msec": known.trying.next_msec}
    if not is_uploaded(known.name):
        moments = (known.used_msec, source.failed_msec, known.trying.since_msec)
        latest = max(known.stored_msec, source.checked_msec, *(moment or 0 for moment in moments))
        values["expires_at"] = latest // 1000 + _KEPT_SECONDS
    return values


def load(item: Values) -> KnownPrompt:
    """The prompt in an item."""
    prompt = None
    if "uri" in item:
        warnings = tuple(AudioWarning(one["code"], one["message"]) for one in item.get("warnings", ()))
        prompt = Prompt(item["uri"], float(item["seconds"]), item.get("size", 0), warnings)
    source = _load_source(item.get("source", {}))
    tried, is_open = (item.get("tries", 0), item.get("tried_since_msec")), item.get("try_is_open", False)
    trying = Trying(*tried, is_open=is_open, next_msec=item.get("next_try_msec"))
    return KnownPrompt(
        item["name"],
        prompt,
        item["stored_msec"],
        item.get("used_msec"),
        source,
        trying,
        is_removed=item.get("is_removed", False),
        replaced=tuple(item.get("replaced", ())),
    )


def _dump_source(source: Source) -> Values:
    """A source for storing, only what is known. The release before reads no other members than these."""
    members = {
        "etag": source.etag,
        "last_modified": source.last_modified,
        "sha256": source.sha256,
        "checked_msec": source.checked_msec,
        "fresh_until_msec": source.fresh_until_msec,
        "failed_msec": source.failed_msec,
        "cause": source.cause,
    }
    return {name: value for name, value in members.items() if value is not None}


def _load_source(stored: Values) -> Source:
    """The source that `_dump_source` wrote."""
    return Source(
        etag=stored.get("etag"),
        last_modified=stored.get("last_modified"),
        sha256=stored.get("sha256"),
        checked_msec=stored.get("checked_msec", 0),
        fresh_until_msec=stored.get("fresh_until_msec", 0),
        failed_msec=stored.get("failed_msec"),
        cause=stored.get("cause"),
    )
