"""`speechcall stack remove`: the stack, and all that it leaves behind on purpose.

    list ── refuse? ── ask ── the stack ── log group, state machines, tables, bucket ── the key's deletion is scheduled

Nothing about it is kept here. CloudFormation knows for 90 days what a deleted stack was made of, so the same command,
run again after an interruption, finds what is left and continues.
"""

from collections.abc import Callable

from botocore.exceptions import ClientError

from cli.failures import Refusal
from cli.stack.identity import GONE, Identity
from cli.stack.parts import Client, Part, Pause, count_due, parts_of
from speechcall.messages.rules.message import State
from speechcall.shared.adapters.keys import LATER, SETTLING, WEBHOOK, due_shards
from speechcall.shared.adapters.stepfunctions import error_code

Tell = Callable[[str], object]
UNFINISHED = (State.PREPARING.value, State.QUEUED.value, State.CALLING.value)


class Removal:
    """One removal: what there is, what is in its way, and the doing."""

    def __init__(self, client: Client, stack: Identity, key_days: int) -> None:
        self._client, self.stack = client, stack
        self._parts: list[Part] = parts_of(client, stack, key_days)

    def listed(self) -> list[str]:
        """What would be removed, in the order of the removal."""
        return [found for part in self._parts if (found := part.look()) is not None]

    def unfinished(self) -> tuple[int, int]:
        """How many messages and webhooks are under way (counted to 1,000 in each part of the index).

        0 and 0 once the stack is gone: nothing is left that would carry them out.
        """
        if self.stack.status == GONE:
            return 0, 0
        table = self.stack.physical("MessagesTable")
        shards = [SETTLING, LATER, *(shard for state in UNFINISHED for shard in due_shards(state))]
        messages = sum(self._count(table, shard) for shard in shards)
        return messages, sum(self._count(table, shard) for shard in due_shards(WEBHOOK))

    def _count(self, table: str, shard: str) -> int:
        """How many items are in a part of the index; 0 if the table is gone."""
        try:
            return count_due(self._client("dynamodb"), table, shard, most=1000)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return 0
            raise

    def in_the_way(self, *, drop_unfinished: bool) -> str | None:
        """Why the removal may not begin; None: it may. `drop_unfinished`: messages and webhooks are no reason."""
        if self.stack.is_protected:
            return (
                f"The stack is protected from deletion: aws cloudformation update-termination-protection "
                f"--no-enable-termination-protection --stack-name {self.stack.name}"
            )
        messages, webhooks = self.unfinished()
        if (messages or webhooks) and not drop_unfinished:
            return (
                f"{messages} messages and {webhooks} webhooks are unfinished. Disable the accounts and let them end, "
                "or cancel them (speechcall account disable ACCOUNT --queue cancel); --drop-unfinished removes them "
                "as they are, calls in progress too"
            )
        return None

    def carry_out(self, tell: Tell, pause: Pause) -> None:
        """Removes everything. Raises Refusal, ClientError; then the same command, run again, continues."""
        for part in self._parts:
            found = part.look()
            if found is not None:
                tell(f"Removing {found}.")
                part.remove(pause)
        left = self.listed()
        if left:
            raise Refusal(f"Still there: {'; '.join(left)}. The same command continues")
