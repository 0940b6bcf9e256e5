"""`speechcall account …`, on accounts in memory."""

import base64
import json
import re
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import app
from speechcall.accounts.rules.account import Account, CallBack
from speechcall.accounts.use_cases.accounts import credentials_of, key_name, new_secrets, sha256, user_name
from speechcall.rehearsal.adapters.memory_turns import MemoryTurns
from speechcall.shared.rules.calling_hours import Window
from tests.kit.command_line import CliRunner
from tests.stores.accounts import MemoryAccounts
from tests.stores.webhook_secrets import MemoryWebhookSecrets, seal, unseal

ACME = Account("acme", ("+380",), rate=5, burst=100, senders={"Shop": "+4930123456"})


@dataclass
class Prompts:
    """The account has uploaded `who` and `bye`."""

    def find(self, account_id, name):
        return name if (account_id, name) in {("acme", "who"), ("acme", "bye")} else None


@dataclass
class Deployment:
    accounts: MemoryAccounts = field(default_factory=MemoryAccounts)
    prompts: Prompts = field(default_factory=Prompts)
    webhook_secrets: MemoryWebhookSecrets = field(default_factory=MemoryWebhookSecrets)
    turns: MemoryTurns = field(default_factory=MemoryTurns)
    rates: Any = None

    def seal(self, account_id, secret):
        return seal(account_id, secret)


@pytest.fixture
def accounts():
    return MemoryAccounts(ACME)


@pytest.fixture
def secrets():
    return MemoryWebhookSecrets()


@pytest.fixture
def turns():
    return MemoryTurns()


@pytest.fixture
def imports():
    """Of rates."""
    return ["one"]


@pytest.fixture
def run(accounts, secrets, turns, imports):
    """Runs a command; what it gave, with `output` and `exit_code`."""

    def invoke(*arguments, said=None):
        return CliRunner().invoke(
            app,
            ["account", *arguments, "--local"],
            input=said,
            obj=lambda _place: Deployment(accounts, webhook_secrets=secrets, turns=turns, rates=rates),
        )

    rates = SimpleNamespace(versions=lambda: SimpleNamespace(versions=imports))
    return invoke


def shown(output):
    """The password and the key in what a command printed."""
    return re.search(r"password  (\S+)\n  API key   (\S+)\n", output).groups()


# -------------------------------------------------------------------- create
def test_a_new_account_has_what_was_given_and_its_secrets_are_stored_as_hashes(run, accounts):
    limits = ["--calls-per-day", "7", "--rate", "3", "--burst", "100"]
    senders = ["--sender", "Shop=+4930123456", "--sender", "a=b=+4930123457"]
    result = run("create", "new", "--prefix", "+380", "--prefix", "+48", "--prefix", "+380", *limits, *senders)
    assert result.exit_code == 0, result.output
    named = {"Shop": "+4930123456", "a=b": "+4930123457"}
    assert accounts.find("new") == Account("new", ("+380", "+48"), 7, 3, 100, named)
    password, key = shown(result.output)
    assert accounts.find_credential(user_name("new")).secret_sha256 == sha256(password)
    assert accounts.find_credential(key_name(key)).secret_sha256 == sha256(key)
    assert password != key
    assert min(len(password), len(key)) == 32
    assert not any(secret in repr(accounts.credentials) for secret in (password, key))
    assert "cannot be shown again" in result.output


def test_what_is_not_given_has_the_products_defaults(run, accounts):
    assert run("create", "new", "--prefix", "+1").exit_code == 0
    assert accounts.find("new") == Account("new", ("+1",))


def test_an_id_that_is_taken_is_left_alone(run, accounts):
    result = run("create", "acme", "--prefix", "+1")
    assert result.exit_code == 3
    assert accounts.find("acme") == ACME
    assert result.output == (
        "Error: There is an account (or a user) acme already; `account rotate` gives it new secrets.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["new"], "Missing option '--prefix'"),
        (["--prefix", "+1"], "Missing argument 'ID'"),
        (["@", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["a:b", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["крамниця", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["a" * 65, "--prefix", "+1"], "Invalid value for 'ID'"),
        (["new\n", "--prefix", "+1"], "Invalid value for 'ID'"),
        ([".", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["..", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["_.", "--prefix", "+1"], "Invalid value for 'ID'"),
        (["new", "--prefix", "380"], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+"], "Invalid value for '--prefix'"),
        (["new", "--prefix", ""], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+0"], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+380 "], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+3\u200b80"], "character 3 is U+200B ZERO"),
        (["acme\u00a0two", "--prefix", "+380"], "character 5 is U+00A0"),
        (["new", "--prefix", "+1", "--sender", "Shop=+493012\uff13456"], "character 8 is U+FF13"),
        (["new", "--prefix", "+٣"], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+380*"], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+1234567890123456"], "Invalid value for '--prefix'"),
        (["new", "--prefix", "+1", "--burst", "99"], "Invalid value for '--burst'"),
        (["new", "--prefix", "+1", "--rate", "0"], "Invalid value for '--rate'"),
        (["new", "--prefix", "+1", "--rate", "1.5"], "Invalid value for '--rate'"),
        (["new", "--prefix", "+1", "--calls-per-day", "0"], "Invalid value for '--calls-per-day'"),
        (["new", "--prefix", "+1", "--sender", "Shop"], "is not NAME=+NUMBER"),
        (["new", "--prefix", "+1", "--sender", "=+4930123456"], "is not NAME=+NUMBER"),
        (["new", "--prefix", "+1", "--sender", f"{'a' * 65}=+4930123456"], "is not NAME=+NUMBER"),
        (["new", "--prefix", "+1", "--sender", "Shop=4930123456"], 'the number of the sender "Shop"'),
        (["new", "--prefix", "+1", "--sender", "Shop=+49 30"], 'the number of the sender "Shop"'),
        (["new", "--prefix", "+1", *(["--sender", "S=+4930123456"] * 2)], 'the sender "S" is given twice'),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(run, accounts, arguments, complaint):
    result = run("create", *arguments)
    assert result.exit_code == 2
    assert list(accounts.accounts) == ["acme"]
    assert complaint in result.output


# ------------------------------------------------------------- any number
def test_any_destination_is_said_out_loud(run, accounts):
    result = run("create", "new", "--prefix", "*", "--any-destination")
    assert result.exit_code == 0
    assert accounts.find("new").prefixes == ("*",)
    assert "any number at all" in result.output


@pytest.mark.parametrize(("said", "made"), [("y\n", True), ("n\n", False), ("\n", False), (None, False)])
def test_or_it_is_confirmed_after_a_word_on_toll_fraud(run, accounts, said, made):
    result = run("create", "new", "--prefix", "+1", "--prefix", "*", said=said)
    assert (result.exit_code, accounts.find("new") is not None) == ((0, True) if made else (3, False))
    assert "toll fraud" in result.output
    assert made or "--any-destination" in result.output


@pytest.mark.parametrize(("more", "prefixes"), [([], ("+380",)), (["--any-destination"], ("*",))])
def test_so_it_is_when_prefixes_are_changed(run, accounts, more, prefixes):
    run("set", "acme", "--prefix", "*", *more)
    assert accounts.find("acme").prefixes == prefixes


# -------------------------------------------------------------------- rotate
def test_rotation_says_that_the_old_ones_have_stopped(run, accounts):
    accounts.credentials = credentials_of("acme", new_secrets("acme", iter(["old-password", "old-key"]).__next__))
    result = run("rotate", "acme")
    assert result.exit_code == 0
    assert "stopped working" in result.output
    password, key = shown(result.output)
    assert set(accounts.credentials) == {user_name("acme"), key_name(key)}
    assert accounts.find_credential(user_name("acme")).secret_sha256 == sha256(password)
    assert accounts.find("acme") == ACME


def test_a_disabled_account_stays_so_when_it_is_rotated(run, accounts):
    accounts.accounts["acme"] = replace(ACME, disabled=True)
    assert "account enable acme" in run("rotate", "acme").output
    assert accounts.find("acme").disabled


def test_who_loses_a_race_of_rotations_is_told_and_shown_no_secrets(run, accounts):
    accounts.replace_credentials = lambda *_: False
    result = run("rotate", "acme")
    assert result.exit_code == 3
    assert result.output == (
        "Error: Somebody else has just changed acme's credentials; rotate again if you still want to.\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        ["rotate", "nobody"],
        ["disable", "nobody", "--queue", "keep"],
        ["enable", "nobody"],
        ["set", "nobody", "--rate", "1"],
    ],
)
def test_an_account_that_is_not_there_is_one_sentence(run, command):
    result = run(*command)
    assert result.exit_code == 3
    assert result.output == "Error: There is no account nobody; `account list` shows those there are.\n"


# ------------------------------------------------------------ webhook secrets
def secret_in(output):
    return re.search(r"  webhook secret  (whsec_\S+)\n", output)[1]


def opened(secrets):
    return [unseal("acme", one.sealed) for one in secrets.kept["acme"]]


def test_a_new_account_signs_its_webhooks_and_is_shown_with_what(run, secrets):
    output = run("create", "new", "--prefix", "+1").output
    (kept,) = secrets.kept["new"]
    assert unseal("new", kept.sealed) == secret_in(output)
    assert len(base64.b64decode(secret_in(output).removeprefix("whsec_"))) == 32
    assert secret_in(output) not in repr(secrets.kept)
    assert '"signed": true' in run("list", "--json").output


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(run, accounts, secrets):
    first = run("rotate", "acme", "--webhook-secret")
    assert "are signed from now on" in first.output
    second = run("rotate", "acme", "--webhook-secret")
    assert "for 24 h" in second.output
    new, old = secrets.kept["acme"]
    assert opened(secrets) == [secret_in(second.output), secret_in(first.output)]
    assert new.until_msec is None
    assert old.until_msec == new.created_msec + 24 * 3_600_000
    assert accounts.credentials == {}


def test_a_secret_that_got_about_is_ended_at_once(run, secrets):
    run("rotate", "acme", "--webhook-secret")
    result = run("rotate", "acme", "--webhook-secret", "--keep-hours", "0")
    assert "has stopped signing" in result.output
    assert opened(secrets) == [secret_in(result.output)]


def test_an_old_password_is_not_kept_for_hours_and_who_says_so_is_told(run, accounts, secrets):
    result = run("rotate", "acme", "--keep-hours", "24")
    assert result.exit_code == 2
    assert "--keep-hours goes with --webhook-secret" in " ".join(result.output.split())
    assert (accounts.credentials, secrets.kept) == ({}, {})


def test_no_more_secrets_sign_at_once_than_a_header_should_hold(run, secrets):
    for _ in range(5):
        assert run("rotate", "acme", "--webhook-secret").exit_code == 0
    before = secrets.kept["acme"]
    result = run("rotate", "acme", "--webhook-secret")
    assert result.exit_code == 3
    assert secrets.kept["acme"] == before
    assert "--keep-hours 0" in result.output
    assert run("rotate", "acme", "--webhook-secret", "--keep-hours", "0").exit_code == 0


def test_who_loses_a_race_of_secrets_is_told_and_shown_none(run, secrets):
    secrets.replace = lambda *_: False
    result = run("rotate", "acme", "--webhook-secret")
    assert result.exit_code == 3
    assert "whsec_" not in result.output


def test_webhooks_can_go_unsigned(run, secrets):
    run("rotate", "acme", "--webhook-secret")
    assert run("set", "acme", "--no-webhook-secret").exit_code == 0
    assert secrets.kept["acme"] == ()


def test_an_account_that_is_not_there_gets_no_secret(run, secrets):
    assert run("rotate", "nobody", "--webhook-secret").exit_code == 3
    assert secrets.kept == {}


# ----------------------------------------------------------------------- set
@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (["--rate", "9"], {"rate": 9}),
        (["--burst", "200", "--calls-per-day", "1"], {"burst": 200, "calls_per_day": 1}),
        (["--prefix", "+48", "--prefix", "+1"], {"prefixes": ("+48", "+1")}),
        (["--sender", "New=+4930123457"], {"senders": {"New": "+4930123457"}}),
        (["--no-senders"], {"senders": {}}),
        (["--deny", "+38090", "--deny", "+38089"], {"denied": ("+38090", "+38089")}),
        (["--premium"], {"premium": True}),
        (["--calls-per-number", "3/24h"], {"calls_per_number": 3}),
        (["--calls-per-number", "50/24h", "--minutes-per-day", "90"], {"calls_per_number": 50, "minutes_per_day": 90}),
        (["--calls-per-number", "0", "--minutes-per-day", "0"], {}),
        (["--sms-per-day", "70"], {"sms_per_day": 70}),
        (["--spend-per-day", "12.50"], {"spend_per_day": 12_500_000}),
        (["--spend-per-day", "0.000001"], {"spend_per_day": 1}),
        (["--spend-per-day", "0"], {}),
        (["--keep-days", "1"], {"keep_days": 1}),
        (["--keep-days", "1825"], {"keep_days": 1825}),
        (
            ["--window", "mon-fri=09:00-20:00", "--window", "sat,sun=10:00-24:00", "--time-zone", "recipient"],
            {
                "windows": (Window(540, 1200, (0, 1, 2, 3, 4)), Window(600, 1440, (5, 6))),
                "time_zone": "recipient",
            },
        ),
        (
            ["--window", "22:00-06:00", "--window", "fri-mon=00:00-00:00", "--time-zone", "Europe/Kyiv"],
            {"windows": (Window(1320, 360), Window(0, 1440, (0, 4, 5, 6))), "time_zone": "Europe/Kyiv"},
        ),
        (["--time-zone", "UTC"], {"time_zone": "UTC"}),
        (["--ignore-opt-out"], {"ignores_opt_out": True}),
        (["--call-back-text", "It was {from}. 9: no more."], {"call_back": CallBack("It was {from}. 9: no more.")}),
        (
            ["--call-back-audio", "who", "--call-back-done-audio", "bye", "--call-back-voice", "pl-PL"],
            {"call_back": CallBack(audio="who", done_audio="bye", language="pl-PL", voice="Ola")},
        ),
        (
            ["--call-back-done-text", "Bye.", "--call-back-voice", "en-IN:Raveena"],
            {"call_back": CallBack(done_text="Bye.", language="en-IN", voice="Raveena")},
        ),
        (["--status-url", "https://shop.example/s"], {"status_url": "https://shop.example/s"}),
        (["--status-events", "final,list"], {"status_events": ("final", "list")}),
        (["--status-events", "none"], {"status_events": ()}),
    ],
)
def test_set_changes_what_is_named_and_leaves_the_rest(run, accounts, arguments, changed):
    result = run("set", "acme", *arguments)
    assert result.exit_code == 0, result.output
    assert accounts.find("acme") == replace(ACME, **changed)


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["--no-senders", "--sender", "S=+4930123456"], ["--burst", "99"], ["--prefix", "x"]),
        *(["--calls-per-number", one] for one in ("3", "0/24h", "51/24h", "3/7d", "-1/24h", "٣/24h", "")),
        *(["--deny", "x"], ["--deny", "*"], ["--deny", "+3890", "--no-deny"]),
        *(["--call-back-text", one] for one in ("", " ", "a\nb", "x" * 601, "{from}" * 4)),
        *(["--call-back-voice", one] for one in ("uk-UA", "pl-PL:", "pl-PL:Joanna", "Ola")),
        *(["--call-back-audio", "a b"], ["--call-back-audio", "who", "--no-call-back"]),
        *(["--window", one, "--time-zone", "UTC"] for one in ("9-20", "09:00-24:01", "24:00-24:00", "mo=09:00-10:00")),
        *(["--window", one, "--time-zone", "UTC"] for one in ("=09:00-10:00", "mon-=09:00-10:00", "09:00 - 10:00", "")),
        *(["--window", "09:00-20:00"], ["--window", "09:00-20:00", "--no-windows"], ["--time-zone", "europe/kyiv"]),
        ["--time-zone", "UTC", *(part for _ in range(8) for part in ("--window", "09:00-20:00"))],
        *(["--status-url", url] for url in ("shop.example", "https://u:p@shop.example/", "http://10.0.0.1/", "")),
        ["--status-url", "https://x.example/" + "a" * 2048],
        ["--status-url", "https://x.example/", "--no-status-url"],
        *(["--status-events", names] for names in ("", "finally", "final,final", "final,none")),
    ],
)
def test_set_refuses_what_makes_no_sense(run, accounts, arguments):
    assert run("set", "acme", *arguments).exit_code == 2
    assert accounts.find("acme") == ACME


def test_what_was_denied_or_allowed_is_taken_back(run, accounts):
    assert run("set", "acme", "--deny", "+38090", "--premium").exit_code == 0
    assert run("set", "acme", "--no-deny").exit_code == 0
    assert accounts.find("acme") == replace(ACME, premium=True)
    assert run("set", "acme", "--no-premium").exit_code == 0
    assert accounts.find("acme") == ACME


@pytest.mark.parametrize("days", ["0", "1826", "-1", "1.5", "forever"])
def test_messages_are_kept_for_a_day_at_least_and_five_years_at_most(run, accounts, days):
    before = accounts.find("acme")
    assert run("set", "acme", "--keep-days", days).exit_code == 2
    assert accounts.find("acme") == before


def test_limits_for_calls_are_shown_and_taken_back(run, accounts):
    assert (
        run("create", "new", "--prefix", "+1", "--calls-per-number", "2/24h", "--minutes-per-day", "9").exit_code == 0
    )
    assert accounts.find("new") == Account("new", ("+1",), calls_per_number=2, minutes_per_day=9)
    (listed,) = [one for one in json.loads(run("list", "--json").output) if one["id"] == "new"]
    assert (listed["callsPerNumber"], listed["minutesPerDay"]) == (2, 9)
    assert run("set", "new", "--calls-per-number", "0", "--minutes-per-day", "0").exit_code == 0
    assert accounts.find("new") == Account("new", ("+1",))


def test_what_may_be_spent_is_shown_and_taken_back_and_needs_rates(run, accounts, imports):
    assert run("create", "new", "--prefix", "+1", "--spend-per-day", "9.5").exit_code == 0
    assert accounts.find("new") == Account("new", ("+1",), spend_per_day=9_500_000)
    (listed,) = [one for one in json.loads(run("list", "--json").output) if one["id"] == "new"]
    assert listed["spendPerDay"] == 9.5
    assert run("set", "new", "--spend-per-day", "0").exit_code == 0
    assert accounts.find("new") == Account("new", ("+1",))
    for wrong in ("-1", "1,5", "1e3", "0.0000001", "1000001", "NaN", "", "١"):
        assert run("set", "new", "--spend-per-day", wrong).exit_code == 2, wrong
    imports.clear()
    assert run("set", "new", "--spend-per-day", "0").exit_code == 0
    for given in (("set", "new"), ("create", "newer", "--prefix", "+1")):
        refused = run(*given, "--spend-per-day", "5")
        assert refused.exit_code == 3
        assert "`rates import` them first" in refused.output
    assert accounts.find("newer") is None


def test_what_waits_for_the_next_day_is_looked_at_again_when_the_minutes_a_day_are_changed(run, turns):
    for campaign in ("", "spring"):
        turns.wake("acme", campaign, False, 1)
    turns.shut(turns.find_queue("acme", "spring", False), 10**15)
    assert run("set", "acme", "--rate", "4").exit_code == 0
    assert not turns.find_queue("acme", "spring", False).is_waiting
    assert run("set", "acme", "--minutes-per-day", "100").exit_code == 0
    opened = turns.find_queue("acme", "spring", False)
    assert (opened.is_waiting, opened.opens_msec) == (True, 0)


def test_an_account_that_may_hold_more_lines_is_looked_at_again(run, turns):
    # Given one that holds all its lines, so that a dialler has taken it out of the order
    turns.wake("acme", "", False, 1, was_stopped=True)
    assert turns.waiting(9) != []
    turns.rest(turns.find("acme", False))
    assert run("set", "acme", "--rate", "4").exit_code == 0
    assert turns.waiting(9) == []
    assert run("set", "acme", "--max-lines", "3").exit_code == 0
    assert [turn.account_id for turn in turns.waiting(9)] == ["acme"]


def test_windows_are_shown_as_they_are_given_and_taken_back(run, accounts):
    given = ["mon-fri=09:00-20:00", "sat,sun=10:00-24:00", "06:00-05:00", "tue,thu=00:00-24:00"]
    options = [part for one in given for part in ("--window", one)]
    assert run("set", "acme", *options, "--time-zone", "Europe/Kyiv").exit_code == 0
    (listed,) = json.loads(run("list", "--json").output)
    assert (listed["windows"], listed["timeZone"]) == (given, "Europe/Kyiv")
    # The zone is known already.
    assert run("set", "acme", "--window", "09:00-20:00").exit_code == 0
    assert accounts.find("acme").windows == (Window(540, 1200),)
    assert run("set", "acme", "--no-windows").exit_code == 0
    assert accounts.find("acme") == replace(ACME, time_zone="Europe/Kyiv")


def test_a_status_url_is_shown_without_what_may_be_secret_and_taken_back(run, accounts):
    assert (
        run("set", "acme", "--status-url", "https://Shop.example/s?key=secret", "--status-events", "list").exit_code
        == 0
    )
    (listed,) = json.loads(run("list", "--json").output)
    assert (listed["statusUrl"], listed["statusEvents"]) == ("https://shop.example", ["list"])
    assert run("set", "acme", "--no-status-url").exit_code == 0
    assert accounts.find("acme") == replace(ACME, status_events=("list",))


def test_a_new_account_says_what_it_may_not_dial(run, accounts):
    made = run("create", "new", "--prefix", "+380", "--deny", "+38090", "--premium")
    assert "numbers that begin with +380, but none that begin with +38090." in made.output
    assert accounts.find("new") == Account("new", ("+380",), denied=("+38090",), premium=True)


def test_disable_and_enable(run, accounts):
    assert "is rejected from now on" in run("disable", "acme", "--queue", "keep").output
    assert accounts.find("acme") == replace(ACME, disabled=True)
    assert run("disable", "acme", "--queue", "keep").exit_code == 0
    assert run("enable", "acme").exit_code == 0
    assert accounts.find("acme") == ACME


class Busy(MemoryAccounts):
    """Accounts that somebody else changes after each of the first few readings."""

    def __init__(self, times, change):
        super().__init__(ACME)
        self.times, self.change = times, change

    def find(self, account_id):
        read = super().find(account_id)
        if self.times:
            self.times -= 1
            self.accounts[account_id] = replace(read, **self.change(read))
        return read


@pytest.fixture
def disabled_meanwhile():
    return Busy(1, lambda _read: {"disabled": True})


def test_a_change_does_not_undo_what_somebody_else_does_in_this_moment(disabled_meanwhile):
    """
    set --rate 9   find: enabled ──────────► save ──X──► find: disabled ──► save: disabled, rate 9
    disable                      disabled ──►
    """
    arguments = ["account", "set", "acme", "--rate", "9", "--local"]
    result = CliRunner().invoke(app, arguments, obj=lambda _place: Deployment(disabled_meanwhile))
    assert result.exit_code == 0
    assert disabled_meanwhile.find("acme") == replace(ACME, rate=9, disabled=True)


def test_an_account_that_never_rests_is_given_up(accounts):
    restless = Busy(1000, lambda read: {"calls_per_day": read.calls_per_day + 1})
    arguments = ["account", "set", "acme", "--rate", "9", "--local"]
    result = CliRunner().invoke(app, arguments, obj=lambda _place: Deployment(restless))
    assert result.exit_code == 3
    assert "nothing was changed" in result.output
    assert restless.accounts["acme"].rate == ACME.rate


# ---------------------------------------------------------------------- list
def test_the_list_is_a_table_with_a_line_for_each(run, accounts):
    accounts.add(Account("zeta", ("+380", "+48"), disabled=True), {})
    lines = [line.split() for line in run("list").output.splitlines()]
    assert lines == [
        [
            "ID",
            "PREFIXES",
            "CALLS/DAY",
            "RATE/S",
            "BURST",
            "SHARE",
            "LINES",
            "URGENT/MIN",
            "CALLS/NUMBER",
            "MINUTES/DAY",
            "SPEND/DAY",
            "SMS/DAY",
            "KEPT/DAYS",
            "SENDERS",
            "DENIED",
            "PREMIUM",
            "WINDOWS",
            "ZONE",
            "IGNORESOPTOUT",
            "STATUSURL",
            "EVENTS",
            "SIGNED",
            "DISABLED",
        ],
        [
            "acme",
            "+380",
            "10000",
            "5",
            "100",
            "10",
            "-",
            "0",
            "-",
            "-",
            "-",
            "0",
            "30",
            "Shop=+4930123456",
            "-",
            "no",
            *["-", "-", "no", "-", "final", "no", "no"],
        ],
        [
            *["zeta", "+380,+48", "10000", "50", "500", "10", "-", "0", "-", "-", "-", "0", "30", "-", "-"],
            *["no", "-", "-", "no", "-", "final", "no", "yes"],
        ],
    ]


def test_a_call_back_text_takes_the_place_of_audio_and_no_call_back_of_all(run, accounts):
    run("set", "acme", "--call-back-audio", "who", "--call-back-done-audio", "bye")
    run("set", "acme", "--call-back-text", "It was {from}.", "--call-back-voice", "de-DE")
    assert accounts.find("acme").call_back == CallBack("It was {from}.", "", "", "bye", "de-DE", "Daniel")
    assert json.loads(run("list", "--json").output)[0]["callBack"] == {
        "text": "It was {from}.",
        "doneAudio": "bye",
        "language": "de-DE",
        "voice": "Daniel",
    }
    assert run("set", "acme", "--no-call-back").exit_code == 0
    assert accounts.find("acme") == ACME


def test_audio_that_the_account_has_not_uploaded_is_no_call_back(run, accounts):
    result = run("set", "acme", "--call-back-audio", "who", "--call-back-done-audio", "gone")
    assert result.exit_code != 0
    assert "gone" in result.output
    assert accounts.find("acme") == ACME


def test_the_list_for_programs(run):
    assert json.loads(run("list", "--json").output) == [
        {
            "id": "acme",
            "prefixes": ["+380"],
            "callsPerDay": 10000,
            "rate": 5,
            "burst": 100,
            "share": 10,
            "maxLines": None,
            "urgentPerMinute": 0,
            "callsPerNumber": None,
            "minutesPerDay": None,
            "spendPerDay": None,
            "smsPerDay": 0,
            "keepDays": 30,
            "senders": {"Shop": "+4930123456"},
            "denied": [],
            "premium": False,
            "windows": [],
            "timeZone": None,
            "ignoresOptOut": False,
            "callBack": {},
            "statusUrl": None,
            "statusEvents": ["final"],
            "requires": [],
            "signed": False,
            "disabled": False,
        }
    ]


def test_an_empty_list_says_so_and_is_json_where_that_was_asked_for(run, accounts):
    accounts.accounts.clear()
    assert run("list").output == "There are no accounts yet.\n"
    assert json.loads(run("list", "--json").output) == []


# ------------------------------------------------------------------ promises
def test_an_account_requires_the_promises_of_a_file(run, accounts, tmp_path):
    file = tmp_path / "promises.json"
    file.write_text('[{"name": "short", "always": {"menus": "<= 3"}}]')
    assert run("set", "acme", "--require", str(file)).exit_code == 0
    assert accounts.find("acme").requires == '[{"name":"short","always":{"menus":"<= 3"}}]'
    assert json.loads(run("list", "--json").output)[0]["requires"] == ["short"]
    assert run("set", "acme", "--rate", "7").exit_code == 0
    assert accounts.find("acme").requires
    assert run("set", "acme", "--no-require").exit_code == 0
    assert accounts.find("acme").requires == ""
    assert run("set", "acme", "--no-require", "--require", str(file)).exit_code == 2


def test_an_account_requires_packs_by_their_names(run, accounts, tmp_path):
    file = tmp_path / "promises.json"
    file.write_text('[{"name": "short", "always": {"menus": "<= 3"}}]')
    assert run("set", "acme", "--require", "opt-out-in-every-menu", "--require", str(file)).exit_code == 0
    assert accounts.find("acme").requires == (
        '[{"pack":"opt-out-in-every-menu"},{"name":"short","always":{"menus":"<= 3"}}]'
    )
    result = run("set", "acme", "--require", "opt-out-everywhere")
    assert result.exit_code == 3
    assert "INVALID_PROMISE: opt-out-everywhere is no file, and must be the name of a pack: " in result.output
    file.write_text(json.dumps([{"always": {"menus": "<= 3"}}] * 20))
    assert run("set", "acme", "--require", str(file), "--require", "opt-out-in-every-menu").exit_code == 3
    assert len(json.loads(accounts.find("acme").requires)) == 2


def test_promises_that_cannot_be_read_change_nothing(run, accounts, tmp_path):
    file = tmp_path / "promises.json"
    file.write_text('[{"always": {"menus": 3}}]')
    result = run("set", "acme", "--require", str(file))
    assert result.exit_code == 3
    assert "promises[0].always.menus must be text" in result.output
    assert accounts.find("acme") == ACME
