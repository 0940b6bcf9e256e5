"""In the table: when a message goes is said by the transaction that ends it, and its list and campaign stay with it."""

import boto3
import pytest

from speechcall.messages.rules.message import State
from speechcall.shared.adapters.keys import campaign_key, list_in_campaign_key, list_key, message_key
from speechcall.shared.adapters.table import Values, read_item
from speechcall.shared.rules.outcome import EXPIRED
from tests.kit.http_api import NUMBER, HttpApi

DAY = 86_400
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [{"action": "hangup"}]}}
ONE = {"from": "Shop", "text": "ivr", "type": "speechcall", "menu": [MENU], "to": NUMBER, "ttl": 60}


@pytest.mark.parametrize("unreadable", [False, True])
@pytest.mark.parametrize("late_days", [0, 6, 300])
def test_a_list_and_a_campaign_stay_as_long_as_a_message_that_ends_late(made: HttpApi, late_days, unreadable):
    made.reset()
    answer = made.post({"messages": [ONE], "campaign": "spring"}).json
    mid, list_id = answer["messages"][0]["messageId"], answer["messagelistId"]
    message = made.messages.get(mid)
    assert message is not None

    def item(table: int, key: Values) -> Values:
        return read_item(boto3.client("dynamodb"), made.tables[table], key) or {}

    of_list = [list_key(list_id), list_in_campaign_key(list_id), campaign_key("acme", "spring")]
    accepted = message.created_msec // 1000
    assert item(0, message_key(mid))["expires_at"] > accepted + 366 * DAY
    now = message.created_msec + late_days * DAY * 1000
    if unreadable:
        assert made.messages.refuse_unreadable(mid, State.PREPARING, EXPIRED, now)
    else:
        assert made.messages.refuse(message, EXPIRED, None, now)
    ended = item(0, message_key(mid))
    assert ended["expires_at"] == accepted + (late_days + 30) * DAY
    assert ended["order_pk"] == f"PERSON#acme#{message.number_digest}"
    assert "due_shard" not in ended
    if not unreadable:
        assert all(item(1, key)["expires_at"] >= ended["expires_at"] for key in of_list)
