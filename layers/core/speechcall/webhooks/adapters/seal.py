"""Seals what must be readable again: AWS KMS, one key for the stack, bound to an account by the encryption context."""

import base64
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from speechcall.shared.adapters.table import store_errors

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PURPOSE = "speechcall-webhook-secret"
"""In the encryption context: the function may open what was sealed for this, and nothing else under the key."""


class KmsSeal:
    """Seals and opens texts of up to 4 KB. Raises StoreUnavailable when KMS cannot be asked now.

    `make_client` is called when the first secret needs it: most starts of a function need none.
    """

    def __init__(self, make_client: "Callable[[], KMSClient]", key_id: str) -> None:
        self._make_client, self._key_id = make_client, key_id

    @cached_property
    def _client(self) -> "KMSClient":
        return self._make_client()

    def seal(self, account_id: str, text: str) -> str:
        """Base64 of what only `unseal` for the same account can read."""
        with store_errors():
            sealed = self._client.encrypt(
                KeyId=self._key_id, Plaintext=text.encode(), EncryptionContext=_context(account_id)
            )
        return base64.b64encode(sealed["CiphertextBlob"]).decode()

    def unseal(self, account_id: str, sealed: str) -> str:
        """The text that was sealed for this account."""
        with store_errors():
            opened = self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=base64.b64decode(sealed), EncryptionContext=_context(account_id)
            )
        return opened["Plaintext"].decode()


def _context(account_id: str) -> dict[str, str]:
    return {"purpose": PURPOSE, "account": account_id}
