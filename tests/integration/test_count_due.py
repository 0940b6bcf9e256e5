"""What `speechcall stack restore` and `stack remove` count in the index of what is due."""

from cli.stack.parts import count_due
from speechcall.shared.adapters.keys import WEBHOOK, due_shard
from speechcall.webhooks.adapters.deliveries_store import DynamoDeliveries
from tests.kit.registry import empty_tables
from tests.kit.samples import MESSAGE, MID, NOW
from tests.kit.webhook_bench import task_of


def test_what_one_query_does_not_reach_is_counted_too() -> None:
    with empty_tables() as (client, messages, _):
        # moto takes an item in the index for as long as it is in the table; a query reads 1 MB (API reference, Query)
        for seq in range(12):
            DynamoDeliveries(client, messages).begin(task_of(MESSAGE, seq=seq), MESSAGE, "x" * 100_000, NOW)
        shard = due_shard(WEBHOOK, MID)
        assert count_due(client, messages, shard) == 12
        assert count_due(client, messages, shard, most=11) == 11
        assert count_due(client, messages, shard, most=13) == 12
        assert count_due(client, messages, "none") == 0
