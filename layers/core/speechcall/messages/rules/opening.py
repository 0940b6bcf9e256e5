"""When a message may be dialled, for those who write down where it waits."""

from speechcall.messages.rules.dial_times import NO_CAPS, Caps
from speechcall.messages.rules.message import Message


def opens_later_msec(message: Message, now_msec: int) -> int:
    """The later moment at which its hours open; 0: they are open, or it has none, or they stay shut for two months."""
    if not message.hours:
        return 0
    # Most messages have no hours: their functions need not load it.
    from speechcall.messages.rules.when_to_dial import next_opening_msec  # noqa: PLC0415

    opens = next_opening_msec(message.hours, now_msec)
    return opens if opens is not None and opens > now_msec else 0


def redial_at_msec(message: Message, wished_msec: int, now_msec: int, caps: Caps = NO_CAPS) -> int | None:
    """When a message that was just dialled is dialled again; None: not before its time is up.

    At `wished_msec`, or later: when its hours are open and `caps` allow one more call.
    """
    if not message.hours:
        again = max(wished_msec, now_msec, caps.allow_msec)
        return again if again < message.dial_until_msec else None
    from speechcall.messages.rules.when_to_dial import Dialable, next_dial  # noqa: PLC0415, as above

    when = next_dial(message.dial_times, now_msec, redial_msec=wished_msec, caps=caps)
    return when.at_msec if isinstance(when, Dialable) else None
