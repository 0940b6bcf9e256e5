"""`speechcall optout …`, on opt-outs in memory."""

import json
from types import SimpleNamespace

import pytest

from cli.main import app
from cli.optouts import read_rows
from speechcall.accounts.rules.account import Account
from speechcall.optouts.rules.opt_out import By, OptOut
from tests.kit.command_line import CliRunner
from tests.kit.samples import NOW
from tests.stores.opt_outs import MemoryOptOuts

NUMBER = "+380671234567"


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
    assert done.exit_code == 1
    for line in (2, 3, 4, 5):
        assert f"line {line}: " in done.output
    assert "0501234567" not in done.output
    assert store.found == {}
    assert "There is no account none" in run("import", "none", str(file)).output


def test_what_is_too_old_is_left_out_and_what_has_no_date_is_wrong(run, store, tmp_path):
    file = tmp_path / "numbers.csv"
    file.write_text("+380671234567,2020-01-02\n+380671234568,2999-01-01\n")
    old = file.with_name("old.csv")
    old.write_text("+380671234567,2020-01-02\n")
    assert "1 are older than 31 days" in run("import", "acme", str(old), "--max-age", "31").output
    assert store.found == {}
    old.write_text("+380671234567\n")
    assert "line 1: no date, and --max-age needs one" in run("import", "acme", str(old), "--max-age", "31").output


@pytest.mark.parametrize(("content", "line"), [(b"+380671234567\n\xff\n", 2), (b"\xff", 1)])
def test_a_file_that_is_no_text_is_wrong(content, line):
    assert read_rows(content, NOW, dated=False) == ([], [f"line {line}: no UTF-8"])


def test_a_callees_own_is_removed_only_with_a_consent_and_stays_as_evidence(run, store):
    store.add("acme", OptOut("", store.digest(NUMBER), "67", NOW, By.KEY, mid="7"))
    assert "opted out by a key" in run("remove", "acme", NUMBER).output
    assert run("remove", "acme", NUMBER, "--basis", "form").exit_code == 2
    consent = ["--basis", "=form", "--at", "2026-11-30T09:00:00Z", "--ref", "order 4711"]
    done = run("remove", "acme", "-", *consent, input=f"{NUMBER}\n")
    assert done.output == "The number that ends in 67 may be called again, as far as this list goes.\n"
    assert "not on the own list" in run("remove", "acme", NUMBER).output
    heading, line = run("export", "acme").output.splitlines()
    assert heading.startswith("list,digest,ending,optedOutAt,by")
    assert line.endswith(",'=form,2026-11-30T09:00:00Z,order 4711")
    assert run("list", "acme").output == "Nobody has opted out.\n"


@pytest.mark.parametrize("arguments", [("remove", "acme", "067"), ("list", "acme", "--lists"), ("import", "acme")])
def test_what_cannot_be_is_refused(run, arguments):
    assert run(*arguments).exit_code == 2
