"""Secrets for trials alone: they can be told from the secrets that a stack keeps, so that none of those is ever used.

A trial signs what it likes and sends it where it likes. With a stored secret, receivers would take that for ours.
"""

import base64
import binascii
from collections.abc import Callable

from speechcall.webhooks.use_cases.webhook_secrets import PREFIX, SECRET_BYTES

_MARK = b"trial-"
"""How the bytes of a trial's secret begin. Those of a stack are drawn by chance: one of 2^48 begins so."""


def new_trial_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A secret in the form of Standard Webhooks that a trial takes and no stack has."""
    return PREFIX + base64.b64encode(_MARK + random_bytes(SECRET_BYTES - len(_MARK))).decode()


def is_trial_secret(secret: str) -> bool:
    """Whether a secret was made for trials, and has the size that it must have."""
    try:
        content = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith(PREFIX) and content.startswith(_MARK) and len(content) == SECRET_BYTES
