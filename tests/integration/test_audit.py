"""The audit trail: every command and every request that changes something leaves one record, in that very write.

The commands on a deployment whose tables are those of the functions; each killed before and behind every write.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from botocore.client import BaseClient
from botocore.config import Config
from moto.dynamodb.models import dynamodb_backends

from cli.changes import action_of
from cli.deployment import Deployment
from cli.main import app
from local.cloud.account import ACCOUNT, REGION
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.accounts.use_cases.named_keys import NewKey, create_key
from speechcall.api.use_cases.routes import SCOPES
from speechcall.evidence.adapters.audit_trail import AuditRecords, Unrecorded, dump, load
from speechcall.evidence.rules.audit import KEPT_SECONDS, AuditRecord, By
from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.optouts.adapters.opt_outs_store import OptOutEntries
from speechcall.optouts.rules.opt_out import By as OptedOutBy
from speechcall.optouts.rules.opt_out import OptOut
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.ids import event_id
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from speechcall.webhooks.rules.delivery import Attempt, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from tests.kit.command_line import CliRunner
from tests.kit.http_api import TEMPLATE, HttpApi, running_api
from tests.kit.samples import NOW

FILE = Path(__file__).parents[2] / "local" / "cloud" / "audio" / "ivr_651854.wav"
MESSAGE = {
    "from": "Shop",
    "to": "+380936670003",
    "text": "ivr",
    "type": "speechcall",
    "menu": [{"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}],
}
PERSON, SECRET_PATH = "+380675550199", "kD93-secret-path"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")
READING = {
    *("account list", "account key list", "prompt list", "prompt play", "pool show", "message show", "list compare"),
    *(
        "list rehearse",
        "list watch",
        "list export",
        "optout list",
        "optout export",
        "webhook list",
        "webhook show",
        "deadletter list",
    ),
    *("doctor", "audit list", "list send", "menu draw", "menu explain", "menu prove", "menu compare", "version"),
    *("call show", "call replay", "receiver secret", "receiver try", "rates show", "rates export"),
}
"""Commands that change nothing of a deployment; `list send` sends with a customer's key, which the API looks at."""
ELSEWHERE = {
    "stack restore": "test_cli_stack_restore.py",
    "stack remove": "there is no table left to tell of it",
    "selftest": "it deletes what it writes",
}
NO_CHANGE = {"POST /bat/audio/{introId}/upload": "a URL to PUT a file to; what takes the file is the PUT"}


class Killed(BaseException):
    """The process ends here."""


class World:
    """An account that has everything that can be changed, and the functions and commands that change it."""

    def __init__(self, api: HttpApi) -> None:
        self.api = api
        self.client = boto3.client("dynamodb")
        self.deployment = self._opened()
        disabled = Account("shop", ("+380",), disabled=True)
        api.accounts.add(disabled, credentials_of("shop", Secrets("shop", "secret", "shop-key")))
        made = create_key("acme", "tool", [*Scope], [], store=api.accounts, token=lambda: "e" * 22, now_msec=1)
        assert isinstance(made, NewKey)
        self.key = {"x-authorization-key": made.key, "content-type": "application/json"}
        found = api.post({"messages": [MESSAGE], "campaign": "spring"})
        assert found.status == 200, found.text
        autumn = {**MESSAGE, "to": "+380936670004"}
        assert api.post({"messages": [autumn], "campaign": "autumn"}).status == 200
        now = int(time.time() * 1000)
        DynamoStops(self.client, api.tables[1]).pause(Stopped(Brake.CAMPAIGN, "acme", "autumn"), now, 0)
        self.mid, self.list_id = found.json["messages"][0]["messageId"], found.json["messagelistId"]
        digest = self.deployment.opt_outs.digest(PERSON)
        OptOutEntries(self.client, api.tables[1]).add("acme", OptOut("", digest, PERSON[-2:], NOW, OptedOutBy.API))
        message = api.messages.get(self.mid)
        assert message is not None
        self.webhook = event_id(self.mid, 1, 1, 0, "d1", 0)
        task, deliveries = (
            WebhookTask(self.mid, 1, 1, 0, "d1", 0, self.webhook),
            DynamoDeliveries(self.client, api.tables[0]),
        )
        deliveries.begin(task, message, "https://a.example", NOW)
        assert deliveries.finish(task, Attempt(now, 9, 500, None), DeliveryState.DEAD)
        api._prompts.put("acme", KnownPrompt("greeting", Prompt("https://bucket/a.wav", 2), NOW))
        self._kept = self._copied()

    def _opened(self) -> Deployment:
        return Deployment(boto3.Session(), TEMPLATE.ref, Config())

    @property
    def _tables(self) -> Any:
        return dynamodb_backends[ACCOUNT][REGION].tables

    def _copied(self) -> dict[str, Any]:
        return {name: deepcopy(dict(self._tables[name].items)) for name in self.api.tables}

    def begin(self) -> None:
        """Everything is again as it was at first."""
        for name, items in self._kept.items():
            self._tables[name].items.clear()
            self._tables[name].items.update(deepcopy(items))

    def leave_dead_letter(self) -> None:
        """One that nothing can be done about but to forget it."""
        url = TEMPLATE.ref("InvocationDeadLetterQueue")
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"requestPayload": {}}))

    def state(self) -> dict[Any, str]:
        """Every item that is no record."""
        return {place: text for place, text in self.api.stored().items() if not place[1].startswith("AUDIT#")}

    def records(self) -> list[str]:
        """The items of the trail, as they are stored."""
        return [text for place, text in self.api.stored().items() if place[1].startswith("AUDIT#")]

    def read(self) -> list[AuditRecord]:
        """The records, as they are read."""
        now = int(time.time() * 1000)
        return AuditRecords(self.client, self.api.tables[1]).page(None, 0, now + 1000, 100).records

    def run(self, arguments: list[str], status: int = 0) -> str:
        """What a command says."""
        place = [*arguments, "--stack", "sc"]
        result = CliRunner().invoke(app, place, obj=lambda _place: self._opened())
        if isinstance(result.exception, Killed):
            raise result.exception
        assert result.exit_code == status, (arguments, result.output, result.exception)
        return result.output

    def ask(self, method: str, path: str, body: Any, status: int) -> None:
        """A request with the key of all scopes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.api.ask(method, path, self.key, content)
        assert answer.status == status, answer.text


@contextmanager
def killed_at(number: int | None, *, behind: bool = False) -> Iterator[list[Any]]:
    """The process ends before the write of a number, or behind it; None: never. Yields the writes that were done."""
    real = vars(BaseClient)["_make_api_call"]
    done: list[Any] = []

    def call(client: Any, operation: str, given: Any) -> Any:
        if client.meta.service_model.service_name != "dynamodb" or operation not in WRITES:
            return real(client, operation, given)
        if len(done) == number and not behind:
            raise Killed
        answer = real(client, operation, given)
        done.append(given)
        if behind and number is not None and len(done) == number + 1:
            raise Killed
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield done


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    with running_api() as api:
        yield World(api)


@pytest.fixture
def world(shared: World) -> World:
    shared.begin()
    return shared


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        path = (*before, name)
        yield from commands(command, path) if hasattr(command, "commands") else [(" ".join(path), command)]


FOUND = dict(commands(typer.main.get_command(app)))
STATUS_URL = f"https://hooks.example/{SECRET_PATH}"
CHANGES: dict[str, list[str]] = {
    "account create": ["newer", "--prefix", "+380", "--sender", f"Shop {PERSON}={PERSON}", "--status-url", STATUS_URL],
    "account rotate": ["acme"],
    "account disable": ["acme", "--queue", "cancel"],
    "account enable": ["shop"],
    "account set": ["acme", "--rate", "5", "--deny", PERSON, "--no-webhook-secret", "--status-url", STATUS_URL],
    "account pause": ["acme"],
    "account resume": ["acme"],
    "account cancel-queue": ["acme"],
    "account key create": ["acme", f"till{PERSON[1:]}", "--scope", "send", "--from-ip", "203.0.113.7"],
    "account key revoke": ["acme", "tool"],
    "prompt add": [f"for_{PERSON[1:]}", str(FILE), "--account", "acme"],
    "prompt remove": ["greeting", "--account", "acme"],
    "pool set": ["--lines", "3"],
    "rates import": ["{rates}", "--currency", "EUR"],
    "message cancel": ["{mid}", "--hangup"],
    "list cancel": ["{list}"],
    "list pause": ["{list}"],
    "list resume": ["{list}"],
    "campaign cancel": ["acme", "spring"],
    "campaign pause": ["acme", "spring"],
    "campaign resume": ["acme", "autumn"],
    "optout import": ["acme", "{csv}", "--list", "news", "--max-age", "30"],
    "optout remove": ["acme", PERSON],
    "webhook replay": ["{webhook}"],
    "deadletter redrive": ["--all", "--forget"],
}
"""Each command that changes something, with what it changes."""
REFUSED: dict[str, list[str]] = {
    "account create": ["acme", "--prefix", "+380"],
    "account set": ["nobody", "--rate", "5"],
    "account key create": ["acme", "tool", "--scope", "send"],
    "account key revoke": ["acme", "nothing"],
    "rates import": ["{csv}", "--currency", "EUR"],
    "prompt remove": ["nothing", "--account", "acme"],
    "message cancel": ["1"],
    "list pause": ["1"],
    "campaign cancel": ["acme", "winter"],
    "campaign pause": ["acme", "winter"],
    "optout remove": ["acme", "+380675550100"],
    "webhook replay": ["1-1-2-m0-d1-0"],
}
ROUTES: dict[str, tuple[Any, int]] = {
    "POST /bat/message/{messageId}/cancel": ({}, 200),
    "POST /bat/messagelist/{messagelistId}/cancel": ({}, 200),
    "POST /bat/messagelist/{messagelistId}/pause": ({}, 200),
    "POST /bat/messagelist/{messagelistId}/resume": ({}, 200),
    "POST /bat/campaign/{campaign}/cancel": ({}, 200),
    "POST /bat/campaign/{campaign}/pause": ({}, 200),
    "POST /bat/campaign/{campaign}/resume": ({}, 200),
    "POST /bat/message/{messageId}/webhooks/replay": ({}, 202),
    "POST /bat/webhook/replay": ({"since": "2026-01-01T00:00:00Z"}, 202),
    "POST /bat/account/webhook-secret": ({}, 200),
    "PUT /bat/audio/{introId}": (FILE.read_bytes(), 200),
    "DELETE /bat/audio/{introId}": ({}, 200),
    "POST /bat/optout": ({"number": "+380675550100", "reason": f"call {PERSON}"}, 200),
    "POST /bat/optout/remove": (
        {"number": PERSON, "consent": {"basis": PERSON, "at": "2026-11-30T09:00:00Z", "ref": PERSON}},
        200,
    ),
    "POST /bat/person/export": ({"number": PERSON}, 202),
    "POST /bat/erasure": ({"number": PERSON}, 202),
}
"""Each route that changes something, with a body, and the status of the answer."""


def given(world: World, arguments: list[str], folder: Path) -> list[str]:
    """Arguments of a command, with what was made."""
    file = folder / "numbers.csv"
    file.write_text(f"{PERSON}\n+380675550101\n+380675550102\n", encoding="utf-8")
    rates = folder / "rates.csv"
    rates.write_text("prefix,firstSeconds,firstPrice,stepSeconds,stepPrice\n380,60,0.05,1,0.001\n", encoding="utf-8")
    names = {
        "{rates}": str(rates),
        "{mid}": world.mid,
        "{list}": world.list_id,
        "{webhook}": world.webhook,
        "{csv}": str(file),
    }
    return [names.get(one, one) for one in arguments]


def act_of(world: World, name: str, folder: Path) -> Callable[[], object]:
    """What a command's or a route's name stands for."""
    if name == "deadletter redrive":
        world.leave_dead_letter()
    if name in CHANGES:
        return lambda: world.run([*name.split(), *given(world, CHANGES[name], folder)])
    method, path = name.split()
    body, status = ROUTES[name]
    for place, value in {
        "{messageId}": world.mid,
        "{messagelistId}": world.list_id,
        "{campaign}": "autumn" if "resume" in path else "spring",
        "{introId}": "greeting",
    }.items():
        path = path.replace(place, value)
    return lambda: world.ask(method, path, body, status)


# ------------------------------------------------------------ the closed sets
def test_each_command_is_known_to_change_something_or_nothing() -> None:
    changing = {name for name, command in FOUND.items() if action_of(command.callback)}
    assert changing == {*CHANGES, "stack restore"}
    assert set(FOUND) == changing | READING | set(ELSEWHERE)
    assert {name: action_of(FOUND[name].callback) for name in changing} == {name: name for name in changing}


def test_each_route_that_manages_or_erases_is_tried_here() -> None:
    managing = {route for route, scope in SCOPES.items() if scope in (Scope.MANAGE, Scope.ERASE)}
    assert managing == set(ROUTES) | set(NO_CHANGE)


# ------------------------------------------------------------------ each of them
@pytest.mark.parametrize("name", [*CHANGES, *ROUTES])
def test_a_change_leaves_one_record_that_says_by_whom_and_nothing_else(world: World, name: str, tmp_path: Path) -> None:
    act = act_of(world, name, tmp_path)
    with killed_at(None) as writes:
        act()
    with_record = [number for number, given in enumerate(writes) if "AUDIT#" in str(given)]
    assert with_record == [0]  # in the first transaction: who is killed behind it has left both
    assert len(writes[0]["TransactItems"]) > 1 or name == "deadletter redrive"
    (text,), (record,) = world.records(), world.read()
    change = record.change
    assert change.action == name
    assert abs(record.at_msec - time.time() * 1000) < 60_000
    if name in CHANGES:
        assert change.actor.by is By.OPERATOR
        assert change.actor.name == "user/moto"
    else:
        assert change.actor == (By.KEY, "tool")
    others = {"account create": "newer", "account enable": "shop"}
    others |= dict.fromkeys(("pool set", "rates import", "deadletter redrive"), "")
    owner = others.get(name, "acme")
    assert change.account_id == owner
    for hidden in (PERSON[1:], PERSON[4:], "675550100", SECRET_PATH, "whsec_", "sck_", "sckn_", ACCOUNT):
        assert hidden not in text


@pytest.mark.long
@pytest.mark.parametrize("name", [*CHANGES, *ROUTES])
def test_whoever_is_killed_has_left_a_change_with_its_record_or_neither(
    world: World, name: str, tmp_path: Path
) -> None:
    act = act_of(world, name, tmp_path)
    before, is_killed = world.state(), True
    for number in range(40):
        for behind in (False, True):
            world.begin()
            with killed_at(number, behind=behind) as done:
                try:
                    act()
                except Killed:
                    is_killed = True
                else:
                    is_killed = False
            is_changed = world.state() != before
            assert len(world.records()) == int(is_changed) or name == "deadletter redrive", (number, behind, done)
        if not is_killed:
            return
    raise AssertionError("it never came to its end")


def test_a_command_that_is_refused_leaves_nothing(world: World, tmp_path: Path) -> None:
    before = world.api.stored()
    for name, arguments in REFUSED.items():
        world.run([*name.split(), *given(world, arguments, tmp_path)], status=3)
        assert world.api.stored() == before, name


def test_a_request_that_may_not_or_cannot_be_carried_out_leaves_nothing(world: World) -> None:
    before = world.api.stored()
    for route in ROUTES:
        assert 400 <= refused(world, route) < 500
        assert world.api.stored() == before, route


def refused(world: World, route: str) -> int:
    """The status of the answer to a request with a body that is none, about what is not there."""
    method, path = route.split()
    plain = {"authorization": "Basic " + base64.b64encode(b"other:secret").decode()}
    for place in ("{messageId}", "{messagelistId}"):
        path = path.replace(place, "1")
    path = path.replace("{campaign}", "winter").replace("{introId}", "nothing")
    return world.api.ask(method, path, plain, b'{"unknown":').status


def test_what_is_not_said_to_be_a_change_is_not_written(world: World) -> None:
    before = world.state()
    with pytest.raises(Unrecorded):
        world.deployment.lines.choose({"lines": 1})
    with pytest.raises(Unrecorded):
        world.deployment.accounts.add(Account("sneaky", ("*",)), {})
    assert world.state() == before


# ------------------------------------------------------------------ what it says
def test_a_record_says_what_was_before_and_what_is_now_without_secrets(world: World, tmp_path: Path) -> None:
    act_of(world, "account set", tmp_path)()
    (record,) = world.read()
    assert record.before == {"rate": 50, "denied": [], "statusUrl": ""}
    url = record.after["statusUrl"]
    assert url.startswith("https://hooks.example (sha256 ")
    assert record.after == {"rate": 5, "denied": ["+3806…"], "statusUrl": url}
    assert record.change.asked == {"noWebhookSecret": True}
    world.begin()
    world.run(["account", "rotate", "acme", "--webhook-secret", "--keep-hours", "0"])
    assert world.read()[0].change.asked == {"webhookSecret": True, "keepHours": 0}
    world.begin()
    world.run(["account", "rotate", "acme"])
    assert world.read()[0].change.asked == {}
    world.begin()
    act_of(world, "pool set", tmp_path)()
    assert (world.read()[0].before, world.read()[0].after) == ({"lines": None}, {"lines": 3})
    world.begin()
    act_of(world, "account key create", tmp_path)()
    made = {"key": "till3806…", "scopes": ["send"], "fromIps": ["203.0.113.7/32"]}
    assert (world.read()[0].before, world.read()[0].after) == ({}, made)


def test_a_record_is_kept_for_400_days_and_goes_by_itself_then(world: World, tmp_path: Path) -> None:
    act_of(world, "pool set", tmp_path)()
    (item,) = [
        from_wire(one)
        for one in world.client.scan(TableName=world.api.tables[1])["Items"]
        if one["pk"]["S"].startswith("AUDIT#")
    ]
    assert item["expires_at"] >= item["at_msec"] / 1000 + 400 * 86_400 - 1
    assert KEPT_SECONDS == 400 * 86_400


def test_the_listing_is_the_newest_first_by_pages_of_one_account_or_of_all(world: World) -> None:
    for rate in (5, 6, 7):
        world.run(["account", "set", "acme", "--rate", str(rate)])
    world.run(["pool", "set", "--lines", "4"])
    world.run(["account", "disable", "other", "--queue", "keep"])

    def page(*more: str) -> Any:
        return json.loads(world.run(["audit", "list", "--json", *more]))

    every = page()["records"]
    assert [one["action"] for one in every] == ["account disable", "pool set", *["account set"] * 3]
    assert page()["nextCursor"] is None
    seen, cursor = [], ""
    while cursor is not None:
        found = page("--limit", "2", *(["--cursor", cursor] if cursor else []))
        seen += found["records"]
        cursor = found["nextCursor"]
    assert seen == every
    of_acme = page("--account", "acme", "--limit", "2")
    assert [one["after"]["rate"] for one in of_acme["records"]] == [7, 6]
    rest = page("--account", "acme", "--limit", "2", "--cursor", of_acme["nextCursor"])
    assert [one["after"]["rate"] for one in rest["records"]] == [5]
    assert page("--account", "gone")["records"] == []
    assert every[0]["by"] == "operator user/moto"
    assert "account disable" in world.run(["audit", "list"])
    world.run(["audit", "list", "--cursor", "made-up"], status=2)


def test_records_of_other_months_are_found_and_only_since_when_it_is_asked(world: World) -> None:
    day = 86_400_000
    world.run(["pool", "set", "--lines", "4"])
    item = next(one for one in world.client.scan(TableName=world.api.tables[1])["Items"] if one["pk"]["S"] == "AUDIT#")
    now = int(item["at_msec"]["N"])
    record = load(from_wire(item))
    for days in (40, 200, 399):
        old = dump(record._replace(at_msec=now - days * day, record_id=str(days)))
        world.client.put_item(TableName=world.api.tables[1], Item=to_wire(old))

    def ages(*more: str) -> list[str]:
        return [one["at"] for one in json.loads(world.run(["audit", "list", "--json", *more]))["records"]]

    assert len(ages()) == 4
    assert ages() == sorted(ages(), reverse=True)
    assert len(ages("--since", "100d")) == 2
    assert len(ages("--limit", "3")) == 3


@pytest.mark.parametrize("of", [["--account", "acme"], []])
def test_records_that_one_query_does_not_reach_are_listed_too(world: World, of: list[str]) -> None:
    # Given two months with more of them than the 1 MB that a query reads (developer guide, "Query: pagination")
    world.run(["account", "set", "acme", "--rate", "5"])
    (newest,) = world.read()
    long = newest._replace(before={"denied": ["a word of some letters " * 10] * 400})
    month = 31 * 86_400_000
    assert len(json.dumps(dump(long), default=str)) * 12 > 1_050_000
    for number in range(1, 15):
        at_msec = newest.at_msec - number - month * (number > 12)
        old = dump(long._replace(record_id=str(number), at_msec=at_msec))
        world.client.put_item(TableName=world.api.tables[1], Item=to_wire(old))

    def page(*more: str) -> Any:
        return json.loads(world.run(["audit", "list", "--json", *of, *more]))

    # Then they are all there, in one page or in several
    every = page("--limit", "1000")
    assert (len(every["records"]), every["nextCursor"]) == (15, None)
    first = page("--limit", "11")
    rest = page("--cursor", first["nextCursor"])
    assert [len(one["records"]) for one in (first, rest)] == [11, 4]
    assert first["records"] + rest["records"] == every["records"]


def test_a_record_of_a_later_release_is_read_and_older_code_passes_over_records(world: World) -> None:
    world.run(["pool", "set", "--lines", "4"])
    item = next(one for one in world.client.scan(TableName=world.api.tables[1])["Items"] if one["pk"]["S"] == "AUDIT#")
    item |= {"newer": {"S": "x"}, "by_kind": {"S": "console"}, "v": {"N": "2"}}
    del item["asked"], item["before"]
    world.client.put_item(TableName=world.api.tables[1], Item=item)
    (record,) = world.read()
    assert record.change.action == "pool set"
    # Lists of accounts, opt-outs, campaigns and jobs are what they were
    assert {account.account_id for account in world.deployment.accounts.all()} == {"acme", "other", "shop"}
    assert json.loads(world.run(["optout", "list", "acme", "--json"]))[0]["ending"] == PERSON[-2:]
    assert [one.name for one in world.deployment.prompts.uploaded("acme")] == ["greeting", "ivr_651854"]
