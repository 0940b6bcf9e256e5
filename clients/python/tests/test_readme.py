"""README.md: its snippets run as they stand, one after the other, against the service on this machine."""

import ast
import builtins
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import speechcall_client
from speechcall_client import Client

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_every_snippet_runs(laptop, capsys, monkeypatch):
    pytest.importorskip("fastapi")
    laptop.audio("welcome")
    names = {"YOUR-API": laptop.url, "YOUR-KEY": laptop.key}
    calls = ModuleType("calls")  # the file into which the page has its readers put what stands before its test
    monkeypatch.setitem(sys.modules, "calls", calls)
    scope = vars(calls)
    for snippet in SNIPPETS:
        code = snippet.replace("https://YOUR-API", "YOUR-API").replace("wait=5", "wait=1")
        for name, value in names.items():
            code = code.replace(name, value)
        exec(compile(code, "README.md", "exec"), scope)
    scope["client"].close()
    laptop.forget()
    scope["test_an_order_is_confirmed"](laptop, monkeypatch)
    assert "acceptable" in capsys.readouterr().out


def test_each_name_in_the_snippets_is_imported_or_made_there():
    nodes = [node for snippet in SNIPPETS for node in ast.walk(ast.parse(snippet))]
    made = set(dir(builtins))
    for node in nodes:
        match node:
            case ast.Name(name, ast.Store()) | ast.arg(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                made.add(name)
            case ast.ExceptHandler(name=str(name)):
                made.add(name)
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                made |= {one.asname or one.name for one in names}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert used <= made


def test_there_are_snippets_and_each_name_in_the_text_is_known():
    assert len(SNIPPETS) >= 8
    text = re.sub(r"^```python\n.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`([a-z_]+)`", text):
        known = hasattr(Client, name) or name in "".join(SNIPPETS)
        assert known or re.search(rf"\b{name}\b", _sources()), name


def _sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in Path(speechcall_client.__file__).parent.glob("*.py"))
