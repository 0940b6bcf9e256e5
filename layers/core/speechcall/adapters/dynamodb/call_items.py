"""How a call attempt is laid down in DynamoDB: pk `M#<mid>`, sk `CALL#<attempt>`."""

from dataclasses import asdict
from typing import Any

from speechcall.adapters.dynamodb.table import Values
from speechcall.domain.ask import Ask
from speechcall.domain.call import Call, Cause, Command, Kind, Refused, Reply, Step, Ticket


def call_key(mid: str, attempt: int) -> dict[str, str]:
    """The key of a call attempt."""
    return {"pk": f"M#{mid}", "sk": f"CALL#{attempt:03}"}


def dump_command(command: Command) -> dict[str, Any]:
    """A command as a map."""
    return {"kind": command.kind.value} | ({} if command.menu is None else {"menu": command.menu})


def dump_call(call: Call) -> Values:
    """A new call attempt as an item."""
    return {
        **call_key(call.mid, call.attempt),
        "mid": call.mid,
        "attempt": call.attempt,
        "number": call.number,
        "asks": [asdict(ask) for ask in call.asks],
        "seq": call.seq,
        "done_seq": call.done_seq,
        "command": dump_command(call.command),
        **asdict(call.ticket),
        "visits": call.visits,
        "dialled_msec": call.dialled_msec,
        **({"caller_id": call.caller_id} if call.caller_id else {}),
        "path": [],
    }


def load_call(item: Values) -> Call:
    """The call attempt in an item."""
    command, cause, kept = item["command"], item.get("cause"), item.get("kept_reply")
    refused = item.get("refused")
    return Call(
        mid=item["mid"],
        attempt=item["attempt"],
        number=item["number"],
        asks=tuple(Ask(**ask) for ask in item["asks"]),
        seq=item["seq"],
        done_seq=item["done_seq"],
        command=Command(Kind(command["kind"]), command.get("menu")),
        ticket=Ticket(item["visit"], item["retry"], item["token"]),
        visits=item["visits"],
        dialled_msec=item["dialled_msec"],
        caller_id=item.get("caller_id"),
        contact_id=item.get("contact_id"),
        answered_msec=item.get("answered_msec"),
        ended_msec=item.get("ended_msec"),
        cause=Cause(cause) if cause else None,
        stop_reason=item.get("stop_reason"),
        path=tuple(Step(**step) for step in item["path"]),
        kept_reply=Reply(**kept) if kept else None,
        turn=item.get("turn", 0),
        placing_msec=item.get("placing_msec"),
        not_placed_msec=item.get("not_placed_msec"),
        refused=Refused(refused["reason"], Cause(refused["cause"])) if refused else None,
    )
