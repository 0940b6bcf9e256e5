"""Messages as they are accepted: all that the function needs that stores a request."""

from collections.abc import Sequence

from speechcall.messages.adapters.message_items import dump
from speechcall.messages.adapters.message_reader import DynamoMessageReader
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.table import to_wire, transact
from speechcall.shared.rules.errors import StoreUnavailable


class DynamoNewMessages(DynamoMessageReader):
    """A `NewMessages` on DynamoDB."""

    def add(self, messages: Sequence[Message]) -> None:
        """Writes the messages of a list (1 to 100) together. A repeat changes nothing.

        Raises StoreUnavailable, also where another list has drawn the same ids.
        """
        puts = {
            message.mid: {
                "Put": {
                    "TableName": self._messages,
                    "Item": to_wire(dump(message)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for message in messages
        }
        if transact(self._client, puts):
            # All of them are there, from the same list: a repeat. Or another request drew the same ids.
            found = self.get(messages[0].mid)
            if found is None or found.list_id != messages[0].list_id:
                raise StoreUnavailable("the id of a message is taken")
