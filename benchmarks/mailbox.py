"""How long a mailbox holds a line of a message whose silence leads to the same menu again. `make bench`.

Reckoned by the reference walk that every compiled state machine is held to (domain/walk.py).
"""

from itertools import repeat

from speechcall.menus.rules.call_log import SILENT_REPEATS
from speechcall.menus.rules.menu import WRONG, GotoMenu, Menu
from speechcall.menus.rules.walk import MAX_VISITS, Behaviour, walk

MENU = Menu(intro="ivr", idle_timeout_msec=10_000, actions={WRONG: (GotoMenu(0),)})
PROMPT_SECONDS = 5.0
MOST_PROMPTS = 3


def prompts(silent_repeats: int) -> int:
    """How many prompts are played to a callee who never presses a key."""
    return len(walk((MENU,), repeat(Behaviour("idle"), 2 * MAX_VISITS), MAX_VISITS, silent_repeats).menus)


def main() -> None:
    """Print prompts and seconds, before silence ended a call and now."""
    seconds = PROMPT_SECONDS + MENU.idle_timeout_msec / 1000
    print(f"\nA mailbox on `wrong: gotoMenu 0`, a prompt of {PROMPT_SECONDS:.0f} s and an idle timeout of 10 s")
    for when, found in (("before", prompts(MAX_VISITS)), ("now", prompts(SILENT_REPEATS))):
        print(f"{when:<10}{found:>4} prompts, its line for {found * seconds:>4.0f} s")
    if prompts(SILENT_REPEATS) > MOST_PROMPTS:
        raise RuntimeError("silence does not end the call")


if __name__ == "__main__":
    main()
