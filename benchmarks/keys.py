"""From what a callee does to the next thing that they hear: what our functions take, for each telephony. `make bench`.

The functions run as they are deployed, against a DynamoDB and a Step Functions that take no time. The floor makes
the same requests, one after the other, with boto3 alone; what is above it is ours. The state machine never comes to
anything here: what the callee hears next does not wait for it.
"""

import importlib.util
import io
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.canned_call import canned_call
from benchmarks.deployed import variables_of
from benchmarks.length import in_short
from local.cloud.simulated_providers import RINGING, parameters_of, simulated
from local.cloud.template import read_template
from speechcall.calls.adapters.call_items import dump_call, dump_entry
from speechcall.calls.rules.call import Command, Kind, Ticket
from speechcall.menus.rules.call_log import Entry, Plan, Then, ThenKind
from speechcall.shared.adapters.table import to_wire
from speechcall.telephony.provider import ProviderName
from tests.kit.samples import CALL, NOW

ROOT = Path(__file__).parent.parent
ROUNDS, WARM = in_short((300, 20), (10, 1))
MID = "1234567890123456789"
MENUS = 20
MOST_REQUESTS = 3
ENGINE = "Step Functions"


@dataclass(frozen=True)
class Case:
    """One event of a function. `command`: what waits for its answer; None: it writes a command itself."""

    provider: ProviderName
    source: str
    what: str
    folder: str
    event: str
    command: Kind | None


COMMANDS = {"key": Kind.ASK, "answered": Kind.DIAL}
"""What a callee does, and the command that waits for it."""


def cases() -> list[Case]:
    """What callees do, with each provider; and the machine's next command."""
    found = []
    for heard, command in COMMANDS.items():
        for name in RINGING:
            (event,) = (file for file in simulated(name).event_files if file.hears == heard)
            functions = read_template(ROOT / "template.yaml", parameters_of(name)).functions
            found.append(Case(name, name, heard, functions[event.function].code_dir.name, event.path, command))
    machine = (ENGINE, "next menu", "control_call", "stepfunctions/control-call-ask.json", None)
    return [*found, Case(ProviderName.CONNECT, *machine)]


def main() -> None:
    """Print p50 and p99 of each case, of its floor, how they compare, and its requests."""
    print(f"\nFrom a callee's doing to the next command, ms ({ROUNDS} of each; no time for engine and network)")
    print(
        f"{'from':<16}{'what':<12}{'p50':>8}{'p99':>8}{'floor p50':>12}{'floor p99':>12}{'p50 ÷':>8}   requests in turn"
    )
    with canned_call() as endpoint:
        for case in cases():
            os.environ.update(variables_of(case.folder, endpoint, case.provider))
            ours, floor, requests = _measure(case)
            told = ", ".join(f"{count} {name}" for name, count in requests.items())
            times = "".join(
                f"{value:>{width}.1f}" for value, width in zip((*ours, *floor), (8, 8, 12, 12), strict=True)
            )
            if requests.total() > MOST_REQUESTS:
                raise RuntimeError(f"{case.source}, {case.what}: {requests.total()} requests in turn")
            ratio = f"{ours[0] / floor[0]:>8.2f}"
            print(f"{case.source:<16}{case.what:<12}{times}{ratio}   {requests.total()}: {told}")


def requests_of(case: Case, endpoint: str) -> Counter[str]:
    """The requests to AWS, one after the other, that one event of a case makes before its answer."""
    os.environ.update(variables_of(case.folder, endpoint, case.provider))
    app, event = _load(case.folder), _event(case.event)
    sent: list[tuple[Any, dict[str, Any]]] = []
    clients = _clients(app)
    clients[0].put_item(TableName=os.environ["MESSAGES_TABLE"], Item=_item(case, event))
    for client in clients:
        client.meta.events.register("provide-client-params", _noting(client, sent))
    with redirect_stdout(io.StringIO()):  # its metrics
        answer = app.handler(event, _Context())
    if case.command and not _asks(answer):
        raise RuntimeError(f"{case.source} was told to hold: {answer}")
    return Counter(_name(method) for method, _ in sent)


def _item(case: Case, event: dict[str, Any]) -> dict[str, Any]:
    """The call as the event finds it: it rings, or its first menu is asked, as command 2; of twenty menus."""
    details = event.get("CallDetails") or event.get("Details", {}).get("ContactData", {})
    contact = details.get("TransactionId") or details.get("ContactId")
    ticket = Ticket("2026-09-21T12:00:00.000Z", 0, "t" * 600)
    row: dict[str, int | str] = {"d1": 1, "d2": "end", "wrong": 0}
    plan = Plan((row,) * MENUS, 50, 2 * NOW, 2)
    call = CALL._replace(mid=MID, ticket=ticket, asks=CALL.asks * MENUS, plan=plan)
    log: list[str] = []
    if case.command is not Kind.DIAL:
        call = call._replace(seq=2, command=Command(Kind.ASK, 0), visits=1)
        ask = Then(ThenKind.ASK, 0)
        entries = [Entry(1, None, "answered", "", NOW, ask), Entry(2, 0, "key", "d1", NOW, ask)]
        log = [dump_entry(entry) for entry in entries[: 1 if case.command else 2]]
    named: dict[str, Any] = {"contact_id": contact} if contact else {}
    if log:
        named["answered_msec"] = NOW
    return dict(to_wire(dump_call(call) | named | {"log_entries": log, "log_seq": len(log)}))


def _event(path: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / path).read_text(encoding="utf-8"))
    return event


def _load(folder: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"{folder}_app", ROOT / "functions" / folder / "app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Context:
    function_name, memory_limit_in_mb, aws_request_id = "bench", 1024, "bench"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"


def _measure(case: Case) -> tuple[tuple[float, float], tuple[float, float], Counter[str]]:
    """p50 and p99 of the function and of its floor, in ms, in turn; and the requests that one event makes."""
    app, event = _load(case.folder), _event(case.event)
    item = _item(case, event)
    sent: list[tuple[Any, dict[str, Any]]] = []
    clients = _clients(app)
    for client in clients:
        client.meta.events.register("provide-client-params", _noting(client, sent))
    ours, floor, holds = list[float](), list[float](), 0
    answer: dict[str, Any] = {}
    made: list[tuple[Any, dict[str, Any]]] = []
    for turn in range(WARM + ROUNDS):
        clients[0].put_item(TableName=os.environ["MESSAGES_TABLE"], Item=item)
        sent.clear()
        with redirect_stdout(io.StringIO()):  # its metrics
            begin = time.perf_counter()
            answer = app.handler(event, _Context())
            took = time.perf_counter() - begin
        holds += bool(case.command) and not _asks(answer)
        made = list(sent)
        begin = time.perf_counter()
        for method, params in made:
            method(**params)
        plain = time.perf_counter() - begin
        if turn >= WARM:
            ours.append(took * 1000)
            floor.append(plain * 1000)
    if holds > in_short(ROUNDS // 10, ROUNDS // 2):  # on a busy machine now and then
        raise RuntimeError(f"{case.source} was told to hold {holds} times: {answer}")
    names = Counter(_name(method) for method, _ in made)
    return _percentiles(ours), _percentiles(floor), names


def _clients(app: Any) -> list[Any]:
    """The boto3 clients of a function's stores."""
    holder = getattr(app, "events", None) or getattr(app, "control", app)
    return [holder.calls._client, holder.engine._client]


def _noting(client: Any, sent: list[tuple[Any, dict[str, Any]]]) -> Callable[..., None]:
    methods = {operation: name for name, operation in client.meta.method_to_api_mapping.items()}

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append((getattr(client, methods[model.name]), params))

    return note


def _name(method: Any) -> str:
    return "".join(part.capitalize() for part in str(method.__name__).split("_"))


def _asks(answer: dict[str, Any]) -> bool:
    """Whether it plays the introduction, in whatever form the provider takes it."""
    return CALL.asks[0].prompt_uri.rpartition("/")[2] in json.dumps(answer)


def _percentiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
