"""The Python client as a customer has it: built wheels in an empty folder, and its own suite there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    """A folder with an environment that has both wheels and nothing of the repository."""
    home = tmp_path_factory.mktemp("customer")
    sources, wheels, python = home / "sources", home / "wheels", home / "venv" / "bin" / "python"
    ignored = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests", "benchmarks", "docs")
    shutil.copytree(ROOT, sources, ignore=ignored)
    shutil.copytree(CLIENT, sources / "client", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    run(sys.executable, "-m", "venv", home / "venv", cwd=home)
    for source in (sources, sources / "client"):
        run(python, "-m", "pip", "wheel", "--no-deps", "-w", wheels, source, cwd=home)
    service, client = sorted(wheels.glob("speechcall-*.whl"))[0], sorted(wheels.glob("speechcall_client-*.whl"))[0]
    wanted = [str(service), f"{client}[laptop]", "fastapi", "mypy"]
    run(python, "-m", "pip", "install", "-c", ROOT / "constraints.txt", *wanted, cwd=home)
    suite = home / "suite"
    suite.mkdir()
    for name in ("tests", "examples", "README.md", "pyproject.toml"):
        source = CLIENT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, suite / name)
    shutil.rmtree(sources)
    return suite, python


@pytest.mark.long
@pytest.mark.timeout(1800)  # most of it is the installation
def test_the_suite_of_the_client_passes_with_the_built_wheels_alone(customer):
    suite, python = customer
    told = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=suite)
    assert " passed" in told
    assert "skipped" not in told
    assert "failed" not in told


@pytest.mark.long
@pytest.mark.timeout(1800)  # most of it is the installation
def test_the_types_of_the_client_hold_in_a_customers_program(customer):
    suite, python = customer
    program = suite / "program.py"
    program.write_text(
        "from speechcall_client import Client, Menu, Message, hangup\n"
        "menu: Menu = Menu(audio='a').on(1, hangup())\n"
        "with Client('https://a.example', key='k') as client:\n"
        "    reveal_type(client.send(Message(to='+1', sender='S', menus=[menu])).message_ids)\n",
        encoding="utf-8",
    )
    told = run(
        python, "-m", "mypy", "--strict", "program.py", "examples/shop.py", "examples/lambda_receiver.py", cwd=suite
    )
    assert "tuple[str, ...]" in told.replace("builtins.", "").replace("str, ...", "str, ...")
