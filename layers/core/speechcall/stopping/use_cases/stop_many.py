"""Lists, campaigns and accounts: paused, resumed, cancelled.

One write, which every claim of a line reads: no call begins after it. The rest is done later: by `carry_out_stops` for
what was cancelled; by the dialer, which passes over what is paused.

      cancel     one write: the flag, and the job ──► answered
      worker          the messages, one after the other: preparing, queued → finished, `cancelled`
      dialer     TransactWrite: a line for one of them ──X cancelled ──► finished, `cancelled`

      resume     one write: no flag ──► queues in the order again; what was held back stands in its queue ──► answered
      killed                        ──► the sweeper finds the queues within five minutes; what was held back comes
                                        back by itself within a quarter of an hour; a repeat does both at once
"""

from collections.abc import Iterable

from speechcall.messages.rules.stops import Stop, StopState
from speechcall.messages.rules.turns import Queue
from speechcall.messages.use_cases.message_ports import Brake, MessageStore
from speechcall.messages.use_cases.stop_ports import Stopped, StopStore
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.shared.rules.ids import last_id
from speechcall.shared.use_cases.clock import Clock


def resume_list(
    what: Stopped,
    held: Iterable[str],
    *,
    stops: StopStore,
    messages: MessageStore,
    clock: Clock,
) -> Stop | None:
    """Lets a list be dialled again; what was held back for its pause comes back. Returns how the list stands then.

    `held`: ids of its held-back messages, read after the write. A cancelled list stays so, and none of them comes back.
    """
    stop = stops.resume(what)
    if stop is None or stop.state is StopState.CANCELLED:
        return stop
    for mid in held:
        message = messages.get(mid)
        if message is not None and message.is_held:
            messages.promote(message, clock.now_msec())
    return stop


def resume_campaign(what: Stopped, *, stops: StopStore, turns: TurnStore, clock: Clock) -> Stop | None:
    """Lets a campaign be dialled again: its queues join the order. Returns how it stands then; None: there is none.

    A cancelled one stays so.
    """
    stop = stops.resume(what)
    if stop is None or stop.state is StopState.CANCELLED:
        return stop
    # The two for every hour also where they are not there yet: a message may be about to stand in one.
    known = [Queue(what.account_id, what.name, is_urgent) for is_urgent in (False, True)]
    _wake(
        known + [one for one in turns.all_of(what.account_id)[1] if one.campaign == what.name and one.window],
        turns,
        clock,
    )
    return stop


def resume_account(account_id: str, *, stops: StopStore, turns: TurnStore, clock: Clock) -> None:
    """Lets an account's messages be dialled again: its queues join the order."""
    stops.resume(Stopped(Brake.ACCOUNT, account_id))
    wake_account(account_id, turns=turns, clock=clock)


def wake_account(account_id: str, *, turns: TurnStore, clock: Clock) -> None:
    """Has an account's queues join the order: called also when it may hold another number of lines, because it may have
    left the order while it held all that it might.
    """
    _wake(turns.all_of(account_id)[1], turns, clock)


def reopen_queues(account_id: str, *, turns: TurnStore, clock: Clock) -> None:
    """Opens an account's shut queues now: called when its minutes or spend of a day were changed.

    They may be shut only because the day was used up. A queue whose hours are shut is shut again by the dialler.
    """
    for queue in turns.all_of(account_id)[1]:
        if queue.opens_msec:
            names = (queue.account_id, queue.campaign, queue.is_urgent)
            # As after a pause: it may have left the order, however lately it was woken.
            turns.wake(*names, clock.now_msec(), window=queue.window, was_stopped=True)


def _wake(queues: Iterable[Queue], turns: TurnStore, clock: Clock) -> None:
    """Puts queues into the order again; those whose hours are shut wait until they open."""
    for queue in queues:
        now, names = clock.now_msec(), (queue.account_id, queue.campaign, queue.is_urgent)
        turns.wake(*names, now, window=queue.window, opens_msec=queue.opens_msec, was_stopped=True)


def cancel_queue(account_id: str, *, stops: StopStore, clock: Clock) -> None:
    """Cancels all messages of an account that were accepted until now. A call in progress goes on, and is the last."""
    now = clock.now_msec()
    stops.cancel_queue(account_id, last_id(now), now)
