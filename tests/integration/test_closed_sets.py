"""A new member of a closed set is a list of type errors: one for each place that has to know it."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "core"
LAPTOP = "local/cloud/simulated_providers.py"


@dataclass(frozen=True)
class Set:
    """A closed set: where it is, what is written there, and what with a member that nothing knows."""

    path: str
    written: str
    made_up: str
    member: str
    """As mypy names it."""
    known_to: dict[str, set[str]]
    """Who has to know each member: functions, by module."""


SETS = {
    "actions": Set(
        "speechcall/menus/rules/menu.py",
        "Action = Webhook | Hangup | GotoMenu | OptOutStep | Lookup\n",
        '''@dataclass(frozen=True, slots=True)
class Pause:
    """An action that nothing knows."""

    seconds: int


Action = Webhook | Hangup | GotoMenu | OptOutStep | Lookup | Pause
''',
        "Pause",
        {
            "speechcall/menus/rules/menu.py": {"ends_list", "targets_of", "_dump_action"},
            "speechcall/menus/rules/walk.py": {"react"},
            "speechcall/menus/rules/compile_flow.py": {"_menu_states", "_step_target"},
            "speechcall/menus/rules/shape.py": {"_number"},
            "speechcall/menus/rules/menu_picture.py": {"_draw_list", "_explain_list"},
            "speechcall/menus/rules/promise.py": {"is_sent_by"},
            "speechcall/menus/rules/compare_menus.py": {"_acts_outside"},
            "speechcall/menus/rules/difference_words.py": {"_effect"},
            "speechcall/requests/use_cases/judge_promises.py": {"_trait"},
        },
    ),
    "commands": Set(
        "speechcall/calls/rules/call.py",
        '    HANG_UP = "hang_up"\n',
        '    HANG_UP = "hang_up"\n    PLAY = "play"\n',
        "Kind.PLAY",
        {
            "speechcall/calls/rules/call.py": {"asks", "known_reply"},
            "speechcall/calls/use_cases/report.py": {"op_of"},
            "speechcall/calls/use_cases/control_call.py": {"handle"},
            "speechcall/calls/use_cases/end_call.py": {"tell_end"},
        },
    ),
    "next steps": Set(
        "speechcall/calls/use_cases/report.py",
        '    GO_ON = "go_on"\n',
        '    GO_ON = "go_on"\n    RECORD = "record"\n',
        "Op.RECORD",
        {
            "speechcall/calls/use_cases/report.py": {"told_by_log"},
            "speechcall/telephony/connect/conversation.py": {"render_next"},
            "speechcall/telephony/chime/actions.py": {"render_next"},
            "speechcall/telephony/simulated/events.py": {"_after"},
        },
    ),
    "causes": Set(
        "speechcall/calls/rules/call.py",
        '    THROTTLED = "throttled"\n',
        '    THROTTLED = "throttled"\n    MACHINE = "machine"\n',
        "Cause.MACHINE",
        {"speechcall/calls/rules/end_of_call.py": {"_outcome_of_unanswered"}},
    ),
    "outcomes": Set(
        "speechcall/shared/rules/outcome.py",
        '    "optedOut",\n]',
        '    "optedOut",\n    "voicemail",\n]',
        "Literal['voicemail']",
        {
            "speechcall/messages/rules/dial_times.py": {"may_redial"},
            "speechcall/messages/rules/fallback.py": {"calls_for"},
            "speechcall/status/use_cases/status.py": {"_status_of"},
        },
    ),
    "providers": Set(
        "speechcall/telephony/provider.py",
        '    CHIME = "chime"\n',
        '    CHIME = "chime"\n    PIGEON = "pigeon"\n',
        "ProviderName.PIGEON",
        {
            "speechcall/telephony/provider.py": {"provider"},
            LAPTOP: {"simulated"},
        },
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[tuple[str, str, str]]:
    """What mypy says when every set has a member more: the member, the module and the function. One run for all."""
    folder = tmp_path_factory.mktemp("closed")
    shutil.copytree(LAYER / "speechcall", folder / "speechcall", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / LAPTOP).parent.mkdir(parents=True)
    shutil.copy(ROOT / LAPTOP, folder / LAPTOP)
    for one in SETS.values():
        path = folder / one.path
        text = path.read_text(encoding="utf-8")
        assert text.count(one.written) == 1
        path.write_text(text.replace(one.written, one.made_up), encoding="utf-8")
    modules = sorted({path for one in SETS.values() for path in (one.path, *one.known_to)})
    said = errors(folder, *modules)
    return [(member, path, function_at(folder / path, line)) for path, line, member in said]


@pytest.mark.parametrize("name", SETS)
def test_mypy_lists_every_place_that_a_new_member_must_be_known_to(name, found):
    one = SETS[name]
    places: dict[str, set[str]] = {}
    for path, function in [place for member, *place in found if member == one.member]:
        places.setdefault(path, set()).add(function)
    assert places == one.known_to


def test_and_says_nothing_else(found):
    assert {member for member, *_ in found} == {one.member for one in SETS.values()}


def errors(folder: Path, *modules: str) -> list[tuple[str, int, str]]:
    """Path, line and unknown member of each member that modules do not know.

    What they import is not followed: that costs most of the time, and it is sound. So mypy has more to say, of types
    that it does not see; `make check` has shown that there is nothing in it.
    """
    names = [option for module in modules for option in ("-m", module[:-3].replace("/", "."))]
    options = ["--explicit-package-bases", "--namespace-packages", "--config-file=", "--follow-imports=skip"]
    mypy = [sys.executable, "-m", "mypy", *options, *names]
    said = subprocess.run(mypy, cwd=folder, capture_output=True, text=True, check=False)
    assert not said.stderr, said.stderr
    assert said.returncode == 1, said.stdout  # 2: it could not read them
    told = r'^(\S+?):(\d+): error: Argument 1 to "assert_never" has incompatible type "(.+?)"; expected "Never"'
    lines = re.findall(told, said.stdout, re.MULTILINE)
    return [(path, int(line), re.sub(r"^Literal\[(\w+\.\w+)\]$", r"\1", member)) for path, line, member in lines]


def function_at(path: Path, line: int) -> str:
    """The name of the function or method that a line belongs to."""
    above = path.read_text(encoding="utf-8").splitlines()[:line]
    return next(found[1] for one in reversed(above) if (found := re.match(r"(?:    )?def (\w+)", one)))
