"""Every bound of a call's time that others are derived from, in one place. Seconds.

    the machine      │ before the dial │ until no menu may begin │ last menu │ its list │ hang up │ finish │
    the call               │ rings │ talks ...                            │          │    dead │
    tests/unit/test_time_bounds.py holds what must be longer than what.

Bounds that only one part knows (a client's patience, a poll's pause) stand where they are used.
"""

from enum import Enum
from typing import assert_never

from speechcall.shared.rules.timing import MAX_IDLE_TIMEOUT_MSEC

MIN_RING_SECONDS, MAX_RING_SECONDS = 15, 60
"""Amazon Connect: RingTimeoutInSeconds, 15 to 60 (API reference, StartOutboundVoiceContact)."""


class Ringing(Enum):
    """Who ends the ringing of an unanswered phone."""

    OURS = "ours"
    """We do, when `ringTimeoutSec` and an allowance for the call's start have passed."""
    PROVIDERS = "provider's"
    """The provider does, which is told the time."""
    NETWORKS = "network's"
    """The network alone: neither is the provider told, nor can it stop a phone that rings."""


FUNCTION_SECONDS = 30
"""A function of the state machine runs no longer than this (template.yaml, Globals)."""
LONGEST_PROMPT_SECONDS = 300
"""Amazon Connect plays no longer file (administrator guide, "Set up prompts to play from an S3 bucket")."""
MOST_STEPS = 10
"""Actions of one list."""

RETRY_FIRST_SECONDS, RETRY_FACTOR, RETRY_LONGEST_SECONDS = 1, 2.0, 30
"""Between the tries of a state: 1, 2, 4, 8, 16, 30, 30 … seconds."""
COMMAND_RETRIES, WEBHOOK_RETRIES, FINISH_RETRIES = 3, 6, 8
QUEUE_LOST_SECONDS = 900
"""How late a queue may bring a webhook that it was given before it is taken to have lost it."""
QUEUE_SECONDS = 5
"""One request of Step Functions to a queue, or that an opt-out be kept, at most."""

LOOKUP_SECONDS, LOOKUP_RETRIES = 10, 1
"""For which the machine waits for the function that makes a lookup, and how often it is tried again. The function
itself waits for a receiver for 5 s at most, less what has passed since the key."""
WAIT_PROMPT_SECONDS = 1
"""What a callee hears during a lookup, once; between two of these it is asked what was decided."""

HANG_UP_SECONDS = 10
"""For which the machine waits for the news that a call it has hung up is over."""

REPORT_TRIES, REPORT_LIMIT_SECONDS, REPORT_HOLD_SECONDS = 4, 8, 1
"""A report of the contact flow: so often, each time so long, with so much silence between."""

DEFAULT_GRACE_SECONDS, MOST_GRACE_SECONDS = 40, 100
DEFAULT_CALL_SECONDS, MOST_CALL_SECONDS = 900, 1200
"""The stack's parameters GraceSeconds and MaxCallSeconds."""

DIAL_MARGIN_SECONDS = 45
"""How much longer than a phone rings the state machine waits for it, where others end its ringing."""
DEFAULT_ALLOWANCE_SECONDS, MOST_ALLOWANCE_SECONDS = 20, 60
"""How much longer than a phone may ring we wait before we end it: a call takes 5 to 12 s before anything rings, and our
own function and Amazon Connect's queue their time before that."""
MAY_RING_SECONDS = 75
"""No phone rings for longer than 60 s (StartOutboundVoiceContact, RingTimeoutInSeconds); the rest is for its start."""

SETTLING_SECONDS, SWEEP_SECONDS = 300, 60
"""How long it is asked again why a call has ended whose record does not say it yet, and how often at least: a change
"in some cases … can take several minutes" to be seen (Amazon Connect developer guide, "Eventual consistency")."""

CALL_CHECK_SECONDS = 26 * 60
"""How often the sweeper asks whether the execution of a call still runs."""


def pauses(retries: int) -> float:
    """What a state waits between its tries, all together."""
    return sum(min(RETRY_FIRST_SECONDS * RETRY_FACTOR**number, RETRY_LONGEST_SECONDS) for number in range(retries))


def dial_wait_seconds(ring_seconds: int, ringing: Ringing, allowance_seconds: int = DEFAULT_ALLOWANCE_SECONDS) -> int:
    """How long the state machine waits for an answer before it asks what has become of the call.

    `ring_seconds`: for how long the message lets a phone ring. `allowance_seconds`: where we end the ringing, how much
    longer we wait.
    """
    match ringing:
        case Ringing.OURS:
            return ring_seconds + allowance_seconds
        case Ringing.PROVIDERS:
            return ring_seconds + DIAL_MARGIN_SECONDS
        case Ringing.NETWORKS:
            return MAX_RING_SECONDS + DIAL_MARGIN_SECONDS
        case _:
            assert_never(ringing)


def report_seconds() -> int:
    """How long the contact flow may try to tell what it has heard, before it gives up."""
    return REPORT_TRIES * REPORT_LIMIT_SECONDS + (REPORT_TRIES - 1) * REPORT_HOLD_SECONDS


def execution_seconds(max_call_seconds: int, grace_seconds: int) -> int:
    """The time limit of a state machine: longer than any call under the stack's parameters can take.

    It is a net under everything else, so it must not catch a call that is all right: such a call would be cut off
    in the middle of a menu. Every state is taken at its slowest, with all its tries.
    """
    failed_tries = COMMAND_RETRIES * FUNCTION_SECONDS + pauses(COMMAND_RETRIES)
    before_dial = failed_tries + FUNCTION_SECONDS
    talks = max(max_call_seconds, MAX_RING_SECONDS + max(DIAL_MARGIN_SECONDS, MOST_ALLOWANCE_SECONDS))
    last_menu = failed_tries + LONGEST_PROMPT_SECONDS + MAX_IDLE_TIMEOUT_MSEC / 1000 + grace_seconds
    asks_outcome = failed_tries + FUNCTION_SECONDS
    steps = MOST_STEPS * ((1 + WEBHOOK_RETRIES) * QUEUE_SECONDS + pauses(WEBHOOK_RETRIES))
    # Where the last list leads to a menu, the machine comes to it before it is told that no menu may begin any more.
    refused_menu = failed_tries + FUNCTION_SECONDS
    hangs_up = failed_tries + max(HANG_UP_SECONDS, FUNCTION_SECONDS)
    finishes = (1 + FINISH_RETRIES) * FUNCTION_SECONDS + pauses(FINISH_RETRIES)
    return round(before_dial + talks + last_menu + asks_outcome + steps + refused_menu + hangs_up + finishes)


def lookup_seconds() -> int:
    """How much longer a machine may take whose last list has a lookup, at its slowest, with all tries.

    It asks the receiver, and then, if that failed, control_call what was decided.
    """
    asks_receiver = (1 + LOOKUP_RETRIES) * LOOKUP_SECONDS + pauses(LOOKUP_RETRIES)
    asks_outcome = (1 + COMMAND_RETRIES) * FUNCTION_SECONDS + pauses(COMMAND_RETRIES)
    return round(asks_receiver + asks_outcome)


LONGEST_EXECUTION_SECONDS = execution_seconds(MOST_CALL_SECONDS, MOST_GRACE_SECONDS) + lookup_seconds()
GIVE_UP_SECONDS = 70 * 60
"""After its line was taken a message is finished whatever goes wrong: no execution lasts so long, nor any call."""
