"""The telephony that the stack has chosen (template.yaml: TelephonyProvider)."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import cast

import boto3

from speechcall.calls.use_cases.ports import Telephony
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.settings import MissingSetting, setting
from speechcall.shared.rules.time_bounds import Ringing, dial_wait_seconds


def chosen_telephony(*, dials: bool = False) -> Telephony:
    """The provider that the function's environment names.

    `dials`: the function also places calls, and has the settings for that. Of the two providers one is
    imported, and its client made when it is first needed: a cold start pays for no other.
    """
    provider = setting("TELEPHONY_PROVIDER")
    caller_id = setting("CALLER_ID") if dials else ""
    if provider == "chime":
        chime = import_module("speechcall.telephony.chime.client")
        client = once(partial(boto3.client, "chime-sdk-voice", config=chime.CLIENT_CONFIG))
        return cast("Telephony", chime.ChimeTelephony(client, setting("SIP_MEDIA_APPLICATION_ID"), caller_id))
    if provider != "connect":
        raise MissingSetting(f"TELEPHONY_PROVIDER is {provider!r}; template.yaml knows connect and chime")
    connect = import_module("speechcall.telephony.connect.client")
    flow_id = setting("CONNECT_FLOW_ID") if dials else ""
    client = once(partial(boto3.client, "connect", config=connect.CLIENT_CONFIG))
    dialling = once(partial(boto3.client, "connect", config=connect.DIAL_CONFIG))
    instance_id = setting("CONNECT_INSTANCE_ID")
    rings = dials and setting("PROVIDER_RING_TIMEOUT") == "true"
    made = connect.ConnectTelephony(client, instance_id, flow_id, caller_id, dialling, provider_rings=rings)
    return cast("Telephony", made)


def dial_waits() -> Callable[[int], int]:
    """For how long a state machine waits for an answer, by the message's own time. The settings are read now."""
    return partial(
        dial_wait_seconds, ringing=_who_ends_ringing(), allowance_seconds=int(setting("RING_ALLOWANCE_SECONDS"))
    )


def _who_ends_ringing() -> Ringing:
    if setting("TELEPHONY_PROVIDER") == "chime":
        return Ringing.NETWORKS
    return Ringing.PROVIDERS if setting("PROVIDER_RING_TIMEOUT") == "true" else Ringing.OURS
