"""The providers of phone calls: what is needed of each, in one record, and the one that the stack has chosen.

A new member of `ProviderName` is a type error wherever somebody has to know each provider: here, and on the laptop.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, assert_never

import boto3

from speechcall.prompts.rules.encoding import Encoding
from speechcall.shared.adapters.lazy import once
from speechcall.shared.adapters.settings import MissingSetting, setting
from speechcall.shared.rules.time_bounds import Ringing, dial_wait_seconds

if TYPE_CHECKING:
    from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk
    from speechcall.calls.use_cases.ports import Telephony


class ProviderName(StrEnum):
    """The values of template.yaml's TelephonyProvider."""

    CONNECT = "connect"
    CHIME = "chime"
    SIMULATED = "simulated"


class CallBacks(Protocol):
    """Answers calls back to the caller ID, in the form of a provider."""

    def answer(self, event: Any) -> dict[str, Any]:
        """The answer to an invocation."""


class Provider(NamedTuple):
    """What is needed of a provider, in addition to its package of this folder."""

    name: ProviderName
    make: "Callable[[bool], Telephony]"
    """Its client, from the settings of a function; whether that also dials. It imports what it needs when it is called:
    a cold start pays for no other provider."""
    call_backs: "Callable[[CallBackDesk, Any], CallBacks]"
    """Who answers calls back, with a logger of Powertools. It imports as `make` does."""
    encoding: Encoding
    """In which it plays prompts."""
    ringing: Ringing
    """Who ends the ringing of an unanswered phone."""
    takes_ring_time: bool
    """Whether it ends the ringing itself, after the message's time, where ProviderRingTimeout says so."""
    settings: tuple[str, ...]
    """The environment variables of a function that stops calls and looks them up, other than TELEPHONY_PROVIDER."""
    dial_settings: tuple[str, ...]
    """Those of one that also dials, in addition."""
    service: str
    """Its API's name in boto3; this, `signs_as` and `plays_as` are empty where it asks none."""
    signs_as: str
    """Its API's name in signatures and in IAM's actions (`connect:StopContact`)."""
    plays_as: str
    """Its service's name in policies: who reads the bucket with the prompts."""
    listener: str
    """The template's name of the function that a callee waits for."""
    stack: str
    """The template's name of the nested stack with its resources; empty: it has none."""
    known_by: tuple[str, ...]
    """Resources of the template that only a stack of this provider has, also one of an older release."""
    rings_phones: bool = True
    """Whether somebody is called at all. If not, its callees are scripts, nobody can call back, it asks no API of a
    telephone network, and what it tells says that it is simulated."""

    @property
    def keeps_ring_time(self) -> bool:
        """Whether a phone rings for as long as its message says."""
        return self.ringing is not Ringing.NETWORKS

    def who_ends_ringing(self, asks_provider: bool) -> Ringing:
        """Who ends it in a stack. `asks_provider`: its ProviderRingTimeout."""
        return Ringing.PROVIDERS if self.takes_ring_time and asks_provider else self.ringing


def provider(name: ProviderName) -> Provider:
    """The record of a provider."""
    match name:
        case ProviderName.CONNECT:
            return _CONNECT
        case ProviderName.CHIME:
            return _CHIME
        case ProviderName.SIMULATED:
            return _SIMULATED
        case _:
            assert_never(name)


def chosen_provider() -> Provider:
    """The provider that the function's environment names. Raises MissingSetting for a name that there is not."""
    name = setting("TELEPHONY_PROVIDER")
    try:
        return provider(ProviderName(name))
    except ValueError:
        known = ", ".join(ProviderName)
        raise MissingSetting(f"TELEPHONY_PROVIDER is {name!r}; template.yaml knows {known}") from None


def chosen_telephony(*, dials: bool = False) -> "Telephony":
    """The client of the provider that the function's environment names.

    `dials`: the function also places calls, and has the settings for that. Only this provider is imported, and its AWS
    client made when it is first needed.
    """
    return chosen_provider().make(dials)


def dial_waits() -> Callable[[int], int]:
    """What tells for how many seconds a state machine waits for an answer, by the ring time (seconds) of its message.

    The settings are read now, and not when it is called. Raises MissingSetting.
    """
    chosen = chosen_provider()
    # Only a provider that takes the time has to be told whether it is asked to.
    asks_provider = chosen.takes_ring_time and setting("PROVIDER_RING_TIMEOUT") == "true"
    return partial(
        dial_wait_seconds,
        ringing=chosen.who_ends_ringing(asks_provider),
        allowance_seconds=int(setting("RING_ALLOWANCE_SECONDS")),
    )


def _connect(dials: bool) -> "Telephony":
    """The client of Amazon Connect. Only a function that `dials` has the flow and the caller ID among its settings."""
    from speechcall.telephony.connect import client  # noqa: PLC0415 - see `Provider.make`

    return client.ConnectTelephony(
        once(partial(boto3.client, "connect", config=client.CLIENT_CONFIG)),
        setting("CONNECT_INSTANCE_ID"),
        setting("CONNECT_FLOW_ID") if dials else "",
        setting("CALLER_ID") if dials else "",
        once(partial(boto3.client, "connect", config=client.DIAL_CONFIG)),
        provider_rings=dials and setting("PROVIDER_RING_TIMEOUT") == "true",
    )


def _connect_call_backs(desk: "CallBackDesk", logger: Any) -> CallBacks:
    from speechcall.telephony.connect.call_backs import ConnectCallBacks  # noqa: PLC0415 - see `Provider.make`

    return ConnectCallBacks(desk, logger)


_CONNECT = Provider(
    ProviderName.CONNECT,
    _connect,
    _connect_call_backs,
    encoding=Encoding.MU_LAW,
    ringing=Ringing.OURS,
    takes_ring_time=True,
    settings=("CONNECT_INSTANCE_ID",),
    dial_settings=("CONNECT_FLOW_ID", "CALLER_ID", "PROVIDER_RING_TIMEOUT"),
    service="connect",
    signs_as="connect",
    plays_as="connect.amazonaws.com",
    listener="ConnectFlowFunction",
    stack="ConnectStack",
    known_by=("ConnectStack", "ConnectFlowFunction"),
)


def _chime(dials: bool) -> "Telephony":
    from speechcall.telephony.chime import client  # noqa: PLC0415 - see `Provider.make`

    made = once(partial(boto3.client, "chime-sdk-voice", config=client.CLIENT_CONFIG))
    return client.ChimeTelephony(made, setting("SIP_MEDIA_APPLICATION_ID"), setting("CALLER_ID") if dials else "")


def _chime_call_backs(desk: "CallBackDesk", logger: Any) -> CallBacks:
    from speechcall.telephony.chime.call_backs import ChimeCallBacks  # noqa: PLC0415 - see `Provider.make`

    return ChimeCallBacks(desk, logger)


_CHIME = Provider(
    ProviderName.CHIME,
    _chime,
    _chime_call_backs,
    encoding=Encoding.PCM_16,
    ringing=Ringing.NETWORKS,
    takes_ring_time=False,
    settings=("SIP_MEDIA_APPLICATION_ID",),
    dial_settings=("CALLER_ID",),
    service="chime-sdk-voice",
    signs_as="chime",
    plays_as="voiceconnector.chime.amazonaws.com",
    listener="ChimeEventsFunction",
    stack="ChimeStack",
    known_by=("ChimeStack", "SipMediaApplication"),
)


def _simulated(_dials: bool) -> "Telephony":
    from speechcall.telephony.simulated import client, queue  # noqa: PLC0415 - see `Provider.make`

    made = once(partial(boto3.client, "sqs", config=queue.CLIENT_CONFIG))
    return client.SimulatedTelephony(queue.SqsMoments(made, setting("SIMULATED_CALLS_QUEUE_URL")))


def _no_call_backs(_desk: "CallBackDesk", _logger: Any) -> CallBacks:
    raise MissingSetting("a simulated call has no number that could be called back")


_SIMULATED = Provider(
    ProviderName.SIMULATED,
    _simulated,
    _no_call_backs,
    encoding=Encoding.MU_LAW,
    ringing=Ringing.PROVIDERS,
    takes_ring_time=False,
    settings=("SIMULATED_CALLS_QUEUE_URL",),
    dial_settings=(),
    service="",
    signs_as="",
    plays_as="",
    listener="SimulatedCallsFunction",
    stack="",
    known_by=("SimulatedCallsFunction",),
    rings_phones=False,
)
