"""Seals what must be readable again: AWS KMS, one key for the stack, bound to whose it is by the encryption context."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from speechcall.shared.adapters.settings import CALLER_WAITS_CONFIG
from speechcall.shared.adapters.table import store_errors
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PURPOSE, DIGITS_PURPOSE = "speechcall-webhook-secret", "speechcall-digits"
"""In the encryption context: the function may open what was sealed for this, and nothing else under the key."""


_ASLEEP = {"DisabledException", "KMSInvalidStateException", "KeyUnavailableException"}
"""Of a key that may be used again once somebody has seen to it (AWS KMS API reference, "Decrypt", "Errors")."""


@contextmanager
def _kms_errors() -> Iterator[None]:
    """As `store_errors`, and StoreUnavailable for a key that is asleep: what waits for it is tried again."""
    try:
        with store_errors():
            yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _ASLEEP:
            raise StoreUnavailable(code) from error
        raise


def _of_account(account_id: str) -> dict[str, str]:
    return {"purpose": PURPOSE, "account": account_id}


def _of_message(mid: str) -> dict[str, str]:
    return {"purpose": DIGITS_PURPOSE, "mid": mid}


def digits_seal(key_id: str) -> "KmsSeal":
    """Seals what a callee has entered in a call of one message, by its id."""
    import boto3  # noqa: PLC0415

    return KmsSeal(lambda: boto3.client("kms", config=CALLER_WAITS_CONFIG), key_id, _of_message)


class KmsSeal:
    """Seals and opens texts of up to 4 KB, each bound to its owner: an account's id, or that of a message.

    `context`: makes the encryption context of an owner's id. `make_client` is called when the first secret needs it:
    most starts of a function need none. Raises StoreUnavailable when KMS cannot be asked now or the key is disabled
    or will be deleted, and ClientError, as for what was sealed for another owner.
    """

    def __init__(
        self,
        make_client: "Callable[[], KMSClient]",
        key_id: str,
        context: Callable[[str], dict[str, str]] = _of_account,
    ) -> None:
        self._make_client, self._key_id, self._context = make_client, key_id, context

    @cached_property
    def _client(self) -> "KMSClient":
        return self._make_client()

    def seal(self, owner: str, text: str) -> str:
        """Base64 of what only `unseal` for the same owner can read."""
        with _kms_errors():
            sealed = self._client.encrypt(
                KeyId=self._key_id, Plaintext=text.encode(), EncryptionContext=self._context(owner)
            )
        return base64.b64encode(sealed["CiphertextBlob"]).decode()

    def unseal(self, owner: str, sealed: str) -> str:
        """The text that was sealed for this owner."""
        with _kms_errors():
            opened = self._client.decrypt(
                KeyId=self._key_id, CiphertextBlob=base64.b64decode(sealed), EncryptionContext=self._context(owner)
            )
        return opened["Plaintext"].decode()
