"""Who has called whom, in DynamoDB: each attempt stands under the digest of its number as soon as it is dialled."""

import pytest

from speechcall.callbacks.adapters.called_numbers import DynamoCalledNumbers
from speechcall.callbacks.adapters.uploaded_audio import DynamoUploadedAudio
from speechcall.callbacks.use_cases.answer_call_back import LastCall
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from tests.kit.samples import ASK, CALL, NOW, message
from tests.kit.store_samples import EXPIRES

HER, HIS = "a" * 64, "b" * 64


@pytest.fixture
def called(dynamodb):
    return DynamoCalledNumbers(dynamodb.client, dynamodb.messages_table)


def dialled(stores, mid, digest=HER, attempt=1, at=NOW, **fields):
    """A message that is called, as control_call writes it."""
    if attempt == 1:
        stores.messages.add([message(mid, number_digest=digest, **fields)])
    stores.calls.open(CALL._replace(mid=mid, attempt=attempt, dialled_msec=at, number_digest=digest), EXPIRES)


def test_the_last_call_to_a_number_is_found(dynamodb, called):
    dialled(dynamodb, "7", at=NOW, sender="Old", account_id="other")
    dialled(dynamodb, "9", at=NOW + 2, sender="Shop")
    dialled(dynamodb, "8", at=NOW + 1)
    dialled(dynamodb, "6", HIS, at=NOW + 9)
    assert called.last_call(HER) == LastCall("9", "acme", "Shop", HER)
    # A redial of the first is the last call from then on.
    dialled(dynamodb, "7", attempt=2, at=NOW + 3)
    assert called.last_call(HER) == LastCall("7", "other", "Old", HER)


def test_a_message_that_waits_for_its_next_call_is_still_the_last_one_that_called(dynamodb, called):
    dialled(dynamodb, "7", sender="Shop")
    assert dynamodb.messages.queue(dynamodb.messages.get("7"), (ASK,), NOW)
    assert called.last_call(HER).mid == "7"


def test_a_number_that_nobody_has_called_or_whose_message_is_gone_is_not_known(dynamodb, called):
    assert called.last_call(HER) is None
    assert called.call_of("7") is None
    dynamodb.calls.open(CALL._replace(mid="7", number_digest=HER), EXPIRES)
    assert called.last_call(HER) is None


def test_what_a_release_without_digests_has_dialled_is_found_by_nobody(dynamodb, called):
    dialled(dynamodb, "7", digest="")
    items = dynamodb.client.scan(TableName=dynamodb.messages_table)["Items"]
    assert not any("order_pk" in item for item in items)
    assert called.call_of("7").digest == ""


def test_a_call_that_is_found_goes_on_as_any_other(dynamodb):
    dialled(dynamodb, "7")
    assert dynamodb.calls.get("7", 1) == CALL._replace(mid="7", number_digest=HER)


def test_uploaded_audio_is_played_until_it_is_removed(dynamodb):
    audio = DynamoUploadedAudio(dynamodb.client, dynamodb.registry_table)
    prompts = DynamoPrompts(dynamodb.client, dynamodb.registry_table)
    assert audio.uri_of("acme", "who") == ""
    prompts.put("acme", KnownPrompt("who", Prompt("https://b.s3/who.wav", 2), NOW))
    assert audio.uri_of("acme", "who") == "https://b.s3/who.wav"
    assert audio.uri_of("other", "who") == ""
    prompts.mark_removed("acme", "who")
    assert audio.uri_of("acme", "who") == ""
