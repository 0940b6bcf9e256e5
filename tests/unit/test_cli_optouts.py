"""`speechcall optout …`, on opt-outs in memory."""

import json
from types import SimpleNamespace

import pytest

from cli.main import app
from cli.optouts import read_rows
from speechcall.accounts.rules.account import Account
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.timing import utc_text
from tests.kit.command_line import CliRunner
from tests.kit.samples import NOW

NUMBER = "+380671234567"
_IMPORT = ("import", "acme", "numbers.csv")
WRONG_AGES = [
    (*_IMPORT, "--max-age", "31"),
    (*_IMPORT, "--as-of", "2026-01-01"),
    (*_IMPORT, "--list", "register", "--max-age", "31", "--as-of", "2999-01-01"),
    (*_IMPORT, "--list", "register", "--max-age", "31", "--as-of", "yesterday"),
    (*_IMPORT, "--list", "register", "--max-age", "0"),
]


@pytest.fixture
def store():
    return MemoryOptOuts()


@pytest.fixture
def run(store):
    accounts = SimpleNamespace(find={"acme": Account("acme", ("*",))}.get)
    deployment = SimpleNamespace(accounts=accounts, opt_outs=store)

    def invoke(*arguments, **given):
        return CliRunner().invoke(app, ["optout", *arguments, "--local"], obj=lambda _place: deployment, **given)

    return invoke


def test_a_file_of_numbers_is_added_once(run, store, tmp_path):
    file = tmp_path / "numbers.csv"
    file.write_bytes(b"\xef\xbb\xbfnumber,date\r\n+380671234567,2026-01-02\r\n\r\n380671234568\r\n+380671234567\r\n")
    done = run("import", "acme", str(file), "--list", "marketing")
    assert done.output == "2 numbers were added to the list marketing of acme.\n"
    assert run("import", "acme", str(file), "--list", "marketing").output.splitlines() == [
        "0 numbers were added to the list marketing of acme.",
        "2 stood there already, and stay as they were.",
    ]
    assert {one.by for one in store.found.values()} == {By.IMPORT}
    listed = json.loads(run("list", "acme", "--json").output)
    assert sorted(one["ending"] for one in listed) == ["67", "68"]
    assert "671234567" not in run("list", "acme").output + run("export", "acme").output


def test_wrong_lines_are_named_and_nothing_is_added(run, store, tmp_path):
    file = tmp_path / "numbers.csv"
    file.write_text(
        "+380671234567\n0501234567\n+380671234568,yesterday\n+380671234569,2026-01-01,x\n+49301234567,2999-01-01\n"
    )
    done = run("import", "acme", str(file))
    assert done.exit_code == 3
    for line in (2, 3, 4, 5):
        assert f"line {line}: " in done.output
    assert "0501234567" not in done.output
    assert store.found == {}
    assert "There is no account none" in run("import", "none", str(file)).output


def test_a_register_has_an_age_and_who_stands_in_it_for_long_stays_in_it(run, store, tmp_path):
    file = tmp_path / "register.csv"
    file.write_text("+380671234567,2020-01-02\n+380671234568\n")
    register = ("import", "acme", str(file), "--list", "register", "--max-age", "31")
    assert "older than 31 days, so nothing was added" in run(*register, "--as-of", "2020-01-02").output
    assert (store.found, store.until) == ({}, {})
    before = SystemClock().now_msec()
    assert "2 numbers were added to the list register of acme.\nThe list holds until 2" in run(*register).output
    until = store.until["acme", "register"]
    assert 0 <= until - before - 31 * 86_400_000 < 60_000
    day = utc_text(before - 86_400_000)[:10]
    assert run(*register, "--as-of", day).exit_code == 0
    assert store.until["acme", "register"] < until


def test_a_newer_file_replaces_what_earlier_ones_brought_and_nothing_else(run, store, tmp_path):
    file = tmp_path / "register.csv"
    file.write_text("+380671234567\n+380671234568\n")
    run("import", "acme", str(file), "--list", "register")
    store.add("acme", OptOut("register", store.digest("+380671234569"), "69", NOW, By.KEY, mid="7"))
    store.add("acme", OptOut("", store.digest("+380671234566"), "66", NOW, By.IMPORT))
    file.write_text("+380671234568\n")
    done = run("import", "acme", str(file), "--list", "register", "--replace")
    assert "1 of earlier files are not in this one, and were removed." in done.output
    listed = json.loads(run("list", "acme", "--json").output)
    assert sorted(one["ending"] for one in listed) == ["66", "68", "69"]
    file.write_text("number\n")
    assert "has no number, so nothing was changed" in run("import", "acme", str(file), "--replace").output


@pytest.mark.parametrize(("content", "line"), [(b"+380671234567\n\xff\n", 2), (b"\xff", 1)])
def test_a_file_that_is_no_text_is_wrong(content, line):
    assert read_rows(content, NOW) == ([], [f"line {line}: no UTF-8"])


def test_a_callees_own_is_removed_only_with_a_consent_and_stays_as_evidence(run, store):
    store.add("acme", OptOut("", store.digest(NUMBER), "67", NOW, By.KEY, mid="7"))
    assert "opted out by a key" in run("remove", "acme", NUMBER).output
    assert run("remove", "acme", NUMBER, "--basis", "form").exit_code == 2
    before = ["--basis", "form", "--at", utc_text(NOW), "--ref", "order 4711"]
    assert "The consent is from before." in run("remove", "acme", NUMBER, *before).output
    consent = ["--basis", "=form", "--at", "2026-11-30T09:00:00Z", "--ref", "order 4711"]
    done = run("remove", "acme", "-", *consent, input=f"{NUMBER}\n")
    assert done.output == "The number that ends in 67 may be called again, as far as this list goes.\n"
    assert "not on the own list" in run("remove", "acme", NUMBER).output
    heading, line = run("export", "acme").output.splitlines()
    assert heading.startswith("list,digest,ending,optedOutAt,by")
    assert line.endswith(",'=form,2026-11-30T09:00:00Z,order 4711")
    assert run("list", "acme").output == "Nobody has opted out.\n"


@pytest.mark.parametrize(
    "arguments", [("remove", "acme", "067"), ("list", "acme", "--lists"), ("import", "acme"), *WRONG_AGES]
)
def test_what_cannot_be_is_refused(run, arguments):
    assert run(*arguments).exit_code == 2
