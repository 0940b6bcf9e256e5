"""Of the providers a function imports one; and each provider is one of those that whole calls are tested with."""

import os
import subprocess
import sys

import pytest

from speechcall.telephony.provider import ProviderName, provider
from tests.integration.test_anticipation import SIDES as SIDES_OF_LOGS
from tests.integration.test_carrier_walk import SIDES as SIDES_OF_PAIRS
from tests.integration.test_races import SIDES as SIDES_OF_RACES
from tests.kit.outcomes.telephony import SIDES as SIDES_OF_OUTCOMES

CODE = """
import sys
from speechcall.telephony.provider import chosen_telephony
made = chosen_telephony(dials=True)
loaded = [name for name in sys.modules if name.startswith("speechcall.telephony.")]
print(type(made).__name__, *sorted(name.removeprefix("speechcall.telephony.") for name in loaded))
"""
SETTINGS = {
    "CALLER_ID": "+1",
    "CONNECT_INSTANCE_ID": "i",
    "CONNECT_FLOW_ID": "f",
    "SIP_MEDIA_APPLICATION_ID": "s",
    "PROVIDER_RING_TIMEOUT": "false",
}


MADE = {
    "connect": "ConnectTelephony connect connect.client provider",
    "chime": "ChimeTelephony chime chime.client provider",
}


@pytest.mark.parametrize(("name", "made"), MADE.items())
def test_only_the_chosen_provider_is_imported(name, made):
    environment = {**os.environ, **SETTINGS, "TELEPHONY_PROVIDER": name}
    found = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == made


@pytest.mark.parametrize("sides", [MADE, SIDES_OF_LOGS, SIDES_OF_OUTCOMES, SIDES_OF_PAIRS, SIDES_OF_RACES])
def test_each_provider_is_one_that_the_tests_know(sides):
    assert set(sides) == set(ProviderName)


@pytest.mark.parametrize("name", ProviderName)
def test_a_record_is_that_of_its_name(name):
    assert provider(name).name is name
