"""The providers on the laptop, by their names.

A new member of `ProviderName` is a type error here; its record in `local/cloud/providers` says the rest.
"""

from typing import assert_never

import botocore.session

from local.cloud.account import arn
from local.cloud.event_files import EventFile
from local.cloud.providers.chime import CHIME
from local.cloud.providers.connect import CONNECT
from local.cloud.providers.record import SimulatedProvider
from local.cloud.providers.simulated import SIMULATED
from speechcall.telephony.provider import ProviderName, provider

CALLER_ID = "+4930123456"
SMS_IDENTITY = arn("sms-voice", "phone-number/phone-5eec4ca1")
"""From which text messages are sent, with either provider."""


def simulated(name: ProviderName) -> SimulatedProvider:
    """What the laptop knows of a provider."""
    match name:
        case ProviderName.CONNECT:
            return CONNECT
        case ProviderName.CHIME:
            return CHIME
        case ProviderName.SIMULATED:
            return SIMULATED
        case _:
            assert_never(name)


def parameters_of(name: ProviderName) -> dict[str, str]:
    """The template's parameters that choose a provider, and who sends text messages; calls are signed, which is free.

    One that rings no phone needs no caller ID, and sends no text messages either.
    """
    rings = provider(name).rings_phones
    common = {"CallerId": CALLER_ID, "SmsOriginationIdentity": SMS_IDENTITY} if rings else {"CallerId": ""}
    return {"TelephonyProvider": name.value, "SignedCalls": "true", **common, **simulated(name).parameters}


RINGING = tuple(name for name in ProviderName if provider(name).rings_phones)
"""The providers behind which there is a network of telephones, with an API of its own."""


def api_setting(name: ProviderName) -> str:
    """The end of the variable AWS_ENDPOINT_URL_... that names the address of the API of a provider of RINGING.

    AWS makes it of the service's id, which is not its name in boto3 ("Chime SDK Voice" is chime-sdk-voice there).
    Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
    """
    model = botocore.session.get_session().get_service_model(provider(name).service)
    return str(model.service_id.hyphenize()).upper().replace("-", "_")


EVENT_FILES: tuple[EventFile, ...] = CONNECT.event_files
"""The events that the functions of a stack take whose parameters are the template's own."""
