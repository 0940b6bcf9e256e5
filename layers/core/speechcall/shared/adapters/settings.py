"""A function's settings from its environment, and its AWS clients."""

import os

from botocore.config import Config


class MissingSetting(Exception):
    """The function was deployed without a variable that it needs."""


def setting(name: str) -> str:
    """The environment variable `name`, which template.yaml gives; it may be empty, not missing."""
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(f"{name} is not set; template.yaml gives it to this function") from None


LOOPBACK = "loopback"


def allows_loopback(receiver: str) -> bool:
    """Whether the setting WEBHOOK_RECEIVER lets URLs lead to this machine, at submission as at delivery."""
    return receiver == LOOPBACK


AWS_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=50,
    parameter_validation=False,
)
"""All tries of a request end before a function's 30 s do.

A quarter of the CPU of storing a message went into botocore's look through parameters that the service
looks through again. The laptop cloud, and with it the tests, has them looked through.
"""

SIGNER_CONFIG = Config(
    signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
)
"""For URLs that are given away. Their host is the Region's: for a bucket's first day S3's global name may lead
elsewhere, and a client that follows the redirect sends another Host than the one that is signed."""

CLIENT_WAITS_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=1,
    read_timeout=3,
    max_pool_connections=50,
    parameter_validation=False,
)
"""For audio: behind the decoding there are nine seconds, or the API answers 503 by itself."""

CALLER_WAITS_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=1,
    read_timeout=1.5,
    max_pool_connections=50,
    parameter_validation=False,
)
"""For connect_flow: a caller listens to silence meanwhile, and the contact flow waits 8 s."""
