"""CloudFormation, before anything that lasts is made: is there anything that is known to be wrong?"""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from speechcall.deployment.adapters.custom_resource import response, rolls_back, send
from speechcall.deployment.adapters.deployment_questions import Clients, load_of, questions
from speechcall.deployment.adapters.patience import answers
from speechcall.deployment.rules.checks import why_not_whole
from speechcall.deployment.rules.concurrency import reserved_for_each

PHYSICAL_ID = "deployment-check"
# All tries end before the function's time does.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=3)

logger = Logger()

clients = Clients(
    functions=boto3.client("lambda", config=CONFIG),
    connect=boto3.client("connect", config=CONFIG),
    quotas=boto3.client("service-quotas", config=CONFIG),
    cloudformation=boto3.client("cloudformation", config=CONFIG),
    dynamodb=boto3.client("dynamodb", config=CONFIG),
)
cloudformation = clients.cloudformation


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Tells CloudFormation whether the deployment may go on; what was told is returned for tests.

    A check that cannot be made (any exception) refuses nothing. If all tries to answer fail, the stack waits for
    ServiceTimeout.
    """
    refusal, calculated = None, {}
    try:
        calculated = reserve(event)
        refusal = check(event)
    except Exception:
        logger.exception("not checked")
    answer = response(event, PHYSICAL_ID, refusal, calculated)
    logger.info("checked", request=event["RequestType"], refusal=refusal)
    if not send(event["ResponseURL"], answer):
        logger.error("CloudFormation was not reached")
    return answer


def reserve(event: dict[str, Any]) -> dict[str, str]:
    """What the template reads with GetAtt, since CloudFormation cannot calculate; empty: a parameter is no number.

    `ReservedForEach`: the concurrent executions that are set aside for each function of a call.
    """
    load = load_of(event["ResourceProperties"])
    return {"ReservedForEach": str(reserved_for_each(load.lines))} if load else {}


def check(event: dict[str, Any]) -> str | None:
    """What is wrong with a deployment, in sentences; None: nothing, or it has to go through all the same.

    A deletion has to, and an update that is rolled back: it returns to what there was.
    """
    if event["RequestType"] == "Delete":
        return None
    given = event["ResourceProperties"]
    wrong = list(why_not_whole(given))
    asked = questions(given, event.get("OldResourceProperties", {}), event["StackId"], clients)
    wrong += answers(asked, lambda error: logger.warning("not asked", exc_info=error))
    if not wrong or (event["RequestType"] == "Update" and rolls_back(cloudformation, event["StackId"])):
        return None
    return " ".join(wrong)
