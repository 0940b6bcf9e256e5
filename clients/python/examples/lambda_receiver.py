"""A receiver as an AWS Lambda function, behind a function URL or an HTTP API (payload format 2.0)."""

import base64
import os
from typing import Any

from speechcall_client import InvalidWebhook, KeyPressed, verify

SECRET = os.environ["SPEECHCALL_SECRET"]
confirmed: dict[str, KeyPressed] = {}
"""What callees said, by webhook id; yours is a DynamoDB table, written with attribute_not_exists(id)."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One webhook."""
    body = event.get("body") or ""
    content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    try:
        webhook = verify(event["headers"], content, SECRET)
    except InvalidWebhook:
        return {"statusCode": 401}
    if isinstance(webhook, KeyPressed):
        confirmed.setdefault(webhook.id, webhook)
    return {"statusCode": 204}
