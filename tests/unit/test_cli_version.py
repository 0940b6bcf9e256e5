"""`speechcall version`: one version, for what is installed, deployed and said."""

from importlib.metadata import version

from cli.main import app
from speechcall import VERSION
from tests.kit.command_line import CliRunner


def test_the_command_tells_the_version_that_is_installed():
    told = CliRunner().invoke(app, ["version"])
    assert told.exit_code == 0
    assert told.stdout == f"speechcall {VERSION}\n"
    assert version("speechcall") == VERSION
