"""What became of a promise, in words: the keys of a call that breaks it, and what this call does."""

from collections.abc import Sequence
from typing import assert_never

from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import COMPLETE, IDLE, OTHER, PROMPT_ERROR
from speechcall.menus.rules.call_space import HANG_UP
from speechcall.menus.rules.compile_flow import steps_run
from speechcall.menus.rules.menu import Menu
from speechcall.menus.rules.monitor import monitor_of
from speechcall.menus.rules.promise import (
    AlwaysLeads,
    AlwaysMenus,
    AlwaysSeconds,
    AlwaysSent,
    Ending,
    LeadsTo,
    NeverBoth,
    NeverBy,
    NeverEnds,
    NeverSent,
    NeverTwice,
    NeverWithout,
    Rule,
)
from speechcall.menus.rules.prove import Broken, Result, Step, Verdict
from speechcall.menus.rules.walk import CallLimits

_HEARD = {
    COMPLETE: "digits",
    IDLE: "silence",
    OTHER: "another key",
    HANG_UP: "hangs up",
    PROMPT_ERROR: "the introduction cannot be played",
}


_BEGINNING, _END = 6, 4


def keys_in_words(steps: Sequence[Step]) -> str:
    """A call's keys: `menu 0: 2 → menu 1: silence`. Of a long call the beginning and the end."""
    more = len(steps) - _BEGINNING - _END
    told = [*steps[:_BEGINNING], *steps[-_END:]] if more > 1 else steps  # "1 more" would be no shorter than the step
    words = [f"menu {one.menu}: {_heard(one)}" for one in told]
    if more > 1:
        words.insert(_BEGINNING, f"{more} more")
    return " → ".join(words) or "the call begins"


def _heard(step: Step) -> str:
    return heard_in_words(step.heard) + case_in_words(step.case) + (", then hangs up" if step.hangs_up_after else "")


def case_in_words(case: str | None) -> str:
    """What a lookup has come to, behind what was heard; None: there was none."""
    return "" if case is None else f', and the answer is "{case}"' if case else ", and no case is answered"


def heard_in_words(heard: str) -> str:
    """What is heard in a menu, for people."""
    return _HEARD.get(heard, heard.removeprefix("d"))


def digits_in_words(asked: Input) -> str:
    """Which digits a menu asks for: `4 digits`, `4 to 8 digits, then #`."""
    least, most = asked.min_digits, asked.max_digits
    if least == most:
        return f"{most} {'digit' if most == 1 else 'digits'}"
    return f"{least} to {most} digits, then {asked.end_key}"


def place_of(menus: Sequence[Menu], rule: Rule, broken: Broken) -> str:
    """Where in the message a promise is broken, as a path: to an action, its list, or else the menu.

    Without steps it is broken when the call begins: by menu 0.
    """
    if isinstance(rule, AlwaysLeads) and broken.asks is not None:
        return f"menu[{broken.asks}]"
    if not broken.steps:
        return "menu[0]"
    last = broken.steps[-1]
    key = None if last.heard in (HANG_UP, PROMPT_ERROR) else menus[last.menu].list_for(last.heard)
    if key is None:
        return f"menu[{last.menu}]"
    offends = monitor_of(rule, menus).offends
    actions = steps_run(menus[last.menu].actions[key])
    # Of several the last one: what came before it may have been allowed.
    at = next((place for place in reversed(range(len(actions))) if offends and offends(actions[place])), None)
    where = f"menu[{last.menu}].dtmfActions.{key}"
    return where if at is None else f"{where}[{at}]"


def what_it_does(rule: Rule, broken: Broken) -> str:
    """What the call does that it should not; completes "menu 0: 2 → menu 1: silence, ..."."""
    match rule:
        case NeverSent(webhook):
            return f'and a webhook to "{webhook.text}" is sent'
        case NeverWithout(webhook, keys):
            return f'and a webhook to "{webhook.text}" is sent, though {_none_of(keys)} pressed before'
        case NeverBy(webhook, _):
            last = broken.steps[-1]
            by = "silence" if last.heard == IDLE else "a key without a list" if last.heard == OTHER else "that key"
            return f'and a webhook to "{webhook.text}" is sent by {by}'
        case NeverBoth(webhooks):
            return f'and both "{webhooks[0].text}" and "{webhooks[1].text}" have been sent'
        case NeverTwice(webhook):
            return f'and "{webhook.text}" has been sent twice'
        case NeverEnds():
            return f"and {_ends(broken.ending)}"
        case AlwaysSent(webhook, within, after, _):
            menus = f" within {within} {'menu' if within == 1 else 'menus'}" if within else ""
            behind = f' behind "{after.text}"' if after else ""
            end = f", and {_ends(broken.ending)}" if broken.ending else ""
            return f'and no webhook to "{webhook.text}" has been sent{behind}{menus}{end}'
        case AlwaysLeads(key, _, to):
            if key is None:
                return f"and menu {broken.asks} is asked, in which no key leads to {_target(to)}"
            return f"and {heard_in_words(key)} does not lead to {_target(to)}"
        case AlwaysMenus(most):
            return f"and menu {broken.asks} is asked, which is one more than {most}"
        case AlwaysSeconds(most):
            return f"and it takes {broken.msec / 1000:g} s, which is more than {most} s"
        case _:
            assert_never(rule)


def _call(rule: Rule, verdict: Verdict) -> str:
    found = verdict.broken or Broken((), None)
    return f"{keys_in_words(found.steps)}, {what_it_does(rule, found)}"


def _none_of(keys: Sequence[str]) -> str:
    names = [heard_in_words(key) for key in keys]
    return f"{names[0]} was not" if len(names) == 1 else f"none of {', '.join(names)} was"


def _ends(ending: Ending | None) -> str:
    """How a call ends, in words. A call whose end breaks nothing has None there, and is not told by its end."""
    match ending:
        case Ending.COMPLETED | None:
            return "the call is hung up"
        case Ending.CALLER_HUNG_UP:
            return "the callee hangs up"
        case Ending.PROMPT_UNAVAILABLE:
            return "the call is ended, since nothing can be played"
        case Ending.SILENCE:
            return "the call is ended for silence"
        case Ending.LIMIT:
            return "the call is ended at the stack's limit"
        case _:
            assert_never(ending)


def _target(to: LeadsTo) -> str:
    """Where a key has to lead, in words."""
    if to.webhook is not None:
        return f'a webhook to "{to.webhook.text}"'
    if to.opts_out:
        return "an opt-out"
    return "the end of the call" if to.hangs_up else f"menu {to.menu}"


def explain(rule: Rule, verdict: Verdict, limits: CallLimits) -> str:
    """The verdict in a sentence. A proof says for which limits of the stack it is one."""
    match verdict.result:
        case Result.PROVED:
            bounds = f"{limits.visits} menus, {limits.seconds} s and {limits.silent_repeats} silent repeats"
            text = f"holds in every call of at most {bounds}"
            if verdict.fits_nothing:
                text += f'; but no webhook here fits "{verdict.fits_nothing[0]}": is it written as the URL is?'
            if verdict.not_asked:
                text += f"; but no call asks menu {verdict.not_asked[0]}"
            return text
        case Result.BROKEN:
            return f"is broken: {_call(rule, verdict)}"
        case Result.UNDECIDED if verdict.lengths:
            menus = " and ".join(f"menu {one}" for one in verdict.lengths[:2])
            unknown = f"cannot be decided while the length of the introduction of {menus} is not known"
            return f"{unknown}; what may break it: {_call(rule, verdict)}"
        case Result.UNDECIDED:  # the state that was one too many is counted in `states`
            return f"cannot be decided within {max(verdict.states - 1, 0)} states"
        case _:
            assert_never(verdict.result)
