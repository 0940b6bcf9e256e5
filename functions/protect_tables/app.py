"""CloudFormation, once the tables are there: protect them from being deleted, and let a roll-back remove new ones."""

from contextlib import suppress
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from speechcall.deployment.adapters.custom_resource import response, rolls_back, send, stack_status
from speechcall.deployment.adapters.protection import protect_all

PHYSICAL_ID = "deletion-protection"
# All tries end before the function's time does.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5)

logger = Logger()

dynamodb = boto3.client("dynamodb", config=CONFIG)
cloudformation = boto3.client("cloudformation", config=CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Sets the tables' protection, and tells CloudFormation whether that worked.

    Every request is answered, or the stack would wait. A deletion is never refused, nor an update that rolls back. What
    was told is returned for tests.
    """
    refusal = None
    try:
        apply(event)
    except Exception as error:
        logger.exception("not applied")
        if not must_succeed(event):
            refusal = f"The tables' deletion protection could not be set ({type(error).__name__}). Deploy again."
    answer = response(event, PHYSICAL_ID, refusal)
    if not send(event["ResponseURL"], answer):
        logger.error("CloudFormation was not reached")
    return answer


def must_succeed(event: dict[str, Any]) -> bool:
    """Whether the answer has to be success, whatever has failed: of a deletion, and while an update is rolled back.

    A refusal would leave the stack stuck. False too, for an update, where CloudFormation does not say whether it rolls
    back.
    """
    if event["RequestType"] != "Update":
        return bool(event["RequestType"] == "Delete")
    with suppress(BotoCoreError, ClientError):
        return rolls_back(cloudformation, event["StackId"])
    return False


def apply(event: dict[str, Any]) -> None:
    """Protects the stack's tables, or not, as its parameter says. Raises what `protect_all` raises.

    Of a deletion, where CloudFormation is asked, what its client raises too.
    """
    given = event["ResourceProperties"]
    tables = set(given["Tables"])
    if event["RequestType"] == "Delete":
        # A first deployment that failed takes its tables with it. In any other deletion they stay, protected or not.
        if stack_status(cloudformation, event["StackId"]) == "ROLLBACK_IN_PROGRESS":
            protect_all(dynamodb, tables, on=False)
        return
    protect_all(dynamodb, tables, on=given["Protect"] == "true")
    # Tables of the properties before that are not in these: the update that made them is being rolled back, and they
    # are to be deleted.
    protect_all(dynamodb, set(event.get("OldResourceProperties", {}).get("Tables", ())) - tables, on=False)
