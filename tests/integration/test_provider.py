"""Of the providers a function imports one; and each provider is one of those that whole calls are tested with."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import botocore.session
import pytest

from local.cloud.simulated_providers import RINGING, simulated
from speechcall.telephony.provider import ProviderName, provider
from tests.integration.test_anticipation import SIDES as SIDES_OF_LOGS
from tests.integration.test_carrier_walk import SIDES as SIDES_OF_PAIRS
from tests.integration.test_races import SIDES as SIDES_OF_RACES
from tests.kit.outcomes.telephony import SIDES as SIDES_OF_OUTCOMES

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
CODE = """
import sys
from local.cloud.simulated_providers import simulated
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
    "SIMULATED_CALLS_QUEUE_URL": "q",
    "PROVIDER_RING_TIMEOUT": "false",
}


MADE = {
    "connect": "ConnectTelephony connect connect.client provider",
    "chime": "ChimeTelephony chime chime.client provider",
    "simulated": (
        "SimulatedTelephony provider simulated simulated.callees simulated.client simulated.moments simulated.queue"
    ),
}


@pytest.mark.parametrize(("name", "made"), MADE.items())
def test_only_the_chosen_provider_is_imported(name, made):
    environment = {**os.environ, **SETTINGS, "TELEPHONY_PROVIDER": name}
    found = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == made


def test_each_provider_is_one_that_the_tests_know():
    assert set(MADE) == set(ProviderName)


@pytest.mark.parametrize("sides", [SIDES_OF_LOGS, SIDES_OF_OUTCOMES, SIDES_OF_PAIRS, SIDES_OF_RACES])
def test_each_provider_that_rings_phones_is_one_whose_callees_the_tests_play(sides):
    """Scripted callees cannot be played by a test: `tests/unit/test_simulated_calls.py` has theirs."""
    assert set(sides) == set(RINGING)


@pytest.mark.parametrize("name", RINGING)
def test_its_api_is_named_and_signed_for_as_boto3_does_it(name):
    model = botocore.session.get_session().get_service_model(provider(name).service)
    assert provider(name).signs_as == model.signing_name


@pytest.mark.parametrize("name", ProviderName)
def test_the_benchmarks_have_an_answer_and_a_key(name):
    heard = [file.hears for file in simulated(name).event_files if file.hears]
    assert sorted(heard) == ["answered", "key"]


@pytest.mark.parametrize("package", ["speechcall.telephony", "local.network"])
def test_the_rules_of_imports_hold_each_apart_from_the_others(package):
    independent = [set(one["modules"]) for one in CONTRACTS if one["type"] == "independence"]
    assert {f"{package}.{name}" for name in ProviderName} in independent


@pytest.mark.parametrize("name", ProviderName)
def test_the_rules_of_imports_know_what_a_callee_waits_for(name):
    (waited_for,) = (one for one in CONTRACTS if one["name"].startswith("What a callee waits for"))
    assert any(module.startswith(f"speechcall.telephony.{name}.") for module in waited_for["source_modules"])


@pytest.mark.parametrize("name", ProviderName)
def test_calls_are_placed_with_each_before_a_release(name):
    assert f"make demo TELEPHONY={name}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ProviderName)
def test_a_record_is_that_of_its_name(name):
    assert provider(name).name is name


def test_one_that_rings_no_phone_has_no_api_that_could():
    others = [provider(name) for name in ProviderName if name not in RINGING]
    assert [(one.service, one.signs_as, one.plays_as, one.stack) for one in others] == [("", "", "", "")]
