"""How what a call has of a menu is written down: a map in the list `asks` of a message and of its call attempts."""

from speechcall.menus.rules.ask import Ask, Input
from speechcall.shared.adapters.table import Values


def dump_ask(ask: Ask) -> Values:
    """An ask as a map; what is as by default (one key, no repeat, barge-in) is left out."""
    again = {"repeats": ask.repeats, "repeat_uri": ask.repeat_uri, "repeat_seconds": ask.repeat_seconds}
    more = {"input": [*ask.input], "keeps": [*ask.keeps]} if ask.input else {}
    whole = {} if ask.barge_in else {"barge_in": False}
    return {
        **more,
        **whole,
        "prompt_uri": ask.prompt_uri,
        "prompt_seconds": ask.prompt_seconds,
        "idle_seconds": ask.idle_seconds,
        "wait_seconds": ask.wait_seconds,
        **(again if ask.repeats else {}),
    }


def load_ask(stored: Values) -> Ask:
    """The ask in a map; what is absent is as by default."""
    return Ask(
        prompt_uri=stored["prompt_uri"],
        prompt_seconds=stored["prompt_seconds"],
        idle_seconds=stored["idle_seconds"],
        wait_seconds=stored["wait_seconds"],
        repeats=stored.get("repeats", 0),
        repeat_uri=stored.get("repeat_uri", ""),
        repeat_seconds=stored.get("repeat_seconds", 0.0),
        input=Input(*stored["input"]) if "input" in stored else None,
        keeps=tuple(stored.get("keeps", ())),
        barge_in=stored.get("barge_in", True),
    )
