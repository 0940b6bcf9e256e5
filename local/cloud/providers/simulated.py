"""Calls that ring no phone, on the laptop: the product's own queue and function play them, and the page shows them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from local.cloud.event_files import EventFile, has
from local.cloud.providers.record import Need, SimulatedProvider, Surroundings
from local.cloud.triggers.stream_reader import StreamReader
from speechcall.calls.adapters.call_items import load_call
from speechcall.calls.rules.call import Call
from speechcall.shared.adapters.keys import CALLS
from speechcall.shared.adapters.table import from_wire

if TYPE_CHECKING:
    from local.network.simulated.simulator import SimulatedNetwork

_BATCH = 1000
_DONE = has({"batchItemFailures": []})

_EVENT_FILES = (
    EventFile("simulated/rings.json", "SimulatedCallsFunction", _DONE),
    EventFile("simulated/answered.json", "SimulatedCallsFunction", _DONE, hears="answered"),
    EventFile("simulated/key.json", "SimulatedCallsFunction", _DONE, hears="key"),
    EventFile("simulated/ends.json", "SimulatedCallsFunction", _DONE),
    EventFile("simulated/stopped.json", "SimulatedCallsFunction", _DONE),
)


def _make(here: Surroundings, _changes: Mapping[str, Any]) -> "SimulatedNetwork":
    from local.network.simulated.simulator import SimulatedNetwork  # noqa: PLC0415 - see `SimulatedProvider.make`

    reader = StreamReader(here.template.get_att("MessagesTable", "StreamArn"))
    return SimulatedNetwork(lambda: _changes_of_calls(reader), reader.stop, here.read_prompt, here.journal)


def _changes_of_calls(reader: StreamReader) -> Iterator[tuple[Call | None, Call]]:
    while records := reader.read(_BATCH):
        for record in records:
            change = record["dynamodb"]
            if str(change["Keys"]["sk"]["S"]).startswith(CALLS) and "NewImage" in change:
                yield (_call(change["OldImage"]) if "OldImage" in change else None), _call(change["NewImage"])


def _call(image: Mapping[str, Any]) -> Call:
    return load_call(from_wire(image))


def _request_of(method: str, path: str, _body: bytes) -> tuple[str, Mapping[str, Any]]:
    raise LookupError(f"a simulated telephony has no API: {method} {path}")


def _needs(_operation: str, _given: Mapping[str, Any]) -> Iterator[Need]:
    yield from ()


def _attributes_of(_identifier: str) -> Mapping[str, dict[str, str]]:
    return {}


SIMULATED = SimulatedProvider(
    parameters={},
    make=_make,
    event_files=_EVENT_FILES,
    request_of=_request_of,
    needs=_needs,
    attributes_of=_attributes_of,
)
