"""What accepting a message costs in CPU, against the least that it could cost.

The floor reads the same body with `json.loads`, serialises the same items with boto3's own serialiser, and sends the
same requests to the same endpoint. What is above it is ours: authentication, routing, checks, the answer.
"""

import base64
import importlib.util
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from benchmarks.canned_dynamodb import canned_dynamodb
from benchmarks.deployed import variables_of
from benchmarks.length import in_short
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt

ROOT = Path(__file__).parent.parent
SIZES = (1, 10, 100)
ROUNDS = in_short(15, 1)
AIM_AT_100 = 1.5

_ACCOUNT = Account("acme", prefixes=("+380",), calls_per_day=1_000_000)
_PROMPT = KnownPrompt("ivr_651854", Prompt("https://b/p.wav", 3.0, 24_000), 1)


def main() -> None:
    """Print CPU per message, floor and ratio, for lists of 1, 10 and 100 messages."""
    with canned_dynamodb() as endpoint:
        os.environ.update(environment(endpoint))
        store()
        app = load_function()
        print(f"\nCPU of accepting a message (time.process_time; median of {ROUNDS} rounds, in turn with the floor)")
        print(f"{'messages':>10}{'ours, ms each':>16}{'floor, ms each':>16}{'ratio':>8}")
        for size in SIZES:
            event = example(size)
            ours, floor = measure(lambda event=event: _invoke(app, event), _floor(app, event))
            aim = f"   (aim: at most {AIM_AT_100})" if size == max(SIZES) else ""
            print(f"{size:>10}{ours / size * 1000:>16.3f}{floor / size * 1000:>16.3f}{ours / floor:>8.2f}{aim}")


def environment(endpoint: str) -> dict[str, str]:
    return variables_of("messagelist", endpoint)


def store() -> None:
    """What the function looks up, in whatever form the stores write it."""
    client, registry = boto3.client("dynamodb"), os.environ["REGISTRY_TABLE"]
    DynamoAccounts(client, registry).add(_ACCOUNT, credentials_of("acme", Secrets("shop", "secret", "key")))
    DynamoPrompts(client, registry).put("acme", _PROMPT)


def load_function() -> Any:
    spec = importlib.util.spec_from_file_location("messagelist_app", ROOT / "functions" / "messagelist" / "app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("functions/messagelist/app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(size: int) -> dict[str, Any]:
    """The specification's example, once for each of `size` numbers."""
    (message,) = json.loads((ROOT / "events" / "spec" / "complex.json").read_text(encoding="utf-8"))["messages"]
    messages = [{**message, "to": f"+38067{1_000_000 + number}"} for number in range(size)]
    event: dict[str, Any] = json.loads((ROOT / "events" / "api" / "post-messagelist.json").read_text(encoding="utf-8"))
    event["headers"]["authorization"] = "Basic " + base64.b64encode(b"shop:secret").decode()
    event["body"], event["isBase64Encoded"] = json.dumps({"messages": messages}), False
    return event


class Context:
    function_name, memory_limit_in_mb, aws_request_id = "bench", 1024, "bench"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench"


def _invoke(app: Any, event: dict[str, Any]) -> None:
    with redirect_stdout(io.StringIO()):  # a function's metrics are lines of its log
        answer = app.handler(event, Context())
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])


def _floor(app: Any, event: dict[str, Any]) -> Callable[[], None]:
    """The same requests as the function makes for `event`, with their items serialised again each time."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append((model.name, params))

    _invoke(app, event)  # the shape is known from now on
    app.dynamodb.meta.events.register("provide-client-params.dynamodb", note)
    _invoke(app, event)
    app.dynamodb.meta.events.unregister("provide-client-params.dynamodb", note)
    client = boto3.client("dynamodb")
    methods = {
        client.meta.method_to_api_mapping[name]: getattr(client, name) for name in client.meta.method_to_api_mapping
    }
    serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize

    def plain(item: dict[str, Any]) -> dict[str, Any]:
        return {name: deserialize(value) for name, value in item.items()}

    puts = [[plain(write["Put"]["Item"]) for write in params.get("TransactItems", [])] for _, params in sent]

    def run() -> None:
        json.loads(event["body"])
        for (operation, params), items in zip(sent, puts, strict=True):
            if items:
                writes = [
                    {"Put": {**write["Put"], "Item": {name: serialize(value) for name, value in item.items()}}}
                    for write, item in zip(params["TransactItems"], items, strict=True)
                ]
                methods[operation](TransactItems=writes)
            else:
                methods[operation](**params)

    return run


def measure(ours: Callable[[], None], floor: Callable[[], None]) -> tuple[float, float]:
    """Median CPU seconds of each, run in turn so that both see the same machine."""
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 2):
        for run, times in zip((ours, floor), found, strict=True):
            begin = time.process_time()
            run()
            if turn >= 2:  # connections and caches are warm
                times.append(time.process_time() - begin)
    return statistics.median(found[0]), statistics.median(found[1])


if __name__ == "__main__":
    main()
