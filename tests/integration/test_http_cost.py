"""What a check says that calls would cost, by the rates and the parameters of the stack."""

import json

import boto3

from speechcall.money.adapters.rates_store import DynamoRates
from speechcall.money.rules.rate import ONE, Rate
from tests.kit.http_api import running_api
from tests.kit.samples import NOW

MENU = {"introUrl": "ivr_651854", "idleTimeoutMsec": 10_000, "dtmfActions": {"d1": [{"action": "hangup"}]}}
SENT = {"from": "B", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}


def test_a_check_prices_a_call_by_the_grace_of_its_stack() -> None:
    with running_api({"MessagelistFunction": {"GRACE_SECONDS": "100"}}) as api:
        DynamoRates(boto3.client("dynamodb"), api.tables[1]).add([Rate("380", 0, 0, 1, ONE)], "EUR", "a", NOW)
        answer = api.post({"messages": [SENT]}, path="/bat/messagelist/check")
    # The longest introduction, ten seconds for a key and the grace; then the telephony's patience, and the end.
    assert json.loads(answer.text)["cost"]["atMost"] == 300 + 10 + 100 + 40
