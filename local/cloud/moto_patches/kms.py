"""Repairs of moto's KMS: what is signed is what was to be signed."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto.kms.responses import KmsResponse

from local.cloud.moto_patches.replace import Replacement, instead_of


def sign_digests_as_they_are() -> None:
    """moto does not look at `MessageType` of Sign: it makes a digest of the digest, and signs that.

    AWS KMS, API reference, Sign: with DIGEST it "skips the hashing step in the signing algorithm". Nobody else can
    verify what stock moto gives. Here for ES256, the one algorithm that the service uses.
    """

    @instead_of(KmsResponse, "sign")
    def sign(stock: Replacement, response: KmsResponse) -> str:
        given = response._get_param  # noqa: SLF001 - it decodes
        if (given("MessageType"), given("SigningAlgorithm")) != ("DIGEST", "ECDSA_SHA_256"):
            return str(stock(response))
        key: Any = response.kms_backend.describe_key(given("KeyId"))
        made = key.private_key.private_key.sign(given("Message"), ECDSA(Prehashed(SHA256())))
        signature = base64.b64encode(made).decode()
        return json.dumps({"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": "ECDSA_SHA_256"})
