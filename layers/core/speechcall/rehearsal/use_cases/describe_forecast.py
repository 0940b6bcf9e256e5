"""The figures of a forecast as JSON."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechcall.rehearsal.rules.forecast import Forecast, Range
from speechcall.shared.rules.timing import utc_text

if TYPE_CHECKING:  # its types are Pydantic's
    from speechcall.api.rules import answers


def describe(found: Forecast) -> "answers.RehearsalFigures":
    """What may be expected of the list that was rehearsed."""
    return {
        "seeds": found.seeds,
        "from": utc_text(found.begin_msec),
        "seconds": _range(found.seconds),
        "end": {
            "p50": utc_text(round(found.begin_msec + found.seconds.p50 * 1000)),
            "p95": utc_text(round(found.begin_msec + found.seconds.p95 * 1000)),
        },
        "calls": _range(found.calls),
        "talkedMinutes": {
            "p50": round(found.talked_seconds.p50 / 60, 1),
            "p95": round(found.talked_seconds.p95 / 60, 1),
        },
        "outcomes": _ranges(found.outcomes),
        "firstKeys": _ranges(found.keys),
        "callsBegun": {"slotSeconds": found.slot_seconds, "mean": [round(one, 2) for one in found.begun]},
    }


def _range(one: Range) -> "answers.Expected":
    return {"p50": one.p50, "p95": one.p95}


def _ranges(found: Mapping[str, Range]) -> dict[str, Any]:
    return {name: _range(one) for name, one in found.items()}
