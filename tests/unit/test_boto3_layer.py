"""The layer's boto3: cut down to the services that the functions speak to, and no further."""

import ast
import re
from pathlib import Path

import botocore

NO_SERVICE = {"chime", "account"}
"""A value of TelephonyProvider (the service of that name is an older one, which nothing uses); a field of the log."""

ROOT = Path(__file__).parents[2]
MAKEFILE = ROOT / "layers" / "dependencies" / "Makefile"


def services_kept():
    (line,) = re.findall(r"^SERVICES = (.+)$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    return set(line.split())


def services_named():
    """Every service of boto3's whose name stands as a text in a module that imports boto3."""
    known = {path.name for path in (Path(botocore.__file__).parent / "data").iterdir() if path.is_dir()}
    found = set()
    for source in [*ROOT.glob("functions/*/app.py"), *(ROOT / "layers" / "core").rglob("*.py")]:
        text = source.read_text(encoding="utf-8")
        if "boto3" not in text:
            continue
        tree = ast.parse(text)
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        if "boto3" in imported:
            found |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)} & known
    return found - NO_SERVICE


def test_the_services_kept_are_those_that_the_functions_name():
    assert services_kept() == services_named()
