"""CloudFormation, before anything that lasts is made: do the calls of all lines fit into the account's Lambda?"""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from speechcall.adapters.custom_resource import response, send
from speechcall.adapters.lambda_limits import unreserved_executions
from speechcall.domain.concurrency import why_too_many

PHYSICAL_ID = "lambda-concurrency"
# All tries end before the function's 30 s do.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=3)

logger = Logger()

lambda_client = boto3.client("lambda", config=CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Every request is answered, or the stack would wait. Only what is known to be wrong stops a deployment."""
    try:
        refusal = check(event)
    except Exception:
        logger.exception("not checked")
        refusal = None
    answer = response(event, PHYSICAL_ID, refusal)
    logger.info("checked", request=event["RequestType"], refusal=refusal)
    if not send(event["ResponseURL"], answer):
        logger.error("CloudFormation was not reached")
    return answer


def check(event: dict[str, Any]) -> str | None:
    if event["RequestType"] == "Delete":
        return None
    refusal = why_too_many(int(event["ResourceProperties"]["Lines"]), unreserved_executions(lambda_client))
    return None if refusal and event["RequestType"] == "Update" and rolls_back(event["StackId"]) else refusal


def rolls_back(stack_id: str) -> bool:
    """Whether the stack returns to what it was; that must not fail, whatever it was."""
    client = boto3.client("cloudformation", config=CONFIG)
    return "ROLLBACK" in client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
