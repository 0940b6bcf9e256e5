"""The webhooks of the keys in a call's log: `logged_webhooks` gives all of them, `owed_webhooks` those that the state
machine did not queue because it ended early. `owed_opt_outs` are the opt-outs that it did not come to.
"""

from collections.abc import Iterable, Sequence

from speechcall.calls.rules.call import Call
from speechcall.menus.rules.call_log import PROMPT_ERROR, Entry
from speechcall.menus.rules.menu import Menu, OptOutStep
from speechcall.menus.rules.walk import react
from speechcall.shared.rules.ids import event_id
from speechcall.shared.rules.outcome import End
from speechcall.webhooks.rules.webhook import WebhookTask

_CAME_TO_ALL = {End.COMPLETED, End.CALLER_HUNG_UP}
"""A machine that says so has come to the end of the log, and has run the list of every entry."""


def owed_webhooks(call: Call, menus: Sequence[Menu], end: End) -> list[WebhookTask]:
    """The tasks that are still to be queued, in order, when the state machine is over with `end`.

    The machine asks a menu only when the list before it has run to its end, so the lists of all earlier entries ran.
    Of the list of its last question it may have run a part: those tasks are named too, under the ids that the machine
    gave them, and so are not sent twice. Empty for a call without a log (of an earlier release), whose machine alone
    knows what was heard.
    """
    return _tasks(call, menus, _entries_owed(call, end))


def owed_opt_outs(call: Call, menus: Sequence[Menu], end: End) -> list[OptOutStep]:
    """The opt-outs that are still to be kept when the state machine is over with `end`: of the same entries as
    `owed_webhooks`. To keep one twice changes nothing.
    """
    found = []
    for entry in _entries_owed(call, end):
        if entry.menu is not None and entry.event != PROMPT_ERROR:
            reaction = react(menus[entry.menu], entry.key or entry.event)
            actions = menus[entry.menu].actions[reaction.key] if reaction.key else ()
            found += [
                action for action in map(actions.__getitem__, reaction.opt_outs) if isinstance(action, OptOutStep)
            ]
    return found


def opt_out_at(menus: Sequence[Menu], menu: int, key: str, step: int) -> OptOutStep:
    """The opt-out at a place. Raises LookupError if there is none."""
    action = menus[menu].actions[key][step]
    if not isinstance(action, OptOutStep):
        raise LookupError(f"no opt-out in menu {menu}, {key}, step {step}")
    return action


def _entries_owed(call: Call, end: End) -> Sequence[Entry]:
    """The entries of a call's log of whose lists the machine may not have run all."""
    if not call.goes_by_log or end in _CAME_TO_ALL:
        return ()
    first_seq = max(call.seq, 2)  # entry 1 is the answer to the dial, which has no list
    return call.log[first_seq - 1 :]  # entries are numbered from 1


def logged_webhooks(call: Call, menus: Sequence[Menu]) -> list[WebhookTask]:
    """The tasks of all keys in the log, in order, whether they were queued or are going to be. None without a log."""
    return _tasks(call, menus, call.log) if call.goes_by_log else []


def entries_of_lookups(call: Call, menus: Sequence[Menu]) -> list[WebhookTask]:
    """For each entry of sensitive digits whose list ends with a lookup, a task of that list (its step is the lookup's).

    Their digits are erased when the call is over (`forget_digits`).
    """
    found = []
    for entry in call.log:
        if entry.sealed and entry.menu is not None:
            reaction = react(menus[entry.menu], entry.key or entry.event)
            if reaction.lookup and reaction.key:
                step = menus[entry.menu].actions[reaction.key].index(reaction.lookup)
                name = event_id(call.mid, call.attempt, entry.seq, entry.menu, reaction.key, step)
                found.append(WebhookTask(call.mid, call.attempt, entry.seq, entry.menu, reaction.key, step, name))
    return found


def _tasks(call: Call, menus: Sequence[Menu], entries: Iterable[Entry]) -> list[WebhookTask]:
    """The webhooks that these entries of a call's log ask for, in their order. A prompt that failed asks for none."""
    tasks = []
    for entry in entries:
        if entry.menu is None or entry.event == PROMPT_ERROR:
            continue
        reaction = react(menus[entry.menu], entry.key or entry.event)
        for step in reaction.webhooks:
            key = reaction.key or ""
            name = event_id(call.mid, call.attempt, entry.seq, entry.menu, key, step)
            tasks.append(WebhookTask(call.mid, call.attempt, entry.seq, entry.menu, key, step, name))
    return tasks
