"""Calls back, counted: how many there are, of whom, and how many opt out."""

from speechcall.callbacks.rules.call_back import Greeting, Heard, shown_number
from speechcall.callbacks.use_cases import answer_call_back
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk
from speechcall.shared.adapters.metrics import count


def greet(caller: str, desk: CallBackDesk) -> Greeting:
    """`answer_call_back.greet`."""
    greeting = answer_call_back.greet(caller, desk)
    count("CallBacks", result="known" if greeting.mid else "unknown" if shown_number(caller) else "withheld")
    return greeting


def opt_out(caller: str, mid: str, desk: CallBackDesk) -> Heard | None:
    """`answer_call_back.opt_out`."""
    heard = answer_call_back.opt_out(caller, mid, desk)
    count("CallBackOptOuts", int(heard is not None))
    return heard
