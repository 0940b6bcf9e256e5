"""A call with a lookup is read by the release before: its functions hold, then ask the menu that the machine asks."""

import json
import os
import subprocess
import sys

import pytest

from speechcall.calls.adapters.call_items import dump_call, dump_command, dump_decided, dump_entry
from speechcall.calls.rules.call import Bounds, Command, Kind
from speechcall.calls.use_cases.obey_log import plan_of
from speechcall.menus.rules.menu import GotoMenu, Hangup, Lookup, Menu
from tests.kit.releases.git_tree import NoHistoryError, unpack_previous
from tests.kit.samples import ASK, CALL, NOW, message

MENUS = (
    Menu("intro", 5000, {"d1": (Lookup("https://shop.example/lookup", {"paid": 1}, 2),), "d2": (GotoMenu(1),)}),
    Menu("intro", 5000, {"wrong": (Hangup(),)}),
    Menu("intro", 5000, {"wrong": (Hangup(),)}),
)
TOLD = """
import json, sys
from speechcall.calls.adapters.call_items import load_call
from speechcall.calls.use_cases.report import told_by_log
from speechcall.menus.rules.call_log import follows
told = []
for item in json.load(sys.stdin):
    call = load_call(item)
    step = told_by_log(call, 2, %d)
    then = follows(call.plan, call.log[:1], 0, "key", "d1", call.dialled_msec)
    told.append([step.op, step.seq, step.command.menu if step.command else None, then.kind])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    try:
        return unpack_previous(tmp_path_factory.mktemp("previous"))
    except NoHistoryError as error:
        pytest.skip(f"the previous release cannot be had: {error}")


def test_a_table_with_a_lookup_is_obeyed_by_the_release_before(previous):
    # Given a call that was asked menu 0, in which key 1 was pressed
    plan = plan_of(message("1", menus=MENUS), Bounds(50, 900), NOW)
    call = CALL._replace(asks=(ASK,) * 3, plan=plan, contact_id="contact-1")
    for seq, event, key in ((1, "answered", ""), (2, "key", "d1")):
        call = call.with_entry(call.would_log(seq, event, key, NOW))
    waits = {**dump_call(call), "log_entries": [dump_entry(entry) for entry in call.log], "log_seq": 2, "seq": 2}
    # When the lookup is decided, and when the machine has come to the menu
    decided = waits | {"decided": [dump_decided(call.would_decide(2, NOW, "paid", 1))], "decided_seq": 2}
    asked = decided | {"seq": 3, "command": dump_command(Command(Kind.ASK, 1))}
    # Then the release before holds until then, and asks that menu
    ran = subprocess.run(
        [sys.executable, "-c", TOLD % NOW],
        input=json.dumps([waits, decided, asked]),
        env={**os.environ, "PYTHONPATH": str(previous / "layers" / "core")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert json.loads(ran.stdout) == [
        ["hold", 2, None, "wait"],
        ["hold", 2, None, "wait"],
        ["ask", 3, 1, "wait"],
    ]
