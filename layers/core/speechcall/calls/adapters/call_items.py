"""How a call attempt is laid down in DynamoDB: pk `M#<mid>`, sk `CALL#<attempt>`.

`plan` and the entries of the log are JSON texts: they are read whole, with every report that a callee waits for. An
item without `plan` is of a release that kept no log. Such a release reads the items of this one: it goes by the
members that it knows, of which none is missing.
"""

import json

from speechcall.calls.rules.call import Call, Cause, Command, Kind, Refused, Reply, Step, Ticket, path_of
from speechcall.menus.adapters.ask_items import dump_ask, load_ask
from speechcall.menus.rules.call_log import Decided, Entry, Plan, Then, ThenKind, Wait
from speechcall.shared.adapters.keys import call_key, called_digest, called_partition, called_place
from speechcall.shared.adapters.table import Values

SEALED = "sealed"
"""The member of an entry in which sensitive digits are."""
FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""


def dump_command(command: Command) -> dict[str, str | int]:
    """A command as a map."""
    return {"kind": command.kind.value} | ({} if command.menu is None else {"menu": command.menu})


def dump_reply(reply: Reply) -> Values:
    """A reply as a map."""
    return {"seq": reply.seq, "event": reply.event, "key": reply.key}


def _load_reply(stored: Values) -> Reply:
    return Reply(stored["seq"], stored["event"], stored.get("key", ""))


def dump_step(step: Step) -> Values:
    """A step of a path as a map."""
    return {"menu": step.menu, "heard": step.heard, "at_msec": step.at_msec}


def _load_step(stored: Values) -> Step:
    return Step(stored["menu"], stored["heard"], stored["at_msec"])


def dump_call(call: Call) -> Values:
    """A new call attempt as an item."""
    return {
        **call_key(call.mid, call.attempt),
        "v": FORM,
        "mid": call.mid,
        "attempt": call.attempt,
        "number": call.number,
        "asks": [dump_ask(ask) for ask in call.asks],
        "seq": call.seq,
        "done_seq": call.done_seq,
        "command": dump_command(call.command),
        "visit": call.ticket.visit,
        "retry": call.ticket.retry,
        "token": call.ticket.token,
        "visits": call.visits,
        "dialled_msec": call.dialled_msec,
        **({"caller_id": call.caller_id} if call.caller_id else {}),
        "path": [],
        **({"plan": _dump_plan(call.plan), "log_entries": [], "log_seq": 0} if call.plan else {}),
        **_dump_place(call),
    }


def _dump_place(call: Call) -> Values:
    """Its place among the calls to its number, for when that calls back; empty: its message has no digest."""
    if not call.number_digest:
        return {}
    return {"order_pk": called_partition(call.number_digest), "order_sk": called_place(call.dialled_msec)}


def _dump_plan(plan: Plan) -> str:
    members = {"next": plan.table, "visits": plan.max_visits, "until": plan.until_msec, "silent": plan.silent_repeats}
    if plan.waits:
        members["waits"] = plan.waits
    return json.dumps(members, separators=(",", ":"))


def _load_plan(text: str) -> Plan:
    found = json.loads(text)
    waits = tuple({heard: Wait(*wait) for heard, wait in row.items()} for row in found.get("waits", ()))
    return Plan(tuple(found["next"]), found["visits"], found["until"], found["silent"], waits)


def dump_entry(entry: Entry) -> str:
    """An entry of the log as text. Its `seq` is not in it: it is the entry's place in the log, from 1."""
    heard = {"event": entry.event, "at": entry.at_msec, "then": entry.then.kind.value}
    known: Values = {
        "menu": entry.menu,
        "key": entry.key or None,
        "to": entry.then.menu,
        "reason": entry.then.reason or None,
    }
    known |= {"waited": entry.waited_msec, "digits": entry.digits, SEALED: entry.sealed}
    return json.dumps(heard | {name: value for name, value in known.items() if value is not None})


def _load_entry(seq: int, text: str) -> Entry:
    found = json.loads(text)
    then = Then(ThenKind(found["then"]), found.get("to"), found.get("reason", ""))
    menu, key, waited = found.get("menu"), found.get("key", ""), found.get("waited")
    return Entry(
        seq, menu, found["event"], key, found["at"], then, waited, digits=found.get("digits"), sealed=found.get(SEALED)
    )


def dump_decided(decided: Decided) -> str:
    """What a lookup has come to; `seq` is that of the entry that started the lookup."""
    known = {
        "seq": decided.seq,
        "case": decided.case or None,
        "target": decided.target,
        "at": decided.at_msec,
        "then": decided.then.kind.value,
        "to": decided.then.menu,
        "reason": decided.then.reason or None,
        "error": decided.error or None,
    }
    return json.dumps({name: value for name, value in known.items() if value is not None})


def _load_decided(text: str) -> Decided:
    found = json.loads(text)
    then = Then(ThenKind(found["then"]), found.get("to"), found.get("reason", ""))
    return Decided(found["seq"], found.get("case", ""), found["target"], found["at"], then, found.get("error", ""))


def _load_log(item: Values) -> tuple[Entry, ...]:
    log = tuple(_load_entry(seq, text) for seq, text in enumerate(item.get("log_entries", ()), 1))
    if "decided" not in item:
        return log
    decided = {one.seq: one for one in map(_load_decided, item["decided"])}
    return tuple(entry.with_decision(decided[entry.seq]) if entry.seq in decided else entry for entry in log)


def load_call(item: Values) -> Call:
    """The call attempt in an item."""
    command, cause, kept = item["command"], item.get("cause"), item.get("kept_reply")
    log = _load_log(item)
    refused = item.get("refused")
    return Call(
        mid=item["mid"],
        attempt=item["attempt"],
        number=item["number"],
        asks=tuple(load_ask(ask) for ask in item["asks"]),
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
        cause_is_guess=item.get("cause_is_guess", False),
        stop_reason=item.get("stop_reason"),
        # What a release without a log has written meanwhile comes behind what is in the log.
        path=(*path_of(log), *(_load_step(step) for step in item["path"])),
        kept_reply=_load_reply(kept) if kept else None,
        turn=item.get("turn", 0),
        plan=_load_plan(item["plan"]) if "plan" in item else None,
        log=log,
        placing_msec=item.get("placing_msec"),
        gave_up_msec=item.get("gave_up_msec"),
        not_placed_msec=item.get("not_placed_msec"),
        refused=Refused(refused["reason"], Cause(refused["cause"])) if refused else None,
        number_digest=called_digest(item),
    )
