"""Clock: state machines that no message has used for sixty days are deleted, a part of them each hour."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger

from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.adapters.machines import delete_machine, machines_of
from speechcall.menus.rules.retirement import PARTS
from speechcall.menus.use_cases.retire_flows import retire_flows
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.metrics import count
from speechcall.shared.adapters.settings import AWS_CONFIG, setting

MARGIN_SECONDS = 15

logger = Logger()

stepfunctions = boto3.client("stepfunctions", config=AWS_CONFIG)
registry = Registry(boto3.client("dynamodb", config=AWS_CONFIG), setting("REGISTRY_TABLE"))
prefix = setting("FLOW_PREFIX")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Deletes what nobody uses of the part that is this hour's (UTC). Out: how many were deleted."""
    done = retire_flows(
        machines_of(stepfunctions, prefix),
        datetime.now(UTC).hour % PARTS,
        uses=registry,
        delete=partial(delete_machine, stepfunctions),
        now_msec=SystemClock().now_msec,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS,
    )
    count("MachinesDeleted", done.deleted)
    logger.info("state machines looked at", seen=done.seen, marked=done.marked, deleted=done.deleted)
    return {"deleted": done.deleted}
