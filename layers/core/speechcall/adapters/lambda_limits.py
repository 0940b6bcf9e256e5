"""How much of AWS Lambda the account has."""

import time
from typing import Any

from botocore.exceptions import ClientError

PAUSES_SECONDS = (3.0, 6.0)
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


def unreserved_executions(client: Any) -> int:
    """Concurrent executions in this Region that are not reserved for a function. In: boto3's client of Lambda.

    A role that was made a moment ago is not known everywhere, so a refusal may pass: there are three tries. Raises
    ClientError.
    """
    for pause in PAUSES_SECONDS:
        try:
            return _unreserved(client)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
        time.sleep(pause)
    return _unreserved(client)


def _unreserved(client: Any) -> int:
    return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])
