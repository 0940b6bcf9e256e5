"""The prompts' audio in S3.

    prompts/<SHA-256>.wav    what the stack carries, and what earlier releases uploaded: shared, so it always stays
    uploaded/<random>.wav    what an account uploaded: one upload's own, so it can go when that is removed or replaced
    fetched/<SHA-256>.wav    what was fetched or spoken: expires by its age

What goes when is a matter of the bucket's lifecycle rules (template.yaml, PromptsBucket).
"""

import hashlib
import secrets
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CARRIED, UPLOADED, FETCHED = "prompts", "uploaded", "fetched"
REMOVED_TAG = "removed=true"
MISSING = frozenset({"NoSuchKey", "AccessDenied", "404", "403"})
"""Who may not list a bucket is not told that a key is missing, but that access is denied (API reference, GetObject)."""


class S3Audio:
    """The bucket that the telephony plays from."""

    def __init__(self, client: "S3Client", bucket: str, folder: str = CARRIED) -> None:
        self._client, self._bucket, self._folder = client, bucket, folder

    def put(self, content: bytes) -> str:
        """Stores audio; gives the URI that the telephony plays. Never an overwrite by other content.

        Amazon Connect plays `https://<bucket>.s3.<region>.amazonaws.com/<key>` (administrator guide,
        "Set up prompts to play from an S3 bucket").
        """
        name = secrets.token_urlsafe(24) if self._folder == UPLOADED else hashlib.sha256(content).hexdigest()
        key = f"{self._folder}/{name}.wav"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="audio/wav")
        return f"https://{self._bucket}.s3.{self._client.meta.region_name}.amazonaws.com/{key}"

    def get(self, uri: str) -> bytes:
        """The audio behind a URI that `put` gave."""
        return self._client.get_object(Bucket=self._bucket, Key=_key(uri))["Body"].read()

    def find(self, uri: str) -> bytes | None:
        """As `get`; None: there is nothing behind it any more."""
        try:
            return self.get(uri)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in MISSING:
                return None
            raise

    def signed_url(self, uri: str, seconds: int, signer: "S3Client") -> str:
        """A URL at which the audio can be had so long without credentials.

        `signer` makes URLs for customers: on the laptop they lead elsewhere than our own requests.
        """
        where = {"Bucket": self._bucket, "Key": _key(uri), "ResponseContentType": "audio/wav"}
        return signer.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds)

    def retire(self, uri: str) -> bool:
        """Has an upload's audio go when no queued message can still play it; leaves what others may share.

        A lifecycle rule counts from the day an object was made. So it is made once more, by a copy onto itself, with
        the tag that the rule looks for (S3 user guide, "Lifecycle configuration elements"; API reference, CopyObject:
        a copy onto itself has to replace the metadata). True: it is marked, or left. False: it is gone, or we may not
        touch it; S3 does not say which.
        """
        key = _key(uri)
        if not key.startswith(f"{UPLOADED}/"):
            return True
        try:
            self._client.copy_object(
                Bucket=self._bucket,
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": key},
                MetadataDirective="REPLACE",
                ContentType="audio/wav",
                TaggingDirective="REPLACE",
                Tagging=REMOVED_TAG,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in MISSING:
                return False
            raise
        return True


def _key(uri: str) -> str:
    return uri.partition(".amazonaws.com/")[2]
