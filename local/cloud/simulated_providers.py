"""The providers on the laptop, by their names.

A new member of `ProviderName` is a type error here; its record in `local/cloud/providers` says the rest.
"""

from typing import assert_never

import botocore.session

from local.cloud.event_files import EventFile
from local.cloud.providers.chime import CHIME
from local.cloud.providers.connect import CONNECT
from local.cloud.providers.record import SimulatedProvider
from speechcall.telephony.provider import ProviderName, provider

CALLER_ID = "+4930123456"


def simulated(name: ProviderName) -> SimulatedProvider:
    """What the laptop knows of a provider."""
    match name:
        case ProviderName.CONNECT:
            return CONNECT
        case ProviderName.CHIME:
            return CHIME
        case _:
            assert_never(name)


def parameters_of(name: ProviderName) -> dict[str, str]:
    """The template's parameters that choose a provider; and calls are signed, which costs nothing here."""
    return {"TelephonyProvider": name.value, "CallerId": CALLER_ID, "SignedCalls": "true", **simulated(name).parameters}


def api_setting(name: ProviderName) -> str:
    """The end of the variable AWS_ENDPOINT_URL_... that names the address of a provider's API.

    AWS makes it of the service's id, which is not its name in boto3 ("Chime SDK Voice" is chime-sdk-voice there).
    Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
    """
    model = botocore.session.get_session().get_service_model(provider(name).service)
    return str(model.service_id.hyphenize()).upper().replace("-", "_")


EVENT_FILES: tuple[EventFile, ...] = CONNECT.event_files
"""The events that the functions of a stack take whose parameters are the template's own."""
