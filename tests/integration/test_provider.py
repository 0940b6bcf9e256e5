"""Of the two telephonies a function imports one."""

import os
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("provider", "made"),
    [
        ("connect", "ConnectTelephony connect connect.client provider"),
        ("chime", "ChimeTelephony chime chime.client provider"),
    ],
)
def test_only_the_chosen_provider_is_imported(provider, made):
    environment = {**os.environ, **SETTINGS, "TELEPHONY_PROVIDER": provider}
    found = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == made
