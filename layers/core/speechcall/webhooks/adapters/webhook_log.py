"""The log line about a webhook's task: its names, a status or a word, and when the next attempt is."""

from speechcall.shared.rules.timing import utc_text
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.deliver_webhook import DeliveryResult


def delivery_fields(task: WebhookTask, result: DeliveryResult) -> dict[str, object]:
    """The fields of that line, without those that say nothing. No path of a URL, no header, no body."""
    attempt = result.attempt
    fields = {
        "account": result.account_id,
        "destination": result.destination,
        "webhook_attempt": result.number,
        "status": attempt.status if attempt else None,
        "error": attempt.error if attempt else None,
        "msec": attempt.msec if attempt else None,
        "next_attempt_at": utc_text(result.next_msec) if result.next_msec is not None else None,
        "skipped": result.skipped,
    }
    said = {name: value for name, value in fields.items() if value not in (None, "")}
    return {**task.log_fields, "result": result.word, **said}
