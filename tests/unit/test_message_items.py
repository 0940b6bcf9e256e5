"""A message's item, from one release to the next."""

from speechcall.dialling.use_cases.dial_messages import execution_input
from speechcall.messages.adapters.message_items import dump, load
from tests.kit.samples import MESSAGE

CLAIMED_BEFORE = dump(MESSAGE) | {"state": "calling", "attempt": 2, "flow_arn": "arn:before"}
CLAIMED = dump(MESSAGE) | {"state": "calling", "attempt": 1, "machine_arn": "arn:now", "dial_wait_seconds": 50}


def test_a_message_that_the_release_before_has_claimed_runs_on_its_machine_with_its_waits():
    message = load(CLAIMED_BEFORE)
    assert message.flow_arn == "arn:before"
    assert message.dial_wait_seconds is None
    assert execution_input(message, 2)["waits"]["dial"] == message.ring_seconds + 45


def test_a_message_of_ours_has_its_own():
    message = load(CLAIMED)
    assert message.flow_arn == "arn:now"
    assert message.dial_wait_seconds == 50


def test_a_redial_after_a_roll_back_is_that_of_the_release_before():
    """What our claim of the first attempt wrote down stands in the item still."""
    message = load(CLAIMED | {"attempt": 2, "flow_arn": "arn:before"})
    assert message.flow_arn == "arn:before"
    assert message.dial_wait_seconds is None
    assert execution_input(message, 2) == execution_input(load(CLAIMED_BEFORE), 2)


def test_a_message_that_nobody_has_claimed_has_no_machine():
    assert load(dump(MESSAGE)).flow_arn is None
