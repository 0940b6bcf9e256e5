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
                shutil.copytree(name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, target / name)


setup(cmdclass={"build_py": CarryingBuild})
