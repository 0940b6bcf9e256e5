"""Where an account's uploaded introduction is played from."""

from typing import TYPE_CHECKING

from speechcall.shared.adapters.keys import uploaded_prompt_key
from speechcall.shared.adapters.table import read_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoUploadedAudio:
    """`UploadedAudio` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def uri_of(self, account_id: str, name: str) -> str:
        """As `UploadedAudio` says. What was removed is still there for 35 days, but is not played any more."""
        item = read_item(self._client, self._table, uploaded_prompt_key(account_id, name))
        return "" if item is None or item.get("is_removed") else str(item.get("uri", ""))
