"""What the part of the Chime SDK's API (chime-sdk-voice) does that places and updates calls.

Source: Amazon Chime SDK API reference, CreateSipMediaApplicationCall and UpdateSipMediaApplicationCall.
"""

from collections.abc import Mapping
from typing import Any

from local.network.chime.calls import ChimeCalls
from local.network.chime.settings import CREATE, UPDATE, ChimeSettings
from local.network.shared.faults import Chance
from local.network.shared.service_api import ServiceApi
from local.network.shared.wire import ServiceDescription


def chime_description() -> ServiceDescription:
    """The operations that are offered."""
    return ServiceDescription(
        "chime-sdk-voice",
        (CREATE, UPDATE),
        malformed="BadRequestException",
        invalid="BadRequestException",
        throttled="ThrottledClientException",
        broken="ServiceFailureException",
    )


def chime_api(settings: ChimeSettings, calls: ChimeCalls, description: ServiceDescription) -> ServiceApi:
    """The API of a SIP media application."""

    def check(request: Mapping[str, Any]) -> None:
        if request["SipMediaApplicationId"] != settings.application_id:
            raise description.error("BadRequestException", "no such SIP media application")

    def create(request: dict[str, Any]) -> dict[str, Any]:
        check(request)
        return _call(calls.start(request).id)

    def update(request: dict[str, Any]) -> dict[str, Any]:
        check(request)
        calls.update(request["TransactionId"], request["Arguments"])
        return _call(request["TransactionId"])

    operations = {CREATE: create, UPDATE: update}
    return ServiceApi(description, settings.region, operations, settings.quotas, Chance(settings.faults))


def _call(transaction_id: str) -> dict[str, Any]:
    return {"SipMediaApplicationCall": {"TransactionId": transaction_id}}
