"""What a wheel carries beside the packages: what the laptop cloud runs, which lies beside them in the repository."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = ("template.yaml", "telephony", "functions")


class CarryingBuild(build_py):
    """Puts them into `local/carried`, where `local.cloud.template` finds them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "local" / "carried"
        shutil.rmtree(target, ignore_errors=True)
        for name in CARRIED:
            if Path(name).is_dir():
                shutil.copytree(name, target / name, ignore=_others)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, target / name)


def _others(folder: str, names: list[str]) -> list[str]:
    """What of a folder is none of ours: anything else may lie there, a secret too."""
    is_folder = {name: (Path(folder) / name).is_dir() for name in names}
    ours = (".py", ".template.json", ".template.yaml", ".html", ".css", ".js", ".svg")
    return [name for name in names if name == "__pycache__" or not (is_folder[name] or name.endswith(ours))]


setup(cmdclass={"build_py": CarryingBuild})
