"""Clients that others' generators make of the served description: they are whole, and their types hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from speechcall.api.use_cases.openapi import openapi_text
from tests.kit.npm import node_package

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

TYPESCRIPT = "typescript@5.9.3"
TO_TYPESCRIPT = "openapi-typescript@7.13.0"
TO_PYTHON = "openapi-python-client==0.29.1"
MYPY = "mypy==2.4.1"
NOT_AS_JSON = {"PUT /bat/audio/{introId}", "GET /bat/audio/{introId}/file", "GET /bat/message/{messageId}/call"}
"""What takes or gives audio, or the signed file of a call (`application/jose`)."""
PROGRAM = """
import type { paths, components } from "./api";

type Send = paths["/bat/messagelist"]["post"];
type Sent = Send["responses"]["200"]["content"]["application/json"];
type Menu = components["schemas"]["Menu"];

export const menu: Menu = {
  introUrl: "welcome",
  idleTimeoutMsec: 5000,
  dtmfActions: { d1: [{ action: "webhook", url: "https://shop.example/x", body: { order: 7 } }, { action: "hangup" }] },
};
export const body: Send["requestBody"]["content"]["application/json"] = {
  messages: [{ from: "Shop", to: "+380671234567", text: "order", type: "speechcall", menu: [menu] }],
};
export const ids = (sent: Sent): string[] =>
  sent.messages.flatMap((one) => (one.status === "sent" ? [one.messageId] : []));
export const used = (account: components["schemas"]["AccountStatus"]): number => account.usedToday.calls;
// @ts-expect-error there is no such state
export const state: components["schemas"]["MessageCancelled"]["state"] = "gone";
"""


def run(*command, cwd):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    told = f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{told}"
    return told


@pytest.fixture
def description(tmp_path):
    file = tmp_path / "openapi.json"
    file.write_text(openapi_text(), encoding="utf-8")
    return file


def test_openapi_typescript_makes_types_with_which_a_program_compiles(description, tmp_path):
    without = "no types of TypeScript are made of the API's description"
    compiler, generator = node_package(TYPESCRIPT, without), node_package(TO_TYPESCRIPT, without)
    made = tmp_path / "api.d.ts"
    modules = generator / "node_modules"
    run("node", modules / "openapi-typescript" / "bin" / "cli.js", description, "-o", made, cwd=tmp_path)
    (tmp_path / "program.ts").write_text(PROGRAM, encoding="utf-8")
    tsc = compiler / "node_modules" / "typescript" / "bin" / "tsc"
    run("node", tsc, "--strict", "--noEmit", "--target", "es2022", "program.ts", cwd=tmp_path)


@pytest.fixture(scope="module")
def python_of_generator(tmp_path_factory):
    home = tmp_path_factory.mktemp("generator")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    wanted = [python, "-m", "pip", "install", "--quiet", TO_PYTHON, MYPY]
    installed = subprocess.run(wanted, capture_output=True, text=True, check=False)
    if installed.returncode:
        last = (installed.stderr.strip() or "pip said nothing").splitlines()[-1]
        pytest.skip(f"{TO_PYTHON} could not be installed, so no client of Python is made: {last}")
    return python


def test_openapi_python_client_makes_a_client_whose_types_hold(description, python_of_generator, tmp_path):
    tool = Path(python_of_generator).with_name("openapi-python-client")
    told = run(tool, "generate", "--path", description, "--output-path", "made", "--meta", "none", cwd=tmp_path)
    assert "Unable to process schema" not in told
    # What it does not know as JSON or text it leaves out, and the methods stay.
    without = set(re.findall(r"WARNING parsing (\S+ \S+) within", told))
    assert without <= NOT_AS_JSON, told
    asked = [path.stem for path in (tmp_path / "made" / "api").glob("*/*.py")]
    assert {"send_messages", "get_account", "get_webhooks", "cancel_message", "put_audio", "get_call"} <= set(asked)
    run(python_of_generator, "-m", "mypy", "--strict", "made", cwd=tmp_path)
