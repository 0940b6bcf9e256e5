"""The environment of a deployed function, as template.yaml gives it, with an endpoint of ours in the place of AWS."""

from functools import cache
from pathlib import Path

from local.cloud.template import Template, read_template

ROOT = Path(__file__).parent.parent
INSTANCE = "arn:aws:connect:eu-central-1:123456789012:instance/5eec4ca1-0000-4000-8000-00000000ca11"
CONNECT = {"TelephonyProvider": "connect", "ConnectInstanceArn": INSTANCE, "CallerId": "+4930123456"}
CHIME = {"TelephonyProvider": "chime", "CallerId": "+12065550100"}


def variables_of(folder: str, endpoint: str, parameters: dict[str, str] = CONNECT) -> dict[str, str]:
    """All that a function of `functions/` finds, in a stack with these parameters."""
    (spec,) = (spec for spec in _template(**parameters).functions.values() if spec.code_dir.name == folder)
    return {
        **spec.environment,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ENDPOINT_URL_SFN": endpoint,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }


@cache
def _template(**parameters: str) -> Template:
    return read_template(ROOT / "template.yaml", parameters)
