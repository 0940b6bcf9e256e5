"""`speechcall receiver try`: each fault of a receiver is found, none is reported in one that is right."""

import json
import re
import secrets
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cli.main import app
from cli.receiver.secret import is_trial_secret, new_trial_secret
from cli.receiver.traffic import MOST_REQUESTS, Hook, TooManyRequests, Traffic
from cli.receiver.trial import CASES, Verdict, try_receiver
from tests.kit.command_line import CliRunner
from tests.kit.laptop.probe import wait_until
from tests.kit.trial_receivers import FAULTS, TrialReceiver, served

SECRET = new_trial_secret(secrets.token_bytes)
PAGES = Path(__file__).parents[2] / "docs"
ONLY_COUNTED = {"looks first and keeps later", "takes the same again"}


def tried(receiver, *, counts=True, names=(), seconds=10.0, handler=None):
    """What a trial says of a receiver, by case."""

    def pause():
        # The second half of a body comes when the first one has been read, where that is all that is read.
        if receiver.fault == "reads once":
            assert wait_until(lambda: receiver.seen == traffic.requests, 10)

    with served(receiver, handler) as url:
        counted = f"{url}/count?mid={{mid}}" if counts else ""
        traffic = Traffic(f"{url}/hooks", SECRET, count_url=counted, on_this_machine=True, seconds=seconds, pause=pause)
        numbers = count(250400364846566651)
        try:
            found = try_receiver(traffic, lambda: str(next(numbers)), names)
        finally:
            traffic.close()
    assert names or 60 <= traffic.requests < MOST_REQUESTS
    assert [one.name for one in found] == [one.name for one in CASES if not names or one.name in names]
    return {one.name: one for one in found}


def faults_in(found):
    return {name for name, one in found.items() if one.verdict is Verdict.FAULT}


@pytest.mark.parametrize("counts", [True, False])
def test_nothing_is_reported_of_a_receiver_that_is_right(counts):
    found = tried(TrialReceiver(SECRET), counts=counts)
    assert {name: one.seen for name, one in found.items() if one.verdict is Verdict.FAULT} == {}
    unjudged = {name for name, one in found.items() if one.verdict is Verdict.NOT_JUDGED}
    assert unjudged == (set() if counts else {"repeated", "replayed", "lost-answer", "same-time"})


def test_nothing_is_reported_of_the_receiver_that_the_page_shows():
    page = (PAGES / "webhooks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"SECRET": SECRET, "confirmed": {}}
    exec(compile(code, "webhooks.md", "exec"), names)  # the page's own lines
    handler: type[BaseHTTPRequestHandler] = names["Receiver"]
    handler.log_message = lambda *_given: None
    found = tried(TrialReceiver(SECRET), counts=False, handler=handler)
    assert {name: one.seen for name, one in found.items() if one.verdict is Verdict.FAULT} == {}


def seconds_for(fault):
    return 0.3 if fault == "answers after too long" else 10.0


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_where_it_is(fault):
    names = ("valid", *FAULTS[fault])
    found = tried(TrialReceiver(SECRET, fault), names=names, seconds=seconds_for(fault))
    assert faults_in(found) == FAULTS[fault]


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_all_cases_together(fault):
    assert faults_in(tried(TrialReceiver(SECRET, fault), seconds=seconds_for(fault))) >= FAULTS[fault]
    uncounted = faults_in(tried(TrialReceiver(SECRET, fault), counts=False, seconds=seconds_for(fault)))
    assert bool(uncounted) is (fault not in ONLY_COUNTED)


# ------------------------------------------------------------------ the command
def run(*arguments):
    return CliRunner().invoke(app, ["receiver", *map(str, arguments)])


def test_a_trial_ends_with_a_status_and_writes_a_file_for_builds(tmp_path):
    report = tmp_path / "report.xml"
    with served(TrialReceiver(SECRET)) as url:
        options = ("--secret", SECRET, "--count", f"{url}/count?mid={{mid}}", "--junit", report)
        good = run("try", f"{url}/hooks", *options)
    assert (good.exit_code, ET.parse(report).getroot().get("failures")) == (0, "0")
    assert re.search(r"^no fault in \d+ cases; \d+ requests, the slowest", good.output, re.MULTILINE)
    with served(TrialReceiver(SECRET, "looks at no timestamp")) as url:
        bad = run("try", f"{url}/hooks", "--secret", SECRET, "--junit", report, "--case", "stale", "--json")
    assert bad.exit_code == 1
    (row,) = json.loads(bad.output)
    assert (row["case"], row["verdict"]) == ("stale", "fault")
    assert row["seen"][0] == "ten minutes old: was answered 204, as if it were ours"
    suite = ET.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite.find("testcase/failure").get("message") == "; ".join(row["seen"])


REAL = "whsec_bGFwdG9wLXdlYmhvb2stc2VjcmV0LXNwZWVjaGNhbGw="


@pytest.mark.parametrize(
    ("url", "options", "told"),
    [
        ("http://localhost:1/x", ["--secret", REAL], "NOT_A_TRIAL_SECRET: the secret is not one for trials"),
        ("http://localhost:1/x", ["--secret", SECRET[:-4]], "NOT_A_TRIAL_SECRET: "),
        ("https://shop.example/x", [], "HOST_NOT_CONFIRMED: shop.example is not this machine; add --yes-i-run shop"),
        ("https://shop.example/x", ["--yes-i-run", "example"], "HOST_NOT_CONFIRMED: shop.example is not this"),
        ("http://localhost/x", ["--count", "http://shop.example/"], "HOST_NOT_CONFIRMED: --count names another host"),
        ("http://10.1.2.3/x", ["--yes-i-run", "10.1.2.3"], "FORBIDDEN_ADDRESS: "),
        ("http://169.254.169.254/x", ["--yes-i-run", "169.254.169.254"], "FORBIDDEN_ADDRESS: "),
        ("ftp://localhost/x", [], "BAD_URL: the URL must begin with http:// or https://"),
        ("http://127.0.0.1:9/x", [], "CONNECTION_REFUSED: nobody answers there"),
    ],
)
def test_what_must_not_or_cannot_be_tried_ends_with_3(url, options, told):
    secret = [] if "--secret" in options else ["--secret", SECRET]
    result = run("try", url, *secret, *options)
    assert result.exit_code == 3
    assert told in result.output
    for_programs = run("try", url, *secret, *options, "--json")
    assert for_programs.exit_code == 3
    assert json.loads(for_programs.stdout) == {"error": result.stderr.removeprefix("Error: ").strip(), "status": 3}


def test_a_case_that_there_is_not_is_a_mistake():
    result = run("try", "http://127.0.0.1:9/x", "--secret", SECRET, "--case", "fast")
    assert result.exit_code == 2


def test_a_secret_for_trials_is_told_from_others():
    made = run("secret").output.strip()
    assert is_trial_secret(made)
    assert run("secret").output.strip() != made
    assert not is_trial_secret(REAL)
    assert not is_trial_secret("trial")


def test_no_more_requests_are_made_than_a_trial_may():
    with served(TrialReceiver(SECRET)) as url:
        traffic = Traffic(f"{url}/hooks", SECRET, on_this_machine=True)
        traffic.requests = MOST_REQUESTS
        with pytest.raises(TooManyRequests):
            traffic.send(Hook("1"))
        traffic.close()


# ------------------------------------------------------------------ the page
PAGE = (PAGES / "receiver-trial.md").read_text(encoding="utf-8")


def test_the_page_has_each_case_and_shows_what_a_trial_says():
    told = dict.fromkeys(re.findall(r"`([a-z-]+)`", PAGE.partition("## What is tried")[2].partition("To take is")[0]))
    assert [name for name in told if name in {one.name for one in CASES}] == [one.name for one in CASES]
    with served(TrialReceiver(SECRET, "looks at no timestamp")) as url:
        said = run("try", url, "--secret", SECRET, "--case", "valid", "--case", "stale").output
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert re.sub(r"\d\.\d\d s", "0.00 s", said) == shown


def test_the_page_shows_each_refusal():
    refused = (
        ("http://localhost/", "--secret", REAL),
        ("https://hooks.example.com/speechcall", "--secret", SECRET),
        ("http://10.1.2.3/", "--secret", SECRET, "--yes-i-run", "10.1.2.3"),
        ("ftp://localhost/", "--secret", SECRET),
        ("http://127.0.0.1:9/", "--secret", SECRET),
    )
    shown = re.findall(r"^    (Error: .*)$", PAGE, re.MULTILINE)
    assert [run("try", *one).output.strip() for one in refused] == shown
