"""The environment of a deployed function, as template.yaml gives it, with an endpoint of ours in the place of AWS."""

from functools import cache
from pathlib import Path

from local.cloud.simulated_providers import parameters_of
from local.cloud.template import Template, read_template
from speechcall.telephony.provider import ProviderName

ROOT = Path(__file__).parent.parent


def variables_of(folder: str, endpoint: str, name: ProviderName = ProviderName.CONNECT) -> dict[str, str]:
    """All that a function of `functions/` finds, in a stack of this provider."""
    (spec,) = (spec for spec in _template(name).functions.values() if spec.code_dir.name == folder)
    return {
        **spec.environment,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ENDPOINT_URL_SFN": endpoint,
        "AWS_ENDPOINT_URL_KMS": endpoint,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }


@cache
def _template(name: ProviderName) -> Template:
    return read_template(ROOT / "template.yaml", parameters_of(name))
