"""What `make bench` prints of a mailbox that is asked the same menu again and again."""

from benchmarks.mailbox import MOST_PROMPTS, prompts
from speechcall.menus.rules.call_log import SILENT_REPEATS
from speechcall.menus.rules.walk import MAX_VISITS


def test_a_mailbox_holds_its_line_for_three_prompts_at_most():
    assert prompts(SILENT_REPEATS) <= MOST_PROMPTS == 3


def test_before_it_held_it_for_as_many_as_a_call_may_have():
    assert prompts(MAX_VISITS) == MAX_VISITS == 50
