"""The prompts' audio in S3, by content."""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEPT, FETCHED = "prompts", "fetched"
"""What an account uploaded stays; what was fetched or spoken expires (template.yaml, PromptsBucket)."""


class S3Audio:
    """The bucket that the telephony plays from."""

    def __init__(self, client: "S3Client", bucket: str, folder: str = KEPT) -> None:
        self._client, self._bucket, self._folder = client, bucket, folder

    def put(self, content: bytes) -> str:
        """Stores audio; gives the URI that the telephony plays. Never an overwrite: the key is the content's SHA-256.

        Amazon Connect plays `https://<bucket>.s3.<region>.amazonaws.com/<key>` (administrator guide,
        "Set up prompts to play from an S3 bucket").
        """
        key = f"{self._folder}/{hashlib.sha256(content).hexdigest()}.wav"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="audio/wav")
        return f"https://{self._bucket}.s3.{self._client.meta.region_name}.amazonaws.com/{key}"

    def get(self, uri: str) -> bytes:
        """The audio behind a URI that `put` gave."""
        key = uri.partition(".amazonaws.com/")[2]
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
