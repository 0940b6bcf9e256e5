"""What the audit trail keeps of a change, and what it does while others write the same items."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from speechcall.evidence.adapters.audit_trail import TRIES, AuditTrail, dump, load
from speechcall.evidence.rules.audit import Actor, AuditRecord, By, Change, actor_of_arn, actor_of_key, masked
from speechcall.shared.adapters.table import ConditionFailed, from_wire, store_errors, to_wire
from tests.kit.samples import NOW, FakeClock

DIGITS = "0123456789"
SEPARATORS = ("", " ", "-", ".", ") ")


@given(
    st.text(max_size=20),
    st.text(DIGITS, min_size=7, max_size=15),
    st.lists(st.sampled_from(SEPARATORS), min_size=14, max_size=14),
    st.text(max_size=20),
)
def test_no_text_keeps_a_whole_number_however_it_is_written(before: str, number: str, between: list[str], after: str):
    written = "".join(digit + between[place] for place, digit in enumerate(number[:-1])) + number[-1]
    kept = masked({written: [{"name": f"{before}{written}{after}"}]})
    in_one = re.sub(r"[\s().-]", "", json.dumps(kept))
    assert number not in in_one or number.startswith("20")  # a date, in a name
    assert written not in json.dumps(kept) or re.match(r"20\d\d-\d\d-\d\d", written)


def test_ids_dates_and_addresses_stay_what_they_are():
    kept = {
        "messageId": "227633266688000007",
        "fromIps": ["203.0.113.0/24"],
        "name": "spring-2026-11-30",
        "rate": 10**9,
    }
    assert masked(kept) == kept
    assert masked({"introId": "227633266688000007", "deny": ["+380671234567"]}) == {
        "introId": "2276…",
        "deny": ["+3806…"],
    }


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::123456789012:user/teams/jane", "user/teams/jane"),
        ("arn:aws:sts::123456789012:assumed-role/Admin/jane@example.com", "assumed-role/Admin/jane@example.com"),
        ("arn:aws-cn:iam::123456789012:root", "root"),
    ],
)
def test_an_operator_is_named_by_the_end_of_the_arn(arn: str, name: str):
    assert actor_of_arn(arn) == Actor(By.OPERATOR, name)


def test_a_key_without_a_name_is_the_accounts():
    assert (actor_of_key(None), actor_of_key("till")) == (Actor(By.ACCOUNT), Actor(By.KEY, "till"))


def test_a_record_is_read_as_it_was_written():
    record = AuditRecord("7", NOW, Change("pool set", Actor(By.LOCAL), "acme", {"at": "x"}), {"a": None}, {"a": [1]})
    assert load(from_wire(to_wire(dump(record)))) == record


class Busy:
    """DynamoDB, where others are at the same items."""

    def __init__(self, *reasons: list[str]) -> None:
        self.reasons, self.asked = list(reasons), []

    def transact_write_items(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        if not self.reasons:
            return {}
        reasons = [{"Code": code} for code in self.reasons.pop(0)]
        error: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise ClientError(error, "TransactWriteItems")

    def update_item(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        return {}


def write(busy: Any, waits: list[float]) -> Any:
    trail = AuditTrail(busy, "registry", FakeClock(), waits.append)
    with trail.recording(lambda: Change("pool set", Actor(By.LOCAL))), store_errors():
        trail.client.update_item(TableName="registry", Key={})
        trail.client.update_item(TableName="registry", Key={})
    return busy.asked


def test_a_transaction_that_meets_another_is_tried_again_and_the_record_is_the_same():
    waits: list[float] = []
    asked = write(Busy(["TransactionConflict", "None"], ["None", "ThrottlingError"]), waits)
    assert len(waits) == 2
    assert asked[0] == asked[1] == asked[2]
    # What comes behind it is a plain write
    assert "TransactItems" not in asked[3]


def test_a_condition_that_does_not_hold_is_not_tried_again():
    busy = Busy(["ConditionalCheckFailed", "None"])
    with pytest.raises(ConditionFailed) as failed:
        write(busy, [])
    assert len(busy.asked) == 1
    assert [*failed.value.items] == [0]


def test_a_table_that_is_busy_for_long_is_told():
    busy = Busy(*[["TransactionConflict", "None"]] * 99)
    with pytest.raises(Exception, match="TransactionConflict"):
        write(busy, [])
    assert len(busy.asked) == TRIES
