"""CloudFormation, before the contact flow is made: put the prompts that the stack carries where it plays them from."""

from contextlib import suppress
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from speechcall.deployment.adapters.custom_resource import response, rolls_back, send
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.shared.adapters.settings import setting
from speechcall.telephony.carried import carried

PHYSICAL_ID = "carried-prompts"
# All tries end before the function's time does.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5)

logger = Logger()

audio = S3Audio(boto3.client("s3", config=CONFIG), setting("PROMPTS_BUCKET"))
cloudformation = boto3.client("cloudformation", config=CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Stores the stack's own prompts, and tells CloudFormation whether that worked.

    Every request is answered, or the stack would wait. A deletion is never refused, nor an update that rolls back. What
    was told is returned for tests.
    """
    refusal, given = None, {}
    try:
        if event["RequestType"] != "Delete":
            apology, *_ = map(audio.put, carried())
            given = {"ApologyUri": apology}
    except Exception as error:
        logger.exception("not put")
        if not must_succeed(event):
            refusal = f"The stack's own prompts could not be stored ({type(error).__name__}). Deploy again."
    answer = response(event, PHYSICAL_ID, refusal, given)
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
