"""A new member of a closed set is a list of type errors: one for each place that has to know it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "core" / "speechcall"
UNION = "Action = Webhook | Hangup | GotoMenu\n"
MADE_UP = f'''@dataclass(frozen=True, slots=True)
class Pause:
    """An action that nothing knows."""

    seconds: int


{UNION.rstrip()} | Pause
'''
WHO_HAS_TO_KNOW_IT = {
    "menus/rules/menu.py": {"ends_list", "target_of", "_dump_action"},
    "menus/rules/walk.py": {"react"},
    "menus/rules/compile_flow.py": {"_menu_states", "_step_target"},
    "menus/rules/shape.py": {"_number"},
    "menus/rules/menu_picture.py": {"_draw_list", "_explain_list"},
}


def test_mypy_lists_every_place_that_a_new_action_must_be_known_to(tmp_path):
    copy = tmp_path / "speechcall"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    menu = copy / "menus" / "rules" / "menu.py"
    text = menu.read_text(encoding="utf-8")
    assert UNION in text
    menu.write_text(text.replace(UNION, MADE_UP), encoding="utf-8")
    found: dict[str, set[str]] = {}
    for path, line in errors(tmp_path, *WHO_HAS_TO_KNOW_IT):
        found.setdefault(path, set()).add(function_at(copy / path, line))
    assert found == WHO_HAS_TO_KNOW_IT


def errors(folder: Path, *modules: str) -> list[tuple[str, int]]:
    """Path and line of each error that mypy has to say about modules of a copy of the package."""
    names = [option for module in modules for option in ("-m", f"speechcall.{module[:-3].replace('/', '.')}")]
    mypy = [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "--config-file=", *names]
    said = subprocess.run(mypy, cwd=folder, capture_output=True, text=True, check=False)
    assert not said.stderr, said.stderr
    lines = re.findall(r"^speechcall/(\S+?):(\d+): error: .*assert_never", said.stdout, re.MULTILINE)
    assert len(lines) == said.stdout.count(": error: "), said.stdout
    return [(path, int(line)) for path, line in lines]


def function_at(path: Path, line: int) -> str:
    """The name of the function that a line belongs to."""
    above = path.read_text(encoding="utf-8").splitlines()[:line]
    return next(found[1] for one in reversed(above) if (found := re.match(r"def (\w+)", one)))
