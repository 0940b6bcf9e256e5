"""samconfig.toml: each environment deploys once its two placeholders are filled in, and not before."""

import tomllib

import pytest

from local.cloud.intrinsics import TemplateError
from local.cloud.template import TEMPLATE, read_template
from speechcall.deployment.rules.concurrency import Load, executions_needed
from tests.kit.stack_combinations import INSTANCE

CONFIG = tomllib.loads((TEMPLATE.parent / "samconfig.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = ("dev", "staging", "prod")
FILLED_IN = {"ConnectInstanceArn": INSTANCE, "CallerId": "+4930123456"}


def given(environment):
    overrides = CONFIG[environment]["deploy"]["parameters"]["parameter_overrides"]
    return dict(one.split("=", 1) for one in overrides)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_deploys_when_it_is_filled_in(environment):
    parameters = given(environment)
    assert {name for name, value in parameters.items() if value == "FILL-IN"} == set(FILLED_IN)
    for name in FILLED_IN:
        with pytest.raises(TemplateError, match=f"the parameter {name} cannot be 'FILL-IN'"):
            read_template(TEMPLATE, {**parameters, **FILLED_IN, name: "FILL-IN"})
    template = read_template(TEMPLATE, {**parameters, **FILLED_IN})
    assert template.functions["DialerFunction"].environment["FLOW_TAGS"].endswith(f"stage={environment}")


def test_the_trial_has_no_telephony_and_deploys_as_it_stands():
    parameters = given("trial")
    assert parameters["TelephonyProvider"] == "simulated"
    assert "FILL-IN" not in parameters.values()
    declared = read_template(TEMPLATE, {**given("dev"), **FILLED_IN}).declared_parameters
    if "simulated" not in declared["TelephonyProvider"]["AllowedValues"]:
        pytest.skip("the template has no simulated telephony")
    template = read_template(TEMPLATE, parameters)
    assert template.parameters["ReserveConcurrency"] == "false"
    assert {template.parameters[one] for one in ("PointInTimeRecovery", "DeletionProtection")} == {"false"}


def test_what_the_trial_takes_of_lambda_is_what_the_path_says():
    names = ("Lines", "WebhookConcurrency", "PromptConcurrency", "ApiRequestsPerSecond")
    counted = executions_needed(Load(*(int(given("trial")[name]) for name in names)), reserve=False)
    page = (TEMPLATE.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert f"at least {counted}: what step 4 takes" in page


def test_no_two_environments_share_a_stack_and_the_last_keeps_what_matters():
    names = {CONFIG[one]["deploy"]["parameters"]["stack_name"] for one in ("trial", *ENVIRONMENTS)}
    assert len(names) == len(ENVIRONMENTS) + 1
    kept = read_template(TEMPLATE, {**given("prod"), **FILLED_IN}).parameters
    assert (kept["DeletionProtection"], kept["PointInTimeRecovery"], kept["ReserveConcurrency"]) == ("true",) * 3
    for one in ENVIRONMENTS:
        needed = CONFIG[one]["deploy"]["parameters"]["capabilities"]
        assert needed == "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
