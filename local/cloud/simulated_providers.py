"""Who simulates each provider's telephone network on the laptop, and what the stack has to be given for it.

A new member of `ProviderName` is a type error here, at each place that has to know it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from local.cloud.event_files import CHIME_EVENT_FILES, EVENT_FILES, EventFile
from local.cloud.physical_names import ACCOUNT, REGION
from local.cloud.template import Template
from local.common.journal import Journal
from local.network.chime.settings import ChimeSettings
from local.network.chime.simulator import ChimeCarrier
from local.network.connect.settings import CarrierSettings
from local.network.connect.simulator import Carrier
from local.network.shared.invoker import Invoker
from speechcall.telephony.provider import ProviderName, provider

INSTANCE_ID = "5eec4ca1-0000-4000-8000-00000000ca11"
INSTANCE_ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
CALLER_ID = "+4930123456"

Simulator = Carrier | ChimeCarrier


@dataclass(frozen=True)
class Surroundings:
    """What a simulated network works with. `emit` puts an event on the bus."""

    template: Template
    invoke: Invoker
    emit: Callable[[dict[str, Any]], None]
    read_prompt: Callable[[str], bytes]
    journal: Journal


def parameters_of(name: ProviderName) -> dict[str, str]:
    """The template's parameters that choose a provider."""
    common = {"TelephonyProvider": name.value, "CallerId": CALLER_ID}
    match name:
        case ProviderName.CONNECT:
            return {**common, "ConnectInstanceArn": INSTANCE_ARN}
        case ProviderName.CHIME:
            return common
        case _:
            assert_never(name)


def simulate(name: ProviderName, here: Surroundings, changes: Mapping[str, Any]) -> Simulator:
    """The provider's simulated network. `changes`: to the settings that follow from the template."""
    match name:
        case ProviderName.CONNECT:
            return _connect(here, changes)
        case ProviderName.CHIME:
            return _chime(here, changes)
        case _:
            assert_never(name)


def event_files_of(name: ProviderName) -> tuple[EventFile, ...]:
    """The events of events/ that functions of such a stack take; those of no provider come with Amazon Connect's."""
    match name:
        case ProviderName.CONNECT:
            return EVENT_FILES
        case ProviderName.CHIME:
            return CHIME_EVENT_FILES
        case _:
            assert_never(name)


def _connect(here: Surroundings, changes: Mapping[str, Any]) -> Carrier:
    stack = provider(ProviderName.CONNECT).stack
    settings = CarrierSettings(
        **{
            "instance_id": INSTANCE_ID,
            "instance_arn": here.template.parameters["ConnectInstanceArn"],
            "region": REGION,
            "account": ACCOUNT,
            "flow_id": here.template.get_att(stack, "Outputs.ContactFlowId"),
            **changes,
        }
    )
    flow = json.loads(here.template.nested(stack).resource("ContactFlow")["Properties"]["Content"])
    return Carrier(
        settings,
        invoke=here.invoke,
        emit=here.emit,
        flow=flow,
        read_prompt=here.read_prompt,
        journal=here.journal,
    )


def _chime(here: Surroundings, changes: Mapping[str, Any]) -> ChimeCarrier:
    stack = provider(ProviderName.CHIME).stack
    (endpoint,) = here.template.nested(stack).resource("SipMediaApplication")["Properties"]["Endpoints"]
    settings = ChimeSettings(
        **{
            "application_id": here.template.get_att(stack, "Outputs.SipMediaApplicationId"),
            "function_arn": endpoint["LambdaArn"],
            "region": REGION,
            "account": ACCOUNT,
            **changes,
        }
    )
    return ChimeCarrier(settings, invoke=here.invoke, read_prompt=here.read_prompt, journal=here.journal)
