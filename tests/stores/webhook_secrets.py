"""Webhook secrets in memory, held equal to DynamoDB by tests/integration/test_webhook_secrets.py."""

from collections.abc import Sequence

from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret


class MemoryWebhookSecrets:
    """A `SecretStore`."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[SealedSecret, ...]] = {}
        self.reads = 0

    def secrets_of(self, account_id: str) -> tuple[SealedSecret, ...]:
        self.reads += 1
        return self.kept.get(account_id, ())

    def replace(self, account_id: str, secrets: Sequence[SealedSecret], instead_of: Sequence[SealedSecret]) -> bool:
        if self.kept.get(account_id, ()) != tuple(instead_of):
            return False
        self.kept[account_id] = tuple(secrets)
        return True

    def signed_accounts(self, now_msec: int) -> set[str]:
        return {name for name, secrets in self.kept.items() if any(one.signs_at(now_msec) for one in secrets)}


def seal(account_id: str, text: str) -> str:
    """Sealed as far as a test needs it: for one account, and not the text itself."""
    return f"{account_id}/{text[::-1]}"


def unseal(account_id: str, sealed: str) -> str:
    """The other way round."""
    assert sealed.startswith(f"{account_id}/")
    return sealed.removeprefix(f"{account_id}/")[::-1]
