"""A simulator of Amazon Connect: its API, its contact flows, and telephones with callers who answer them."""

from local.carrier.callers import (
    Script,
    answer,
    busy,
    fail,
    hang_up,
    hang_up_at_once,
    invalid_number,
    no_answer,
    press,
    press_at_once,
    stay_silent,
)
from local.carrier.carrier import Carrier
from local.carrier.faults import DISCONNECT_REASONS, DOCUMENTED_QUOTAS, Faults
from local.carrier.flow import FlowRefusedError
from local.carrier.phone import Phone
from local.carrier.quota import Quota
from local.carrier.settings import Caller, CarrierSettings

__all__ = [
    "DISCONNECT_REASONS",
    "DOCUMENTED_QUOTAS",
    "Caller",
    "Carrier",
    "CarrierSettings",
    "Faults",
    "FlowRefusedError",
    "Phone",
    "Quota",
    "Script",
    "answer",
    "busy",
    "fail",
    "hang_up",
    "hang_up_at_once",
    "invalid_number",
    "no_answer",
    "press",
    "press_at_once",
    "stay_silent",
]
