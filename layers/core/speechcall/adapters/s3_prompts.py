"""The prompts' audio in S3, by content."""

import hashlib
from typing import TYPE_CHECKING

from speechcall.adapters.dynamodb.registry import Registry
from speechcall.application.prepare_prompts import Prompt

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Prompts:
    """A `PromptStore`: audio in the bucket, names in the Registry."""

    def __init__(self, client: "S3Client", bucket: str, registry: Registry) -> None:
        self._client, self._bucket, self._registry = client, bucket, registry

    def get_prompt(self, account_id: str, name: str) -> tuple[Prompt, int] | None:
        return self._registry.get_prompt(account_id, name)

    def put_prompt(self, account_id: str, name: str, prompt: Prompt, now_msec: int) -> None:
        self._registry.put_prompt(account_id, name, prompt, now_msec)

    def put_audio(self, content: bytes) -> str:
        """Never an overwrite: the key is the content's SHA-256.

        Amazon Connect plays `https://<bucket>.s3.<region>.amazonaws.com/<key>` (administrator guide,
        "Set up prompts to play from an S3 bucket").
        """
        key = f"prompts/{hashlib.sha256(content).hexdigest()}.wav"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="audio/wav")
        return f"https://{self._bucket}.s3.{self._client.meta.region_name}.amazonaws.com/{key}"
