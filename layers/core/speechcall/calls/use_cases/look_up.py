"""Looking a contact up, when the provider's record of it may lag behind what it has told."""

from speechcall.calls.use_cases.ports import Contact, Telephony
from speechcall.shared.use_cases.clock import Clock

LOOK_AGAIN_SECONDS = (0.5, 1.0, 2.0)
"""The pauses before the next looks."""


def look_until_ended(contact_id: str, telephony: Telephony, clock: Clock, *, is_new: bool = False) -> Contact:
    """The contact, looked up again for 3.5 s as long as it does not show its end; then as it is. Raises what the
    telephony raises.

    `is_new`: one that is missing may not be known yet, and is looked up again; else it is over.
    """
    contact = telephony.look_up(contact_id)
    for pause in LOOK_AGAIN_SECONDS:
        if contact.ended and not (is_new and contact.missing):
            break
        clock.sleep(pause)
        contact = telephony.look_up(contact_id)
    return contact
