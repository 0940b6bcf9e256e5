"""From a key to the next thing that the callee hears: what our functions take, for each telephony. `make bench`.

The functions run as they are deployed, against a DynamoDB and a Step Functions that take no time. The floor makes
the same requests, one after the other, with boto3 alone; what is above it is ours, the pause of 50 ms before the
mailbox is looked into for the second time included.
"""

import importlib.util
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.canned_call import canned_call
from speechcall.adapters.dynamodb.call_items import dump_call
from speechcall.adapters.dynamodb.table import to_wire
from speechcall.domain.call import Command, Kind, Ticket
from tests.fixtures.samples import CALL, NOW

ROOT = Path(__file__).parent.parent
ROUNDS, WARM = 300, 20
MID = "1234567890123456789"

Event = Callable[[int], dict[str, Any]]


def main() -> None:
    """Print p50 and p99 of a key's function, of its floor, and its requests."""
    print(f"\nFrom a key to the next command, ms ({ROUNDS} keys; no time for engine and network)")
    print(f"{'telephony':<12}{'p50':>8}{'p99':>8}{'floor p50':>12}{'floor p99':>12}   requests for a key")
    for telephony, folder, contact, event in (
        ("Connect", "connect_flow", _connect_contact(), _connect_key),
        ("Chime SDK", "chime_events", _chime_contact(), _chime_key),
    ):
        with canned_call(_item(contact)) as endpoint:
            os.environ.update(_environment(endpoint))
            app = _load(folder)
            ours, floor, requests = _measure(app, event)
        told = ", ".join(f"{count} {name}" for name, count in requests.items())
        times = "".join(f"{value:>{width}.1f}" for value, width in zip((*ours, *floor), (8, 8, 12, 12), strict=True))
        print(f"{telephony:<12}{times}   {told}")


def _item(contact_id: str) -> dict[str, Any]:
    """A call whose first menu is asked, as command 2."""
    ticket = Ticket("2026-09-21T12:00:00.000Z", 0, "t" * 600)
    call = replace(CALL, mid=MID, seq=2, done_seq=1, command=Command(Kind.ASK, 0), ticket=ticket, visits=1)
    return dict(to_wire(dump_call(call) | {"contact_id": contact_id, "answered_msec": NOW}))


def _connect_contact() -> str:
    return str(_event("connect/flow-key.json")["Details"]["ContactData"]["ContactId"])


def _connect_key(seq: int) -> dict[str, Any]:
    event = _event("connect/flow-key.json")
    event["Details"]["Parameters"]["seq"] = str(seq)
    return event


def _chime_contact() -> str:
    return str(_event("chime/digits-received.json")["CallDetails"]["TransactionId"])


def _chime_key(seq: int) -> dict[str, Any]:
    event = _event("chime/digits-received.json")
    event["Sequence"] = seq + 2
    event["CallDetails"]["TransactionAttributes"]["seq"] = str(seq)
    return event


def _event(path: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / path).read_text(encoding="utf-8"))
    return event


def _environment(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ENDPOINT_URL_SFN": endpoint,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "MESSAGES_TABLE": "messages",
        "POWERTOOLS_SERVICE_NAME": "speechcall",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }


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


def _measure(app: Any, event: Event) -> tuple[tuple[float, float], tuple[float, float], Counter[str]]:
    """p50 and p99 of the function and of its floor, in ms, in turn; and the requests that one key makes."""
    sent: list[tuple[Any, dict[str, Any]]] = []
    clients = _clients(app)
    for client in clients:
        client.meta.events.register("provide-client-params", _noting(client, sent))
    seq, ours, floor = 2, list[float](), list[float]()
    for turn in range(WARM + ROUNDS):
        sent.clear()
        given = event(seq)
        begin = time.perf_counter()
        answer = app.handler(given, _Context())
        took = time.perf_counter() - begin
        if not _asks(answer):
            raise RuntimeError(f"no question in {answer}")
        made = list(sent)
        begin = time.perf_counter()
        for method, params in made:
            method(**params)
        plain = time.perf_counter() - begin
        if turn >= WARM:
            ours.append(took * 1000)
            floor.append(plain * 1000)
        seq += 2  # the floor has answered a task too
    names = Counter(_name(method) for method, _ in made)
    return _percentiles(ours), _percentiles(floor), names


def _clients(app: Any) -> list[Any]:
    """The boto3 clients of a function's stores."""
    holder = getattr(app, "events", app)
    return [holder.calls._client, holder.engine._client]


def _noting(client: Any, sent: list[tuple[Any, dict[str, Any]]]) -> Callable[..., None]:
    methods = {operation: name for name, operation in client.meta.method_to_api_mapping.items()}

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append((getattr(client, methods[model.name]), params))

    return note


def _name(method: Any) -> str:
    return "".join(part.capitalize() for part in str(method.__name__).split("_"))


def _asks(answer: dict[str, Any]) -> bool:
    return answer.get("op") == "ask" or any(action["Type"] == "PlayAudio" for action in answer.get("Actions", ()))


def _percentiles(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
