"""What is paused or cancelled, and what is still to be done about it: in the table Registry.

Flags stand where claims look: at a list's brake, a campaign, an account's turns. A job (pk `STOP#…`) is made in the
transaction that cancels, so that a function killed after it leaves nothing undone: it stands in the index `order`
until its messages are finished.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speechcall.campaigns.adapters.campaign_items import OUTCOME
from speechcall.messages.rules.stops import CampaignNumbers, Held, Stop, StopState
from speechcall.messages.rules.turns import NONE_CANCELLED
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import StopJob, Stopped
from speechcall.shared.adapters.keys import (
    STOPS,
    Key,
    campaign_key,
    campaign_lists_partition,
    campaign_lists_place,
    list_brake_key,
    stop_key,
    stop_place,
    turn_key,
)
from speechcall.shared.adapters.table import (
    ConditionFailed,
    Values,
    from_wire,
    read_items,
    store_errors,
    tell_change,
    to_wire,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
LANES = (False, True)
"""An account has two turns; a pause holds for both."""


class DynamoStops:
    """A `StopStore` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", registry_table: str) -> None:
        self._client, self._table = client, registry_table

    # ------------------------------------------------------------------ flags
    def pause(self, what: Stopped, now_msec: int, expires_at: int) -> Stop | None:
        """Pauses an account, a campaign or a list; how it stands then: what is cancelled stays so. None: there is no
        such campaign. `expires_at`: of a list's brake; no matter for the others.

        Out, for an account: paused now, also where it was paused before.

        pause     UpdateItem: paused ──► answered
        dialer         TransactWrite: a line for m ──X paused
        or
        dialer    TransactWrite: a line for m ──► its call continues
        pause          UpdateItem: paused ──► answered: one call is in progress
        """
        paused = "SET paused_msec = if_not_exists(paused_msec, :now)"
        self._tell(what, state=StopState.PAUSED.value)
        if what.kind is Brake.ACCOUNT:
            self._transact([self._turn_part(what.account_id, lane, paused, {":now": now_msec}) for lane in LANES])
            return Stop(paused_msec=now_msec)
        values: Values = {":now": now_msec}
        if what.kind is Brake.LIST:
            paused += ", v = :form, expires_at = :expires"
            values |= {":form": FORM, ":expires": expires_at}
        return self._change(what, paused, values)

    def resume(self, what: Stopped) -> Stop | None:
        """Ends a pause; how it stands then: what is cancelled stays so. None: there is no such campaign.

        resume    UpdateItem: not paused ──► its caller wakes the queues, then answers (here none is woken)
        dialer                   TransactWrite: a line for m ──► taken
        cancel    UpdateItem: cancelled
        resume         UpdateItem ──X cancelled: that is final
        """
        self._tell(what, state=StopState.ACTIVE.value)
        if what.kind is Brake.ACCOUNT:
            self._transact([self._turn_part(what.account_id, lane, "REMOVE paused_msec", {}) for lane in LANES])
            return Stop()
        return self._change(what, "REMOVE paused_msec", {})

    def cancel(self, what: Stopped, now_msec: int, expires_at: int, *, hangs_up: bool) -> Stop | None:
        """Cancels a list or a campaign for good, and makes the job of it. None: there is no such campaign.

        `expires_at`: as in `pause`. Out: cancelled now, also where it was cancelled before.

        cancel    TransactWrite: cancelled, its job ──► answered: no claim of a line passes any more
        killed                                      ──► the job is found by the next tick
        cancel, again  TransactWrite: cancelled as before, the job from its beginning ──► answered the same
        """
        it_exists = "attribute_exists(pk)"
        values: Values = {":now": now_msec}
        cancelled = "SET cancelled_msec = if_not_exists(cancelled_msec, :now)"
        if what.kind is Brake.LIST:
            cancelled += ", v = :form, expires_at = :expires"
            values |= {":form": FORM, ":expires": expires_at}
        flag = {
            "TableName": self._table,
            "Key": to_wire(_flag_key(what)),
            "UpdateExpression": f"{cancelled} REMOVE paused_msec",
            "ExpressionAttributeValues": to_wire(values),
            **({"ConditionExpression": it_exists} if what.kind is Brake.CAMPAIGN else {}),
        }
        self._tell(what, state=StopState.CANCELLED.value, hangup=hangs_up)
        try:
            self._transact([flag, job_part(self._table, what, now_msec, hangs_up=hangs_up)])
        except ConditionFailed:
            return None
        return Stop(cancelled_msec=now_msec)

    def cancel_queue(self, account_id: str, upto: int, now_msec: int) -> None:
        """Cancels an account's messages up to the id `upto`. Messages that it sends later have larger ids, and are
        dialled. Does nothing if as much was cancelled before. The time-line is at `cancel`.
        """
        part = "SET cancelled_upto = :upto, cancelled_upto_msec = :now"
        values = {":upto": upto, ":now": now_msec}
        it_is_further = "(attribute_not_exists(cancelled_upto) OR cancelled_upto < :upto)"
        turns = [self._turn_part(account_id, lane, part, values) for lane in LANES]
        job = job_part(self._table, Stopped(Brake.ACCOUNT, account_id), now_msec, hangs_up=False, upto=upto)
        self._tell(Stopped(Brake.ACCOUNT, account_id), cancelledUpToMsec=now_msec)
        try:
            self._transact([*({**turn, "ConditionExpression": it_is_further} for turn in turns), job])
        except ConditionFailed:
            return  # all that this would cancel is cancelled, by somebody whose clock is ahead

    def _tell(self, what: Stopped, **after: object) -> None:
        """Says to the audit trail, where there is one, how something stands and what it becomes."""
        if hasattr(self._client, "hear_change"):
            is_account = what.kind is Brake.ACCOUNT
            found = self._get([turn_key(what.account_id, is_urgent=False) if is_account else _flag_key(what)])
            tell_change(self._client, {"state": (_load_stop(found[0]) if found else Stop()).state.value}, after)

    def _turn_part(self, account_id: str, is_urgent: bool, expression: str, values: Values) -> Any:
        given: Any = {"ExpressionAttributeValues": to_wire(values)} if values else {}
        key = to_wire(turn_key(account_id, is_urgent))
        return {"TableName": self._table, "Key": key, "UpdateExpression": expression, **given}

    def _change(self, what: Stopped, expression: str, values: Values) -> Stop | None:
        """Changes the flag of a list or campaign, unless that is cancelled; the flag as it stands then.

        None: there is no such campaign. A list is never missing: its brake is made by this write.
        """
        it_is_not_cancelled = "attribute_not_exists(cancelled_msec)"
        it_exists = " AND attribute_exists(pk)" if what.kind is Brake.CAMPAIGN else ""
        given: Any = {"ExpressionAttributeValues": to_wire(values)} if values else {}
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(_flag_key(what)),
                    UpdateExpression=expression,
                    ConditionExpression=it_is_not_cancelled + it_exists,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **given,
                )
        except ConditionFailed as failed:
            return _load_stop(failed.item) if failed.item else None
        return _load_stop(from_wire(changed.get("Attributes", {})))

    # ------------------------------------------------------------------ reads
    def numbers(self, account_id: str, campaign: str) -> CampaignNumbers | None:
        found = self._get([campaign_key(account_id, campaign)])
        return _load_numbers(found[0]) if found else None

    def held(self, account_id: str, list_id: str, campaign: str, *, is_urgent: bool) -> Held:
        """As `StopStore` says. What has no item yet stops nothing."""
        keys = [list_brake_key(list_id), turn_key(account_id, is_urgent)]
        if campaign:
            keys.append(campaign_key(account_id, campaign))
        found = self._get(keys)
        turn = next((item for item in found if item["pk"] == keys[1]["pk"]), {})
        return Held(
            tuple(map(_load_stop, found)), turn.get("cancelled_upto", NONE_CANCELLED), turn.get("cancelled_upto_msec")
        )

    def is_paused(self, account_id: str, campaign: str) -> bool:
        """Whether a campaign is paused."""
        found = self._get([campaign_key(account_id, campaign)])
        return bool(found) and _load_stop(found[0]).state is StopState.PAUSED

    def lists_of(self, account_id: str, campaign: str, after: str, limit: int) -> Sequence[str]:
        """As `StopStore` says; `after` empty: from the first one on."""
        values = {
            ":pk": campaign_lists_partition(account_id, campaign),
            ":after": campaign_lists_place(after or "0"),
        }
        items = self._query("order_pk = :pk AND order_sk > :after", values, limit)
        return [str(int(item["order_sk"])) for item in items]

    # ------------------------------------------------------------------- jobs
    def jobs(self, limit: int) -> Sequence[StopJob]:
        return [_load_job(item) for item in self._query("order_pk = :pk", {":pk": STOPS}, limit)]

    def take_job(self, job: StopJob, now_msec: int, until_msec: int) -> StopJob | None:
        """Takes a job until `until_msec`; the job as it is now. None: another worker has it, or it is done.

        worker A   UpdateItem: A's until 12:01 ──► works ── is killed
        worker B        UpdateItem ──X another's until 12:01
        worker C                                           (12:01) UpdateItem: C's ──► continues at the cursor
        """
        nobody_works_on_it = "attribute_exists(pk) AND (attribute_not_exists(until_msec) OR until_msec <= :now)"
        values = {":now": now_msec, ":until": until_msec, ":one": 1}
        expression = "SET until_msec = :until ADD revision :one"
        return self._change_job(job, expression, nobody_works_on_it, values)

    def save_job(self, job: StopJob, until_msec: int) -> StopJob | None:
        """Writes how far a job has come, and until when it is taken (0: it is free). None: it was begun again."""
        expression = "SET until_msec = :until, #cursor = :cursor, pass_msec = :pass, #left = :left ADD revision :one"
        values = {
            ":until": until_msec,
            ":cursor": job.cursor,
            ":pass": job.pass_msec or 0,
            ":left": job.left,
            ":one": 1,
        }
        return self._change_job(job, expression, _IT_IS_AS_READ, {**values, ":revision": job.revision}, _RESERVED)

    def end_job(self, job: StopJob) -> bool:
        """Deletes a job that is done. False: it was begun again meanwhile."""
        key = stop_key(job.what.kind.value, job.what.account_id, job.what.name)
        try:
            with store_errors():
                self._client.delete_item(
                    TableName=self._table,
                    Key=to_wire(key),
                    ConditionExpression=_IT_IS_AS_READ,
                    ExpressionAttributeValues=to_wire({":revision": job.revision}),
                )
        except ConditionFailed:
            return False
        return True

    def _change_job(
        self, job: StopJob, expression: str, condition: str, values: Values, names: Any = None
    ) -> StopJob | None:
        """Changes the item of a job; the job as it is then. None: `condition` did not hold."""
        key = stop_key(job.what.kind.value, job.what.account_id, job.what.name)
        more: Any = {"ExpressionAttributeNames": names} if names else {}
        try:
            with store_errors():
                changed = self._client.update_item(
                    TableName=self._table,
                    Key=to_wire(key),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=to_wire(values),
                    ReturnValues="ALL_NEW",
                    **more,
                )
        except ConditionFailed:
            return None
        return _load_job(from_wire(changed["Attributes"]))

    # --------------------------------------------------------------- requests
    def _query(self, condition: str, values: Values, limit: int) -> list[Values]:
        """The first `limit` items of the index `order` under a condition on its keys; they may be a little behind."""
        with store_errors():
            page = self._client.query(
                TableName=self._table,
                IndexName="order",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=to_wire(values),
                Limit=limit,
            )
        return [from_wire(item) for item in page["Items"]]

    def _get(self, keys: Sequence[Key]) -> list[Values]:
        return read_items(self._client, self._table, keys)

    def _transact(self, updates: list[Any]) -> None:
        with store_errors():
            self._client.transact_write_items(TransactItems=[{"Update": one} for one in updates])


_IT_IS_AS_READ = "revision = :revision"
_RESERVED = {"#cursor": "cursor", "#left": "left"}


def job_part(table: str, what: Stopped, now_msec: int, *, hangs_up: bool, upto: int = 0) -> Any:
    """The part of a transaction that makes a job, or lets one that is there begin again: no worker has it then.

    `upto`: of an account, the last message that is cancelled; of others 0.
    """
    key = stop_key(what.kind.value, what.account_id, what.name)
    values: Values = {
        ":form": FORM,
        ":kind": what.kind.value,
        ":account": what.account_id,
        ":name": what.name,
        ":now": now_msec,
        ":pk": STOPS,
        ":sk": stop_place(now_msec, key["pk"]),
        ":upto": upto,
        ":one": 1,
    }
    # A second request that does not hang up takes nothing back from a first one that does.
    hangs = ", hangs_up = :yes" if hangs_up else ""
    if hangs_up:
        values[":yes"] = True
    return {
        "TableName": table,
        "Key": to_wire(key),
        "UpdateExpression": "SET v = :form, kind = :kind, account_id = :account, #name = :name, begun_msec = :now, "
        f"order_pk = :pk, order_sk = :sk, upto = :upto{hangs} ADD revision :one "
        "REMOVE until_msec, pass_msec, #left, #cursor",
        "ExpressionAttributeNames": {"#name": "name", **_RESERVED},
        "ExpressionAttributeValues": to_wire(values),
    }


# ------------------------------------------------------------------------ codecs
def _flag_key(what: Stopped) -> Key:
    if what.kind is Brake.LIST:
        return list_brake_key(what.name)
    return campaign_key(what.account_id, what.name)


def _load_stop(item: Values) -> Stop:
    cancelled = item.get("cancelled_msec")
    return Stop(None if cancelled is not None else item.get("paused_msec"), cancelled)


def _load_numbers(item: Values) -> CampaignNumbers:
    outcomes = {name.removeprefix(OUTCOME): count for name, count in item.items() if name.startswith(OUTCOME)}
    messages, unfinished = item.get("message_count", 0), item.get("unfinished_count", 0)
    return CampaignNumbers(messages, unfinished, item.get("in_calls", 0), outcomes)


def _load_job(item: Values) -> StopJob:
    """The job in an item. `pass_msec` 0 is stored for None."""
    return StopJob(
        what=Stopped(Brake(item["kind"]), item["account_id"], item["name"]),
        begun_msec=item["begun_msec"],
        hangs_up=item.get("hangs_up", False),
        upto=item.get("upto", 0),
        cursor=item.get("cursor", ""),
        pass_msec=item.get("pass_msec") or None,
        left=item.get("left", 0),
        revision=item["revision"],
    )
