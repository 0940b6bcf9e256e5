"""`speechcall receiver try`: each fault of a receiver is found, none is reported in one that is right."""

import json
import re
import secrets
import socket
import struct
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cli.main import app
from cli.receiver.secret import is_trial_secret, new_trial_secret
from cli.receiver.traffic import LOST, MOST_REQUESTS, Hook, Pace, TooManyRequests, Traffic
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
    # Where no valid webhook is taken, the rest is not tried.
    assert names or found[0].verdict is Verdict.FAULT or 60 <= traffic.requests < MOST_REQUESTS
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


# ------------------------------------------------------------------ a lost answer
class _LosesTheFirst(BaseHTTPRequestHandler):
    """A receiver that takes each webhook once, and answers all requests but the first."""

    taken: Any
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(self.headers["webhook-id"])
        if len(self.taken) == 1:
            self.does_not_answer()
        else:
            self.send_response(204)
            self.end_headers()

    def does_not_answer(self):
        self.close_connection = True

    def do_GET(self):
        said = str(len(set(self.taken))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_given):
        pass


class _Hangs(_LosesTheFirst):
    receiver: TrialReceiver

    def does_not_answer(self):
        self.receiver.over.wait(10)
        super().does_not_answer()


class _Resets(_LosesTheFirst):
    def does_not_answer(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        super().does_not_answer()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (_LosesTheFirst, "had no answer (BAD_ANSWER): it would be sent 8 times"),
        (_Hangs, "had no answer within 0.3 s: it would be sent 8 times"),
        (_Resets, "had no answer (CONNECTION_RESET): it would be sent 8 times"),
    ],
)
def test_an_answer_that_never_came_is_none_that_we_threw_away(kind, told):
    receiver = TrialReceiver(SECRET)
    taken: list[str] = []
    handler = type("Handler", (kind,), {"taken": taken, "receiver": receiver})
    found = tried(receiver, names=["lost-answer"], seconds=0.3, handler=handler)["lost-answer"]
    assert (found.verdict, found.seen) == (Verdict.FAULT, (told,))
    assert len(taken) == 2


def test_a_connection_that_was_refused_has_lost_no_answer():
    with served(TrialReceiver(SECRET)) as url:
        pass
    traffic = Traffic(f"{url}/hooks", SECRET, on_this_machine=True)
    assert traffic.send(Hook("1"), Pace(loses_answer=True)).word == "CONNECTION_REFUSED"
    traffic.close()


def test_an_answer_that_came_is_lost():
    with served(TrialReceiver(SECRET)) as url:
        traffic = Traffic(f"{url}/hooks", SECRET, on_this_machine=True)
        assert traffic.send(Hook("250400364846566651"), Pace(loses_answer=True)).word == LOST
        traffic.close()


# ------------------------------------------------------------------ this machine's own network
@pytest.fixture
def resolver_fails(monkeypatch):
    """Called with a number: from this look-up of a name on (1: the first), this machine's resolver has no answer."""
    asked, resolve = count(1), socket.getaddrinfo

    def begin(first):
        def getaddrinfo(host, *given, **more):
            if host == "localhost" and next(asked) >= first:  # it is called for addresses, too
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return resolve(host, *given, **more)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return begin


def by_name(url):
    return url.replace("127.0.0.1", "localhost")


OURS = "the network of this machine failed, not your receiver (OUR_NETWORK); try again"


@pytest.mark.parametrize("case", [one.name for one in CASES])
def test_a_failure_of_our_own_network_is_no_fault_of_the_receiver(resolver_fails, case):
    with served(TrialReceiver(SECRET)) as url:
        traffic = Traffic(f"{by_name(url)}/hooks", SECRET, count_url=f"{url}/count?mid={{mid}}", on_this_machine=True)
        resolver_fails(1)
        (found,) = try_receiver(traffic, lambda: "250400364846566651", [case])
        traffic.close()
    assert (found.verdict, found.seen, found.was_cut_off) == (Verdict.NOT_JUDGED, (OURS,), True)


def test_a_fault_that_was_seen_before_our_network_failed_stays_one(resolver_fails):
    with served(TrialReceiver(SECRET, "looks at no timestamp")) as url:
        traffic = Traffic(f"{by_name(url)}/hooks", SECRET, count_url=f"{by_name(url)}/count", on_this_machine=True)
        assert traffic.send(Hook("1")).status == 204  # its connection is kept, so no name is looked up for the next
        resolver_fails(1)
        (found,) = try_receiver(traffic, lambda: "250400364846566651", ["ahead"])
        traffic.close()
    assert (found.verdict, found.seen) == (Verdict.FAULT, ("ten minutes ahead: was answered 204, as if it were ours",))


def test_a_count_that_our_network_kept_from_being_asked_for_is_no_fault(resolver_fails):
    with served(TrialReceiver(SECRET)) as url:
        counted = f"{by_name(url)}/count?mid={{mid}}"
        traffic = Traffic(f"{url}/hooks", SECRET, count_url=counted, on_this_machine=True)
        resolver_fails(1)
        found = try_receiver(traffic, lambda: "250400364846566651", ["valid", "late"])
        traffic.close()
    assert [(one.verdict, one.was_cut_off) for one in found] == [
        (Verdict.NOT_JUDGED, True),
        (Verdict.NOT_JUDGED, False),
    ]
    assert found[1].seen == ("whether your receiver takes a valid webhook is not known: the rest would say nothing",)


def test_a_trial_that_our_network_cut_off_ends_with_3_and_says_whose_fault_it_was(resolver_fails):
    with served(TrialReceiver(SECRET)) as url:
        resolver_fails(2)  # the first is that of the knock
        result = run("try", f"{by_name(url)}/hooks", "--secret", SECRET, "--case", "slow-network")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[0].split()[:3] == ["not", "judged", "slow-network"]
    assert result.stdout.splitlines()[1].strip() == OURS
    assert result.stdout.splitlines()[2].startswith("no fault in 1 cases, 1 not judged; 2 requests")


def test_a_trial_that_our_network_keeps_from_beginning_does_not_say_that_nobody_answers(resolver_fails):
    resolver_fails(1)
    result = run("try", "http://localhost:9/hooks", "--secret", SECRET)
    assert result.exit_code == 3
    assert "OUR_NETWORK: the network of this machine failed; of the receiver nothing is known." in result.output


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


def test_the_page_shows_each_refusal(resolver_fails):
    refused = (
        ("http://localhost/", "--secret", REAL),
        ("https://hooks.example.com/speechcall", "--secret", SECRET),
        ("http://10.1.2.3/", "--secret", SECRET, "--yes-i-run", "10.1.2.3"),
        ("ftp://localhost/", "--secret", SECRET),
        ("http://127.0.0.1:9/", "--secret", SECRET),
    )
    shown = re.findall(r"^    (Error: .*)$", PAGE, re.MULTILINE)
    said = [run("try", *one).output.strip() for one in refused]
    resolver_fails(1)
    said.append(run("try", "http://localhost/", "--secret", SECRET).output.strip())
    assert said == shown
