"""Opt-outs: added, taken back, asked for; and what a claim makes of them. In memory and on DynamoDB."""

from dataclasses import replace
from typing import Any

import pytest

from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import LineTaken, OptedOut
from speechcall.optouts.adapters.digests import NumberDigests
from speechcall.optouts.adapters.opt_outs_store import DynamoOptOuts
from speechcall.optouts.rules.opt_out import By, Consent, OptOut
from tests.kit.registry import client_of_kms
from tests.kit.samples import MESSAGE, NOW

NUMBER = "+380671234567"
CONSENT = Consent("form", "2026-11-30T09:00:00Z", "order 4711")
POOL = Pool(10, 10)


@pytest.fixture
def opt_outs(stores, request) -> Any:
    if not hasattr(stores.messages, "_client"):
        return stores.messages.opt_outs
    kms = client_of_kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    table = stores.registry_table
    return DynamoOptOuts(stores.client, table, NumberDigests(stores.client, table, lambda: kms, key))


def entry(opt_outs, number=NUMBER, **changes):
    return replace(OptOut("", opt_outs.digest(number), number[-2:], NOW, By.API), **changes)


def test_an_opt_out_holds_until_it_is_taken_back_and_may_come_again(opt_outs):
    added = entry(opt_outs, reason="asked by mail")
    assert opt_outs.add("acme", added)
    assert not opt_outs.add("acme", entry(opt_outs, by=By.IMPORT, since_msec=NOW + 1))
    assert opt_outs.find("acme", "", added.digest) == added
    names = {(added.digest, ""), (added.digest, "marketing"), (opt_outs.digest("+380670000000"), "")}
    assert opt_outs.opted_out("acme", names) == {(added.digest, "")}
    assert opt_outs.opted_out("other", names) == set()
    assert opt_outs.remove("acme", added, CONSENT, NOW + 5)
    assert not opt_outs.remove("acme", added, CONSENT, NOW + 6)
    assert opt_outs.opted_out("acme", names) == set()
    assert opt_outs.find("acme", "", added.digest) == replace(added, removed_msec=NOW + 5, consent=CONSENT)
    again = entry(opt_outs, by=By.KEY, mid="7", since_msec=NOW + 9)
    assert opt_outs.add("acme", again)
    assert opt_outs.find("acme", "", added.digest) == again


def test_a_list_with_an_age_holds_until_a_moment_and_others_for_ever(opt_outs):
    opt_outs.set_holds_until("acme", "register", NOW)
    opt_outs.set_holds_until("acme", "register", NOW + 5)
    assert opt_outs.holds_until("acme", ["register", "news"]) == {"register": NOW + 5}
    assert opt_outs.holds_until("other", ["register"]) == {}
    assert opt_outs.page("acme", None, 10, None, all_=True).found == []


def test_what_the_callee_did_outweighs_what_others_wrote_and_nothing_outweighs_it(opt_outs):
    read = entry(opt_outs, reason="asked by mail")
    by_key = entry(opt_outs, by=By.KEY, mid="7", since_msec=NOW + 1)
    assert opt_outs.add("acme", read)
    assert opt_outs.add("acme", by_key)
    assert not opt_outs.add("acme", replace(by_key, mid="8"))
    assert not opt_outs.add("acme", read)
    assert not opt_outs.remove("acme", read, None, NOW + 2)
    assert opt_outs.find("acme", "", by_key.digest) == by_key


@pytest.mark.parametrize(("first", "then"), [(By.KEY, By.CALL_BACK), (By.CALL_BACK, By.KEY)])
def test_who_calls_back_counts_as_much_as_who_presses_a_key(opt_outs, first, then):
    own = entry(opt_outs, by=first, mid="7")
    assert opt_outs.add("acme", entry(opt_outs, by=By.IMPORT))
    assert opt_outs.add("acme", own)
    assert not opt_outs.add("acme", entry(opt_outs, by=then, mid="8"))
    assert not opt_outs.add("acme", entry(opt_outs, by=By.OPERATOR))
    assert opt_outs.find("acme", "", own.digest) == own


def test_entries_are_told_in_pages_by_list(opt_outs):
    for number in range(5):
        opt_outs.add("acme", entry(opt_outs, f"+38067000000{number}", list_name="news"))
    opt_outs.add("acme", entry(opt_outs))
    opt_outs.add("other", entry(opt_outs, "+380501111111"))
    gone = entry(opt_outs, "+380670000003", list_name="news")
    opt_outs.remove("acme", gone, None, NOW)

    def told(list_name, *, all_):
        found, cursor = [], None
        while True:
            page = opt_outs.page("acme", list_name, 2, cursor, all_=all_)
            assert len(page.found) <= 2
            found += page.found
            if not page.cursor:
                return found
            cursor = page.cursor

    assert len(told("news", all_=False)) == 4
    assert [one.list_name for one in told(None, all_=True)] == ["", *["news"] * 5]
    assert told("", all_=False) == [entry(opt_outs)]
    assert len({one.digest for one in told(None, all_=True)}) == 6


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "bWFya2V0aW5n"])
def test_a_cursor_of_others_is_refused(opt_outs, cursor):
    with pytest.raises(ValueError):  # noqa: PT011, of which kind does not matter
        opt_outs.page("acme", None, 2, cursor, all_=False)


@pytest.mark.parametrize(
    ("on", "message", "claim"),
    [
        ("", {}, OptedOut()),
        ("news", {}, LineTaken()),
        ("news", {"opt_out_lists": ("sales", "news")}, OptedOut()),
        ("", {"ignores_opt_out": True}, LineTaken()),
        ("", {"number_digest": ""}, LineTaken()),
    ],
)
def test_a_claim_asks_whether_the_number_has_opted_out(messages, opt_outs, on, message, claim):
    wanted = replace(MESSAGE, number_digest=opt_outs.digest(MESSAGE.number))
    wanted = replace(wanted, **message)
    messages.add([wanted])
    messages.queue(wanted, (), NOW)
    opt_outs.add(MESSAGE.account_id, entry(opt_outs, MESSAGE.number, list_name=on))
    queued = messages.get(MESSAGE.mid)
    assert (queued.number_digest, queued.opt_out_lists) == (wanted.number_digest, wanted.opt_out_lists)
    assert messages.claim_line(queued, "arn:flow", POOL, NOW) == claim
    assert messages.get(MESSAGE.mid).state is (State.CALLING if claim == LineTaken() else State.QUEUED)


def test_two_that_make_the_key_at_once_have_the_same(dynamodb):
    kms = client_of_kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    table = dynamodb.registry_table
    one, two = (NumberDigests(dynamodb.client, table, lambda: kms, key) for _ in range(2))
    two._make()
    assert two._stored()
    one._make()  # comes late: the key stays
    assert one.of(NUMBER) == two.of(NUMBER) == NumberDigests(dynamodb.client, table, lambda: kms, key).of(NUMBER)
    assert NUMBER not in str(dynamodb.client.scan(TableName=table)["Items"])
