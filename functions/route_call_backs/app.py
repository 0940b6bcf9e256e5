"""CloudFormation, after the flow is made: lead calls to the caller ID to it, unless they go elsewhere already."""

from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

from speechcall.deployment.adapters.call_back_routes import route, routes_of, withdraw
from speechcall.deployment.adapters.custom_resource import response, send
from speechcall.deployment.rules.call_back_route import route_id, unknown

# All tries end before the function's time does.
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5)

logger = Logger()

make_connect = partial(boto3.client, "connect", config=CONFIG)
make_voice = partial(boto3.client, "chime-sdk-voice", config=CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Leads calls to the caller ID to us, and tells CloudFormation what came of it, for the stack's output (`Line`).

    Every request is answered, and none is refused: calls are placed without it too. What was told is returned for
    tests.
    """
    given, is_removed = event["ResourceProperties"], event["RequestType"] == "Delete"
    line = ""
    try:
        line = act(event, given)
    except Exception as error:
        logger.exception("not routed")
        line = unknown(error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__)
    physical_id = event["PhysicalResourceId"] if is_removed else route_id(given["CallerId"], given["Target"])
    answer = response(event, physical_id, None, {"Line": line})
    logger.info("routed", request=event["RequestType"], line=line)
    if not send(event["ResponseURL"], answer):
        logger.error("CloudFormation was not reached")
    return answer


def act(event: dict[str, Any], given: dict[str, str]) -> str:
    """Leads calls to the caller ID to the flow, or withdraws that; what came of it, for the stack's output.

    In: CloudFormation's request, and its properties. Out: empty for a deletion. A target of the properties before
    counts as ours only for the same caller ID.
    """
    routes = routes_of(given, make_connect, make_voice)
    if event["RequestType"] == "Delete":
        withdraw(given["CallerId"], given["Target"], routes)
        return ""
    if given["ExternalCallerId"] == "true":
        return "not routed: the caller ID is an external number; its operator can forward calls to a number of yours"
    before = event.get("OldResourceProperties", {})
    was_ours = before.get("Target", "") if before.get("CallerId") == given["CallerId"] else ""
    return route(given["CallerId"], given["Target"], was_ours, routes)
