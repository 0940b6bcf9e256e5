"""Rates in a table, and the command that fills it: versions that never change, one look for a number, one currency."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.calls.adapters.call_items import dump_call
from speechcall.calls.adapters.ended_metrics import pricing
from speechcall.dialling.adapters.call_prices import LongestPrices
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from speechcall.menus.rules.walk import CallLimits
from speechcall.messages.adapters import message_items
from speechcall.messages.rules.status_event import StatusEvent, StatusKind
from speechcall.money.adapters import rates_store
from speechcall.money.adapters.rates_store import DynamoRates, OtherCurrency, Versions
from speechcall.money.rules.rate import ONE, Rate
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.adapters.keys import RATES, call_key, delivery_key, spend_key
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.status.adapters.history_store import DynamoHistory
from speechcall.status.adapters.status_reader import DynamoNotices
from speechcall.webhooks.rules.webhook import status_task
from tests.kit.command_line import CliRunner
from tests.kit.registry import TABLE, empty_registry
from tests.kit.samples import CALL, MESSAGE, MID, NOW, QUEUED

UA, KYIV, DE = Rate("380", 60, ONE, 1, 9), Rate("38044", 60, 2 * ONE, 1, 8), Rate("49", 1, ONE, 1, 7)
HEAD = "prefix,firstSeconds,firstPrice,stepSeconds,stepPrice"


@pytest.fixture(scope="module")
def tables():
    with empty_registry() as client:
        yield client


@pytest.fixture
def client(tables):
    yield tables
    for item in tables.scan(TableName=TABLE)["Items"]:
        tables.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})


@pytest.fixture
def store(client):
    return DynamoRates(client, TABLE)


@pytest.fixture
def run(store):
    deployment = SimpleNamespace(rates=store)
    return lambda *given: CliRunner().invoke(app, ["rates", *given, "--local"], obj=lambda _place: deployment)


def test_rates_hold_for_the_calls_that_are_dialled_from_their_import_on(store, client):
    assert store.versions() == Versions()
    assert store.rate_at("+380441", NOW) is None
    first = store.add([UA, KYIV], "EUR", "a", NOW)
    second = store.add([UA, DE], "EUR", "b", NOW + 1000)
    # Whoever has not read of it yet reads it, too.
    for reader in (store, DynamoRates(client, TABLE)):
        assert reader.rate_at("+380441", NOW - 1) is None
        assert reader.rate_at("+380441", NOW) == reader.rate_at("+380441", NOW + 999) == KYIV
        assert reader.rate_at("+380441", NOW + 1000) == UA
        assert reader.rate_at("+491", NOW + 999) is None
        assert reader.rate_at("+491", NOW + 1000) == DE
        assert reader.rate_at("+1", NOW + 1000) is None
        assert [reader.all_of(one) for one in (first, second)] == [[UA, KYIV], [UA, DE]]
    assert store.versions() == Versions("EUR", (first, second), 2)


def test_large_files_are_pages_of_which_one_is_read_for_a_number(store, client, monkeypatch):
    monkeypatch.setattr(rates_store, "PAGE_STRETCHES", 3)
    rates = [Rate(f"{number}", 60, number, 1, 1) for number in range(10, 60, 2)]
    version = store.add(rates, "EUR", "a", NOW)
    read = DynamoRates(client, TABLE)
    keys = []
    client.meta.events.register("before-call.dynamodb.GetItem", lambda params, **_: keys.append(params["body"]))
    assert [read.rate_of(version, f"+{number}0") for number in (9, 10, 11, 34, 58, 59)] == [
        *(None, rates[0], None, rates[12], rates[24], None)
    ]
    assert len(keys) == 1 + 3
    assert read.all_of(version) == rates


def test_the_form_in_which_rates_are_stored(store, client):
    store.add([UA], "EUR", "a", NOW)
    items = {item["sk"]: item for item in map(from_wire, client.scan(TableName=TABLE)["Items"])}
    assert items == {
        "VERSIONS": {
            **RATES,
            "v": 1,
            "currency": "EUR",
            "versions": [{"id": "a", "from_msec": NOW, "rates": 1}],
            "revision": 1,
        },
        "INDEX": {"pk": "RATES#a", "sk": "INDEX", "v": 1, "starts": ["380"]},
        "PAGE#000": {"pk": "RATES#a", "sk": "PAGE#000", "v": 1, "stretches": ["380 380 60 1000000 1 9", "381"]},
    }


def test_of_two_imports_at_once_both_are_kept_and_what_was_later_holds_later(store, client, monkeypatch):
    other, save = DynamoRates(client, TABLE), store._save

    def slow(versions):
        monkeypatch.setattr(store, "_save", save)
        other.add([DE], "EUR", "b", NOW + 5)
        return save(versions)

    monkeypatch.setattr(store, "_save", slow)
    store.add([UA], "EUR", "a", NOW)
    assert [(one.version_id, one.from_msec) for one in store.versions().versions] == [("b", NOW + 5), ("a", NOW + 6)]
    with pytest.raises(OtherCurrency, match="EUR"):
        other.add([DE], "USD", "c", NOW + 9)
    monkeypatch.setattr(store, "_save", lambda _versions: False)
    with pytest.raises(StoreUnavailable):
        store.add([UA], "EUR", "d", NOW)
    assert len(store.versions().versions) == 2


def test_the_oldest_goes_for_the_newest(store, monkeypatch):
    monkeypatch.setattr(rates_store, "MOST_VERSIONS", 2)
    for name in "abc":
        store.add([UA], "EUR", name, NOW)
    assert [one.version_id for one in store.versions().versions] == ["b", "c"]


def test_the_command_takes_a_file_shows_what_holds_and_gives_it_back(run, tmp_path):
    file = tmp_path / "rates.csv"
    text = f"{HEAD}\n380,60,0.5,1,0.008333\n38044,60,1,60,1\n"
    file.write_text(text, encoding="utf-8")
    assert "There are no rates" in run("show").output
    assert run("export").exit_code == 3
    assert "say in which currency" in run("import", str(file)).output
    for wrong in ("eur", "EURO", "€UR"):
        assert run("import", str(file), "--currency", wrong).exit_code == 2
    done = run("import", str(file), "--currency", "EUR")
    assert (done.exit_code, done.output) == (0, "2 rates in EUR hold for the calls that are dialled from now on.\n")
    assert run("export").output == text
    shown = run("show", "--number", "+380671234567").output
    assert "2 rates in EUR hold since 2" in shown
    assert "costs as all of +380: 0.5 EUR for the first 60 s, then 0.008333 for each 1 s that have begun." in shown
    assert "has no rate" in run("show", "--number", "+49301234567").output
    assert run("show", "--number", "0501234567").exit_code == 2
    assert run("import", str(file), "--currency", "USD").exit_code == 3
    assert json.loads(run("import", str(file), "--json").output)["rates"] == 2
    assert "1 earlier imports are kept" in run("show").output
    told = json.loads(run("show", "--json", "--number", "+380441234567").output)
    assert (told["currency"], len(told["versions"]), told["rate"]["firstPrice"]) == ("EUR", 2, 1)
    assert [one["stepPrice"] for one in json.loads(run("export", "--json").output)] == [0.008333, 1]


def test_a_wrong_file_changes_nothing_and_all_that_is_wrong_is_said(run, store, tmp_path):
    file = tmp_path / "rates.csv"
    rows = [f"{number},60,-1,1,x\x1b[2J" for number in range(1, 101)]
    file.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    done = run("import", str(file), "--currency", "EUR")
    assert done.exit_code == 3
    assert [f"line {line}: firstPrice" in done.output for line in (2, 101)] == [True, True]
    assert done.output.count("stepPrice") == 100
    assert "\x1b" not in done.output
    assert "200 mistakes, so none of its rates was taken" in done.output
    told = json.loads(run("import", str(file), "--currency", "EUR", "--json").stdout)
    assert (told["status"], len(told["wrong"])) == (3, 200)
    assert told["wrong"][0] == {"line": 2, "column": "firstPrice", "message": '"-1" is negative'}
    assert store.versions() == Versions()


def test_each_call_of_a_message_keeps_the_rates_under_which_it_was_dialled(store, client):
    """Both tables are one here: their keys differ."""
    ended = {"answered_msec": NOW + 1000, "ended_msec": NOW + 2000, "cause": "hungUp"}
    for attempt, at_msec in ((1, NOW - 1), (2, NOW), (3, NOW + 1000)):
        call = dump_call(CALL._replace(attempt=attempt, dialled_msec=at_msec)) | ended
        client.put_item(TableName=TABLE, Item=to_wire(call))
    event = StatusEvent(StatusKind.FINAL, MID, 3)
    told = {**message_items.dump(replace(MESSAGE, status_url="https://a.example/")), "state": "finished", "attempt": 3}
    facts = {"key": "final", "call_attempt": 3, "event_msec": NOW + 500, "event_outcome": "answered"}
    facts |= {
        "event_reason": "completed",
        "account_id": "acme",
        "delivery": "pending",
        "attempts": [],
        "step": 0,
        "destination": "",
    }
    hook = {
        **delivery_key(MID, event.event_id),
        "mid": MID,
        "seq": 0,
        "menu": 0,
        "event_id": event.event_id,
        "version": 0,
    }
    for item in (told, hook | facts):
        client.put_item(TableName=TABLE, Item=to_wire(item))
    history = DynamoHistory(client, TABLE, store)
    assert history.read(MID).prices is None
    store.add([UA], "EUR", "a", NOW)
    store.add([UA._replace(first_price=2 * ONE)], "EUR", "b", NOW + 1000)
    prices = history.read(MID).prices
    assert (prices.currency, {name: rate.first_price for name, rate in prices.rates.items()}) == (
        "EUR",
        {2: ONE, 3: 2 * ONE},
    )
    assert DynamoHistory(client, TABLE).read(MID).prices is None
    body = lambda: json.loads(DynamoNotices(client, TABLE, TABLE).find(status_task(event)).body)  # noqa: E731
    assert "cost" not in body()  # of the first call nothing is known
    client.delete_item(TableName=TABLE, Key=to_wire(call_key(MID, 1)))
    assert (body()["cost"], body()["costCurrency"]) == (3, "EUR")
    # What is told of a moment before all rates does not change with them.
    client.put_item(TableName=TABLE, Item=to_wire(hook | facts | {"event_msec": NOW - 1}))
    assert "cost" not in body()


def test_what_a_call_may_cost_goes_by_its_menus_and_the_rates_of_the_moment(store):
    prices = LongestPrices(store, CallLimits(seconds=900))
    assert prices(QUEUED, NOW) is None
    store.add([Rate("380", 60, 5, 1, 1)], "EUR", "a", NOW)
    # 33 s for the menu, 30 s in which the telephony may hold, 10 s for the end.
    assert prices(QUEUED, NOW) == 5 + 13
    again = Menu("a", 1000, {"d1": (GotoMenu(0),), "wrong": (Hangup(),)})
    assert prices(replace(QUEUED, menus=(again,)), NOW) == 5 + 900 + 33 + 40 - 60
    assert LongestPrices(store, CallLimits(2, 900))(replace(QUEUED, menus=(again,)), NOW) == 5 + 66 + 40 - 60
    assert prices(replace(QUEUED, number="+4930"), NOW) is None


def test_the_end_of_a_call_asks_for_the_rate_of_its_own_moment(store, client):
    rate_at = pricing(client, TABLE)
    assert rate_at("+380441", NOW) is None
    store.add([UA], "EUR", "a", NOW)
    assert [rate_at("+380441", moment) for moment in (NOW - 1, NOW)] == [None, UA]


def test_a_check_knows_the_rates_of_now_and_what_a_limited_account_has_spent(store, client):
    lists, limited = DynamoLists(client, TABLE), Account("acme", ("*",), spend_per_day=9)
    assert lists.costs_of(limited, NOW) is None
    store.add([UA], "EUR", "a", NOW)
    day = {**spend_key("acme", f"{datetime.fromtimestamp(NOW / 1000, UTC):%Y-%m-%d}"), "spent_amount": 7}
    client.put_item(TableName=TABLE, Item=to_wire(day))
    found = lists.costs_of(limited, NOW)
    assert (found.currency, found.rate_of("+380441"), found.rate_of("+1"), found.spent) == ("EUR", UA, None, 7)
    assert lists.costs_of(replace(limited, spend_per_day=None), NOW).spent == 0
