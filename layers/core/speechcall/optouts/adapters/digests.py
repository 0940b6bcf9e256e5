"""Digests of numbers: HMAC-SHA-256 under a key of the stack.

There are so few telephone numbers that a plain hash can be tried out for all of them; a digest under a key cannot. The
key is made at its first use, sealed by KMS, and stored next to what it is for. An environment opens it once and keeps
it: an HMAC key of KMS itself would be a request and a fee for each number of each message.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from speechcall.shared.adapters.keys import DIGEST_KEY
from speechcall.shared.adapters.table import ConditionFailed, read_item, store_errors, to_wire
from speechcall.shared.rules.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

PURPOSE = "speechcall-number-digest"
"""In the encryption context: who may open webhook secrets may not open this, and the reverse."""
FORM = 1
KEY_BYTES = 32


class NumberDigests:
    """The digests of numbers. Raises StoreUnavailable when the key cannot be had now.

    `make_kms` is called when the first number needs it.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, make_kms: "Callable[[], KMSClient]", kms_key_id: str
    ) -> None:
        self._client, self._table = client, table
        self._make_kms, self._kms_key_id = make_kms, kms_key_id

    def of(self, number: str) -> str:
        """The digest of a number (E.164), 64 hexadecimal digits. Raises StoreUnavailable."""
        return hmac.new(self._key, number.encode(), hashlib.sha256).hexdigest()

    def forget_key(self) -> None:
        """The key is read again for the next number: the table is another."""
        self.__dict__.pop("_key", None)

    @cached_property
    def _key(self) -> bytes:
        """The key of the digests, opened; it is made if there is none yet.

        function A   no key ── PutItem: key 1 ──► key 1
        function B   no key ──── PutItem: key 2 ──X there is one ──► key 1 (else A's opt-outs would hold for nobody)
        """
        if (sealed := self._stored()) is None:
            self._make()
            sealed = self._stored()
        if sealed is None:
            raise StoreUnavailable("the key of the digests is not there")
        with store_errors():
            opened = self._kms.decrypt(KeyId=self._kms_key_id, CiphertextBlob=sealed, EncryptionContext=_CONTEXT)
        return opened["Plaintext"]

    @cached_property
    def _kms(self) -> "KMSClient":
        return self._make_kms()

    def _stored(self) -> bytes | None:
        item = read_item(self._client, self._table, DIGEST_KEY)
        return bytes(item["sealed"].value) if item else None

    def _make(self) -> None:
        """Makes a key and stores it sealed, unless another has been stored meanwhile."""
        with store_errors():
            sealed = self._kms.encrypt(
                KeyId=self._kms_key_id, Plaintext=secrets.token_bytes(KEY_BYTES), EncryptionContext=_CONTEXT
            )["CiphertextBlob"]
        there_is_none = "attribute_not_exists(pk)"
        item = to_wire({**DIGEST_KEY, "v": FORM, "sealed": sealed})
        try:
            with store_errors():
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=there_is_none)
        except ConditionFailed:
            return  # another was quicker, and its key is everybody's


_CONTEXT = {"purpose": PURPOSE}
