"""Signs calls with a key of AWS KMS that never leaves it: ECC_NIST_P256, so ES256 (RFC 7518, section 3.4)."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from speechcall.shared.adapters.keys import SIGNING_KEYS, signing_key_key
from speechcall.shared.adapters.table import from_wire, store_errors, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

_BYTES = 32
"""Of each number of P-256."""
_UNCOMPRESSED = b"\x04"
KEYS_SECONDS = 300.0
"""How long the public keys that were read are told again: anybody may ask for them, without credentials."""


class KmsCallSigner:
    """The key named by `key_id`; "": this stack signs nothing, and tells the keys that it had.

    A public key is written down before the first signature with it: it can be told when the key is another.
    """

    def __init__(
        self, make_client: "Callable[[], KMSClient]", key_id: str, dynamodb: "DynamoDBClient", table: str
    ) -> None:
        self._make_client, self._key_id = make_client, key_id
        self._dynamodb, self._table = dynamodb, table
        self._client: KMSClient | None = None
        self._own: dict[str, str] | None = None
        self._known: tuple[float, Sequence[Mapping[str, str]]] | None = None

    @property
    def is_there(self) -> bool:
        return bool(self._key_id)

    def sign(self, content: bytes) -> str:
        """The compact JWS: protected header, content and signature in base64url. Raises StoreUnavailable."""
        header = {"alg": "ES256", "kid": self._own_key()["kid"], "typ": "JOSE"}
        signed = f"{_text(json.dumps(header, separators=(',', ':')).encode())}.{_text(content)}"
        digest = hashlib.sha256(signed.encode()).digest()  # a message of more than 4 KB KMS takes as its digest only
        with store_errors():
            answer = self._kms().sign(
                KeyId=self._key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        return f"{signed}.{_text(raw_signature(answer['Signature']))}"

    def known_keys(self) -> Sequence[Mapping[str, str]]:
        """Each public key of this stack that has signed, the one of today first; read KEYS_SECONDS ago at most.

        Raises StoreUnavailable.
        """
        if self._known and time.monotonic() - self._known[0] < KEYS_SECONDS:
            return self._known[1]
        own = [self._own_key()] if self._key_id else []
        values = to_wire({":pk": SIGNING_KEYS})
        with store_errors():
            found = self._dynamodb.query(
                TableName=self._table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
            )
        kept = [_jwk(item["x"], item["y"]) for item in map(from_wire, found["Items"])]
        keys = [*own, *(one for one in kept if one not in own)]
        self._known = time.monotonic(), keys
        return keys

    def _own_key(self) -> dict[str, str]:
        """The public key of today, as JWK. When it is first read it is also stored, so before its first signature.

        Raises StoreUnavailable.
        """
        if self._own is None:
            with store_errors():
                told = self._kms().get_public_key(KeyId=self._key_id)
            own = public_jwk(told["PublicKey"])
            item = {**signing_key_key(own["kid"]), "x": own["x"], "y": own["y"]}
            with store_errors():
                self._dynamodb.put_item(TableName=self._table, Item=to_wire(item))
            self._own = own
        return self._own

    def _kms(self) -> "KMSClient":
        if self._client is None:
            self._client = self._make_client()
        return self._client


def public_jwk(spki: bytes) -> dict[str, str]:
    """A public key of P-256 as JWK (RFC 7518, section 6.2). `spki`: DER of SubjectPublicKeyInfo (RFC 5480).

    The point is its end: X9.62's uncompressed form, as KMS gives it. Raises ValueError for another form.
    """
    point = spki[-2 * _BYTES - 1 :]
    if point[:1] != _UNCOMPRESSED or len(point) != 2 * _BYTES + 1:
        raise ValueError("not the public key of a P-256 key")
    return _jwk(_text(point[1 : _BYTES + 1]), _text(point[_BYTES + 1 :]))


def _jwk(x: str, y: str) -> dict[str, str]:
    named = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    # RFC 7638: the digest of these members, in this order, without spaces.
    thumbprint = hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).digest()
    return {**named, "use": "sig", "alg": "ES256", "kid": _text(thumbprint)}


def raw_signature(der: bytes) -> bytes:
    """The two numbers of a signature, 32 bytes each, out of KMS's DER: SEQUENCE { INTEGER r, INTEGER s }.

    Raises ValueError for another form.
    """
    if der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("not a signature of ECDSA")
    numbers, rest = [], der[2:]
    for _ in range(2):
        if rest[0] != 0x02:
            raise ValueError("not a signature of ECDSA")
        numbers.append(int.from_bytes(rest[2 : 2 + rest[1]]))
        rest = rest[2 + rest[1] :]
    return b"".join(number.to_bytes(_BYTES) for number in numbers)


def _text(content: Any) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
