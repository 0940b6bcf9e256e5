"""A menu as a picture (Mermaid text) and in words. Of a URL only the host is shown: the rest may be secret."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from urllib.parse import urlsplit

from speechcall.menus.rules.call_log import COMPLETE, IDLE, OTHER
from speechcall.menus.rules.compile_flow import steps_run
from speechcall.menus.rules.menu import (
    ENTRIES,
    Action,
    GotoMenu,
    Hangup,
    Lookup,
    Menu,
    OptOutStep,
    Repeat,
    Webhook,
    ends_list,
)
from speechcall.menus.rules.menu_report import reachable
from speechcall.menus.rules.promise_words import digits_in_words
from speechcall.outbound.rules.address import is_url


def draw(menus: Sequence[Menu]) -> str:
    """The menus as a Mermaid flowchart: menus, what each key does, where it ends."""
    lines = ["flowchart TD", '  start(["The callee answers"]) --> m0']
    for index in sorted(reachable(menus)):
        menu = menus[index]
        lines.append(
            f'  m{index}["Menu {index}<br/>{_quoted(_intro(menu))}{_heard_out(menu)}, {_wait(menu)}{_times(menu)}"]'
        )
        for number, key in enumerate(menu.lists()):
            lines += _draw_list(index, number, _label(menu, key), steps_run(menu.actions[key]))
        if unsaid := _label(menu, None):
            lines.append(f'  m{index} -- "{unsaid}" --> hangup')
    return "\n".join([*lines, '  hangup(["Hang up"])'])


def explain(menus: Sequence[Menu], prompt_seconds: Mapping[str, float]) -> str:
    """What the callee will meet, in words; `prompt_seconds` by introduction, where it is known."""
    reached = reachable(menus)
    return "\n\n".join(_explain_menu(menu, index, index in reached, prompt_seconds) for index, menu in enumerate(menus))


def _label(menu: Menu, name: str | None) -> str:
    """What is heard for the list `name` to run; `name` None: what no list is for, so that the call is hung up.

    Empty: nothing is heard for that; of None: there is a list for everything.
    """
    if name in ENTRIES:
        return _entry(menu, name)
    cases = {"other digits" if menu.input else "another key": OTHER, "silence": IDLE}
    return ", or ".join(case for case, heard in cases.items() if menu.list_for(heard) == name)


def _entry(menu: Menu, name: str) -> str:
    return digits_in_words(menu.input) if menu.input and name == COMPLETE else name[1:]


def _draw_list(index: int, number: int, what: str, actions: Sequence[Action]) -> list[str]:
    """A list as lines of Mermaid: from the menu (`index`) through each step to where it leads.

    `number`: of the list in its menu, so that each step has a name of its own; `what`: what is heard for it to run.
    """
    lines, at = [], f"m{index}"
    label = f'-- "{what}" -->'
    for step, action in enumerate(actions):
        match action:
            case Webhook(url):
                node = f"w{index}_{number}_{step}"
                lines.append(f'  {at} {label} {node}[/"webhook to {_quoted(_host(url))}"/]')
                at, label = node, "-->"
            case OptOutStep(list_name):
                node = f"o{index}_{number}_{step}"
                lines.append(f'  {at} {label} {node}[/"opts out{f" of {list_name}" if list_name else ""}"/]')
                at, label = node, "-->"
            case GotoMenu(menu):
                return [*lines, f"  {at} {label} m{menu}"]
            case Lookup():
                node = f"l{index}_{number}_{step}"
                lines.append(f'  {at} {label} {node}{{{{"asks {_quoted(_host(action.url))}"}}}}')
                leads = [*action.cases.items(), ("else", action.otherwise)]
                return [*lines, *(f'  {node} -- "{_quoted(case)}" --> m{menu}' for case, menu in leads)]
            case Hangup():
                return [*lines, f"  {at} {label} hangup"]
            case _:
                assert_never(action)
    return [*lines, f"  {at} {label} hangup"]


def _explain_menu(menu: Menu, index: int, reached: bool, prompt_seconds: Mapping[str, float]) -> str:
    """A menu in words; `reached`: whether a call can come to it."""
    length = prompt_seconds.get(menu.intro)
    heard = f"{_intro(menu)}{f' ({length:.1f} s)' if length is not None else ''}"
    lines = [f"Menu {index}: the callee hears {heard}, and then has {_wait(menu)} to {_does(menu)}."]
    if not menu.barge_in:
        lines[0] += " A key that is pressed before is not taken."
    if menu.repeat:
        lines[0] += _explain_repeat(menu.repeat)
    if not reached:
        lines[0] += " No key leads here, so it is never heard."
    for key in menu.lists():
        who = _who(menu, key) if key in ENTRIES else _without_a_key(menu, key)
        lines.append(f"  {who}: {_explain_list(menu.actions[key])}")
    if unsaid := _without_a_key(menu, None):
        lines.append(f"  {unsaid}: the call is hung up.")
    return "\n".join(lines)


def _explain_list(actions: Sequence[Action]) -> str:
    """A list of actions in words, as far as it runs."""
    words = []
    for action in steps_run(actions):
        match action:
            case Webhook(url):
                words.append(f"{_host(url)} is told")
            case OptOutStep(list_name):
                words.append(f"the number opts out of {f'the list {list_name}' if list_name else 'all calls'}")
            case GotoMenu(menu):
                words.append(f"menu {menu} follows")
            case Lookup():
                cases = "".join(f'menu {menu} follows if it says "{case}", ' for case, menu in action.cases.items())
                wait = f"{action.timeout_msec / 1000:g} s"
                words.append(f"{_host(action.url)} is asked, for {wait} at most: {cases}else menu {action.otherwise}")
            case Hangup():
                words.append("the call is hung up")
            case _:
                assert_never(action)
    if not actions or not ends_list(steps_run(actions)[-1]):
        words.append("the call is hung up")
    return ", then ".join(words) + "."


def _does(menu: Menu) -> str:
    if menu.input is None:
        return "press a key"
    return f"begin with {digits_in_words(menu.input)} ({menu.input.inter_digit_seconds} s for each next key)"


def _who(menu: Menu, name: str) -> str:
    return f"{'' if menu.input else 'Key '}{_entry(menu, name)}"


def _without_a_key(menu: Menu, name: str | None) -> str:
    """As `_label`, of a list that no key has, or None; at the beginning of a sentence."""
    other = "Any other digits" if menu.input else "Any other key"
    is_other, is_silence = menu.list_for(OTHER) == name, menu.list_for(IDLE) == name
    if is_other and is_silence:
        return f"{other}, or none"
    return other if is_other else "No key" if is_silence else ""


def _wait(menu: Menu) -> str:
    return f"{menu.idle_seconds} s"


def _times(menu: Menu) -> str:
    """How often a menu is asked, where that is more than once."""
    return f", {menu.repeat.times + 1} times" if menu.repeat else ""


def _heard_out(menu: Menu) -> str:
    return "" if menu.barge_in else " (no key before its end)"


def _explain_repeat(repeat: Repeat) -> str:
    times = "once more" if repeat.times == 1 else f"up to {repeat.times} times more"
    other = f", with {_intro(repeat)}" if repeat.intro else ""
    return f" Without a key in time this is asked {times}{other}."


def _intro(plays: Menu | Repeat) -> str:
    if plays.say:
        return f"{plays.say.voice} speak a text ({plays.say.language})"
    if plays.play:
        return f"a prompt of {len(plays.play)} parts"
    return f"audio from {_host(plays.intro)}" if is_url(plays.intro) else plays.intro


def _host(url: str) -> str:
    return urlsplit(url).hostname or "an address"


def _quoted(text: str) -> str:
    """Text inside a Mermaid label."""
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
