"""Files that customers put into the bucket themselves, by a presigned URL."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from speechcall.prompts.adapters.s3_audio import MISSING
from speechcall.shared.rules.errors import PayloadTooLarge

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Uploads:
    """The `Uploads` under `uploads/` in the bucket of the prompts; a lifecycle rule removes what is left of them."""

    def __init__(self, client: "S3Client", signer: "S3Client", bucket: str) -> None:
        """`signer` makes URLs for customers: on the laptop they lead elsewhere than our own requests."""
        self._client, self._signer, self._bucket = client, signer, bucket

    def presign(self, name: str, size: int, seconds: int) -> str:
        """The size is signed, so S3 takes no other."""
        where = {"Bucket": self._bucket, "Key": f"uploads/{name}", "ContentLength": size}
        return self._signer.generate_presigned_url("put_object", Params=where, ExpiresIn=seconds)

    def take(self, name: str, most: int) -> bytes | None:
        """The file; None: there is none, or none any more. Raises PayloadTooLarge for more than `most` bytes."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=f"uploads/{name}")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in MISSING:
                return None
            raise
        if found["ContentLength"] > most:
            raise PayloadTooLarge(f"The file has {found['ContentLength']} bytes; at most {most} can be taken.")
        return found["Body"].read()

    def drop(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=f"uploads/{name}")
