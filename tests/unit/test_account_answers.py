"""What an account is told of itself, of the webhooks that were given up, and its new webhook secrets."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter
from standardwebhooks import Webhook as Verifier

from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Credential
from speechcall.api.rules import answers
from speechcall.menus.rules.menu import Hangup, Menu, Webhook
from speechcall.shared.rules.calling_hours import Window
from speechcall.shared.rules.errors import RequestError, StoreUnavailable, TooManySecrets
from speechcall.shared.rules.timing import utc_text
from speechcall.status.use_cases.read_account import read_account
from speechcall.status.use_cases.read_webhooks import REPLAYED_AT_ONCE, read_webhooks, replay_webhooks
from speechcall.webhooks.rules.webhook import WebhookAnswer, webhook_request
from speechcall.webhooks.use_cases.give_secret import KEPT_MSEC, give_secret
from speechcall.webhooks.use_cases.webhook_secrets import MAX_SECRETS, Signer
from tests.kit.samples import MESSAGE, NOW, FakeClock
from tests.kit.webhook_bench import WebhookBench, task_of
from tests.stores.webhook_secrets import MemoryWebhookSecrets, seal, unseal

ACME, OTHER = Account("acme", ("*",)), Account("other", ("*",))
MANY = REPLAYED_AT_ONCE + 20
THREE = replace(MESSAGE, menus=(Menu("a", 1000, {"d1": (Webhook("https://a.example/"), Hangup())}),))


# ------------------------------------------------------------------- the account
def account(calls=0, used_msec=0, **settings):
    credential = Credential("acme", "f" * 64, frozenset({Scope.READ, Scope.MANAGE}), "shop", ("203.0.113.0/24",))
    told = read_account(replace(ACME, **settings), credential, NOW, lambda *_: calls, lambda *_: used_msec)
    TypeAdapter(answers.AccountStatus).validate_python(told)
    return told


def test_an_account_is_told_what_it_may_do_and_has_done_and_no_secret():
    told = account(
        calls=7,
        calls_per_day=50,
        max_lines=3,
        denied=("+38044",),
        senders={"BazarCOM": "+4930123456"},
        windows=(Window(540, 1200, (0, 4)), Window(1320, 1440)),
        time_zone="recipient",
        keep_days=90,
    )
    assert (told["account"], told["key"], told["scopes"]) == ("acme", "shop", ["manage", "read"])
    assert told["limits"] | {"callsPerDay": 50, "maxLines": 3, "messagesPerSecond": 50} == told["limits"]
    assert told["usedToday"] == {"calls": 7, "minutes": None, "spend": None, "endsAt": "2026-09-22T00:00:00.000Z"}
    assert "costCurrency" not in told
    assert told["destinations"] == {"allowed": ["*"], "denied": ["+38044"], "premium": False}
    assert told["senders"] == {"BazarCOM": "+4930123456"}
    assert told["windows"][0] == {"from": "09:00", "to": "20:00", "days": ["mon", "fri"]}
    assert (told["windows"][1]["from"], told["windows"][1]["to"]) == ("22:00", "24:00")
    assert (told["timeZone"], told["keepDays"]) == ("recipient", 90)
    assert "f" * 64 not in json.dumps(told)
    assert "203.0.113" not in json.dumps(told)


@pytest.mark.parametrize(("used_msec", "minutes"), [(0, 0), (90_000, 1.5), (1, 0.1), (-1, 0), (60_000 * 7, 7)])
def test_an_account_with_minutes_is_told_how_many_of_its_day_are_used(used_msec, minutes):
    assert account(used_msec=used_msec, minutes_per_day=10)["usedToday"]["minutes"] == minutes
    assert account(used_msec=used_msec)["usedToday"]["minutes"] is None  # nobody counts them


@pytest.mark.parametrize(("spent", "told"), [(0, 0), (12_345_678, 12.345678), (-1, 0)])
def test_an_account_that_may_spend_so_much_is_told_what_it_has_spent(spent, told):
    credential, limited = Credential("acme", ""), replace(ACME, spend_per_day=12_500_000)
    given = (limited, credential, NOW, lambda *_: 0, lambda *_: 0)
    found = read_account(*given, spent_of_day=lambda *asked: spent * (asked == ("acme", NOW)), currency=lambda: "EUR")
    TypeAdapter(answers.AccountStatus).validate_python(found)
    shown = (found["limits"]["spendPerDay"], found["usedToday"]["spend"], found["costCurrency"])
    assert shown == (12.5, told, "EUR")
    assert account()["limits"]["spendPerDay"] is None


def test_the_day_is_that_of_utc():
    asked = []
    credential = Credential("acme", "")
    read_account(ACME, credential, NOW, lambda *given: asked.append(given) or 0, lambda *_: pytest.fail("asked"))
    assert asked == [("acme", NOW)]
    assert account()["key"] == "shop"
    assert read_account(ACME, credential, NOW, lambda *_: 0, lambda *_: 0)["key"] is None


# ------------------------------------------------------------------- webhooks
class Bench(WebhookBench):
    """Many webhooks of an account: each was refused, but the third of every five was given up after its attempts."""

    def prepare(self, count=MANY):
        for number in range(count):
            self.put(replace(task_of(THREE), seq=number, event_id=f"{task_of(THREE).event_id}-{number:03}"))
        self.run()
        self.sent[:] = []
        return self

    def listed(self, account=ACME, **query):
        told = read_webhooks(account, query, deliveries=self.deliveries)
        TypeAdapter(answers.WebhookList).validate_python(told)
        return told

    def replayed(self, account=ACME, **given):
        self.clock.msec += 1000  # what is given up in the moment of the request itself is not its
        used: Any = {"deliveries": self.deliveries, "queue": self.queue, "clock": self.clock}
        told = replay_webhooks(account, json.dumps(given).encode(), **used)
        TypeAdapter(answers.AccountReplayed).validate_python(told)
        return told


@pytest.fixture
def bench():
    drawn = itertools.count()
    return Bench(lambda _request: WebhookAnswer(503 if next(drawn) % 5 == 3 else 410), THREE)


def pages(ask, **given):
    """All pages of a listing, or of a replay."""
    found = [ask(**given)]
    while "nextCursor" in found[-1]:
        found.append(ask(**given, cursor=found[-1]["nextCursor"]))
    return found


def test_what_was_given_up_is_listed_page_by_page_the_latest_first(bench):
    bench.prepare()
    found = [one for page in pages(bench.listed, limit="50") for one in page["webhooks"]]
    assert len(found) == len({one["webhookId"] for one in found}) == MANY
    assert [one["givenUpAt"] for one in found] == sorted((one["givenUpAt"] for one in found), reverse=True)
    assert {one["state"] for one in found} <= {"failed", "dead"}
    first = found[0]
    assert first["destination"] == "https://a.example"
    assert first["messageId"] == MESSAGE.mid
    assert first["attempts"] >= 1
    assert first["lastAttempt"]["status"] in (410, 503)
    assert bench.listed(OTHER) == {"webhooks": []}


def test_only_those_of_a_state_and_since_a_moment(bench):
    bench.prepare()
    found = [one for page in pages(bench.listed, limit="100") for one in page["webhooks"]]
    for state in ("dead", "failed"):
        only = [one for page in pages(bench.listed, limit="7", state=state) for one in page["webhooks"]]
        assert only == [one for one in found if one["state"] == state]
    middle = found[MANY // 2]["givenUpAt"]
    since = [one for page in pages(bench.listed, limit="100", since=middle) for one in page["webhooks"]]
    assert since == [one for one in found if one["givenUpAt"] >= middle]


def test_all_of_an_account_are_sent_again_a_hundred_at_a_time_and_each_once(bench):
    bench.prepare()
    last = bench.listed()["webhooks"][0]["givenUpAt"]
    bench.clock.msec += 60_000
    assert bench.replayed(OTHER, since="2020-01-01T00:00:00Z") == {"replayed": []}
    first = bench.replayed(since="2020-01-01T00:00:00+02:00")
    assert len(first["replayed"]) == REPLAYED_AT_ONCE
    # They are refused again at once, and given up anew: that is not sent again by the next part
    bench.run()
    bench.clock.msec += 60_000
    second = bench.replayed(since="2020-01-01T00:00:00+02:00", cursor=first["nextCursor"])
    assert len(second["replayed"]) == MANY - REPLAYED_AT_ONCE
    assert "nextCursor" not in second
    assert not set(first["replayed"]) & set(second["replayed"])
    assert last < utc_text(bench.clock.msec)


def test_what_is_tried_again_is_not_listed_and_not_replayed_twice(bench):
    bench.prepare(3)
    assert len(bench.replayed(since="2020-01-01T00:00:00Z")["replayed"]) == 3
    assert bench.listed() == {"webhooks": []}
    assert bench.replayed(since="2020-01-01T00:00:00Z") == {"replayed": []}


def test_nothing_was_given_up_in_the_future(bench):
    bench.prepare(1)
    assert bench.replayed(since="9999-12-31T23:59:59Z") == {"replayed": []}
    assert bench.listed(since="9999-12-31T23:59:59Z") == {"webhooks": []}
    assert len(bench.listed(since="0001-01-01T00:00:00+14:00")["webhooks"]) == 1


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": 7}, "since"),
        ({"since": "2026-12-01T07:00:00Z", "state": "pending"}, "state"),
        ({"since": "2026-12-01T07:00:00Z", "until": "2026-12-02T07:00:00Z"}, "until"),
        ({"since": "2026-12-01T07:00:00Z", "cursor": "2"}, "cursor"),
        ({"since": "2026-12-01T07:00:00Z", "cursor": 2}, "cursor"),
        ([], ""),
    ],
)
def test_a_replay_that_says_something_unknown_is_refused(bench, given, path):
    bench.prepare(1)
    with pytest.raises(RequestError) as refused:
        replay_webhooks(
            ACME, json.dumps(given).encode(), deliveries=bench.deliveries, queue=bench.queue, clock=bench.clock
        )
    assert [problem.path for problem in refused.value.problems] == [path]
    assert len(bench.listed()["webhooks"]) == 1


def test_a_cursor_is_good_for_its_own_replay_alone(bench):
    bench.prepare()
    since = "2020-01-01T00:00:00Z"
    cursor = bench.replayed(since=since)["nextCursor"]
    for other in ({"since": "2021-01-01T00:00:00Z"}, {"since": since, "state": "dead"}):
        with pytest.raises(RequestError):
            bench.replayed(**other, cursor=cursor)
    with pytest.raises(RequestError):
        bench.replayed(OTHER, since=since, cursor=cursor)
    with pytest.raises(RequestError):
        bench.listed(cursor=cursor)


# --------------------------------------------------------------------- secrets
class Desk:
    """An account's secrets, and the clock."""

    def __init__(self):
        self.store, self.clock, self.drawn = MemoryWebhookSecrets(), FakeClock(), itertools.count()

    def give(self, body=b""):
        used: Any = {"store": self.store, "seal": seal, "now_msec": self.clock.msec}
        told = give_secret("acme", body, **used, random_bytes=lambda size: bytes([next(self.drawn)]) * size)
        TypeAdapter(answers.SecretGiven).validate_python(told)
        return told

    def verifies(self, secret):
        moment = self.clock.msec // 1000
        request = webhook_request(MESSAGE, Webhook("https://a.example/"), "1-1-2-m0-d1-0", moment)
        headers = dict(Signer(self.store, unseal, self.clock)("acme", request).headers)
        return any(
            signature
            == Verifier(secret).sign("1-1-2-m0-d1-0", datetime.fromtimestamp(moment, UTC), request.body.decode())
            for signature in headers["webhook-signature"].split()
        )


def test_a_new_secret_signs_and_the_one_before_for_a_day_more():
    desk = Desk()
    first = desk.give()
    assert first["olderSignUntil"] is None
    desk.clock.msec += 1000
    second = desk.give(b"{}")
    assert second["webhookSecret"] != first["webhookSecret"]
    assert second["olderSignUntil"] == utc_text(desk.clock.msec + KEPT_MSEC)
    assert desk.verifies(first["webhookSecret"])
    assert desk.verifies(second["webhookSecret"])
    desk.clock.msec += KEPT_MSEC
    assert not desk.verifies(first["webhookSecret"])
    assert desk.verifies(second["webhookSecret"])


def test_only_so_many_sign_at_a_time():
    desk = Desk()
    given = [desk.give() for _ in range(MAX_SECRETS)]
    with pytest.raises(TooManySecrets, match=utc_text(desk.clock.msec + KEPT_MSEC)):
        desk.give()
    assert all(desk.verifies(one["webhookSecret"]) for one in given)
    desk.clock.msec += KEPT_MSEC
    assert desk.give()["olderSignUntil"] is not None


@pytest.mark.parametrize("body", [b'{"keepHours": 0}', b"[]", b"0", b"{"])
def test_a_wish_that_is_not_known_gives_no_secret(body):
    desk = Desk()
    with pytest.raises(RequestError):
        desk.give(body)
    assert desk.store.kept == {}


def test_two_in_the_same_moment_have_a_secret_each():
    desk = Desk()
    real, others = desk.store.replace, []

    def after_another(account_id, secrets, instead_of):
        desk.store.replace = real
        others.append(desk.give()["webhookSecret"])
        return real(account_id, secrets, instead_of)

    desk.store.replace = after_another
    own = desk.give()["webhookSecret"]
    assert desk.verifies(own)
    assert desk.verifies(others[0])


@pytest.mark.parametrize("rotations", range(1, MAX_SECRETS + 1))
@pytest.mark.parametrize("read", [1, 2])
def test_what_is_told_is_what_was_replaced_whoever_rotates_before_a_read(read, rotations):
    # Given an account without a secret, and others who rotate just before a read of one's own
    desk = Desk()
    real, left = desk.store.secrets_of, iter(range(read))

    def behind_others(account_id):
        if next(left, None) == read - 1:
            desk.store.secrets_of = real
            for _ in range(rotations):
                desk.clock.msec += 1000
                desk.give()
        return real(account_id)

    desk.store.secrets_of = behind_others
    # When one gives oneself a secret
    try:
        told = desk.give()["olderSignUntil"]
    except TooManySecrets as refused:
        told = str(refused)
    # Then one is told what was found: when the last of those before it ends, or, of too many, the first
    newest, *older = desk.store.kept["acme"]
    ends = [one.until_msec for one in older]
    if newest.created_msec != NOW:  # it is none of one's own
        assert len(older) == MAX_SECRETS - 1
        assert told.endswith(f"ends at {utc_text(min(ends))}.")
    else:
        assert told == (utc_text(max(ends)) if ends else None)


def test_one_who_never_gets_a_turn_is_told_to_come_again():
    desk = Desk()
    desk.store.replace = lambda *_: False
    with pytest.raises(StoreUnavailable):
        desk.give()
