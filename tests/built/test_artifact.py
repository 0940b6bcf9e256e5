"""The built application: small, compiled, complete, and nothing in it that does not belong there."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud.artifact import BUDGETS, OTHERS, built_template, folders, measure
from tests.unit.test_boto3_layer import services_kept

pytestmark = pytest.mark.artifact

MAGIC_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = 0b01
SDK = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
"""What Lambda's runtime has itself, in a version of its own. It must not be this one that a function imports."""

NEGLIGIBLE = {"standardwebhooks"}
"""A few kilobytes: a layer of its own would weigh more."""

READ_LATER = {"tzdata"}
"""What is read as files, by zoneinfo, when a time zone is first asked about; a start imports nothing of it."""

PROBE = """
import json, sys
import app
assert callable(app.handler)
packages = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([packages, sum(name.partition(".")[0] == "speechcall" for name in sys.modules)]))
"""
MOST_MODULES = {
    "ConnectFlowFunction": 47,
    "ControlCallFunction": 70,
    "FinishCallFunction": 115,
    "MessagelistFunction": 115,
}
"""Of our own package; each costs a first invocation at least 0.15 ms. Raise one only for what is really used."""


@pytest.fixture(scope="module")
def imported(built, tmp_path_factory):
    """What each function has imported, with nothing on its path but itself, its layers and what the runtime has."""
    runtime = tmp_path_factory.mktemp("runtime")
    for name in SDK:
        package = runtime / name if name.endswith(".py") else runtime / name / "__init__.py"
        package.parent.mkdir(exist_ok=True)
        package.write_text("raise ImportError('the runtime's own, not the layer's')\n", encoding="utf-8")
    found: dict[str, tuple[set[str], int]] = {}
    for name, spec in built.functions.items():
        path = [spec.code_dir, *(layer / "python" for layer in spec.layers), runtime]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            **spec.environment,
        }
        command = [sys.executable, "-S", "-c", PROBE]
        run = subprocess.run(command, env=environment, cwd=spec.code_dir, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{name}: {run.stderr}"
        packages, own = json.loads(run.stdout.splitlines()[-1])
        found[name] = set(packages), own
    return found


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the layers are built for Python 3.13, and this is another")
def test_every_function_imports_with_its_layers_alone(imported, built):
    assert set(imported) == set(built.functions)


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the layers are built for Python 3.13, and this is another")
def test_what_one_function_alone_uses_is_not_in_everyones_layer(imported, built):
    shared = set.intersection(*(set(spec.layers) for spec in built.functions.values()))
    packages = {
        entry.name.removesuffix(".py")
        for layer in shared
        for entry in (layer / "python").iterdir()
        if (entry / "__init__.py").is_file() or entry.suffix == ".py"
    }
    users = {package: [name for name, (modules, _) in imported.items() if package in modules] for package in packages}
    alone = {package for package, functions in users.items() if len(functions) <= 1} - NEGLIGIBLE - READ_LATER
    assert not alone, {package: users[package] for package in alone}


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the layers are built for Python 3.13, and this is another")
@pytest.mark.parametrize(("name", "most"), MOST_MODULES.items())
def test_what_somebody_waits_for_loads_few_modules_of_ours(name, most, imported):
    _, own = imported[name]
    assert own <= most


@pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="the layers are built for Python 3.13, and this is another")
def test_requests_are_checked_by_pydantics_core_without_its_models(imported):
    packages, _ = imported["MessagelistFunction"]
    assert "pydantic_core" in packages
    assert not [name for name, (modules, _) in imported.items() if "pydantic" in modules]
    core = folders()["CoreLayer"]
    assert not [path for path in core.rglob("*.py") if "\nfrom pydantic import" in path.read_text(encoding="utf-8")]


def test_each_layer_and_function_is_within_its_size():
    for name, folder in folders().items():
        size, (unpacked, packed) = measure(folder), BUDGETS.get(name, OTHERS)
        print(f"{name}: {size.unpacked:.2f} of {unpacked} MB, packed {size.packed:.2f} of {packed} MB")
        assert size.unpacked <= unpacked, name
        assert size.packed <= packed, name


def test_the_layers_byte_code_is_that_of_their_source_and_needs_no_check():
    layers = [folder for name, folder in folders().items() if name.endswith("Layer")]
    sources = [path for layer in layers for path in layer.rglob("*.py")]
    assert len(sources) > 300
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        header = compiled.read_bytes()[:16]
        assert header[:4] == MAGIC_3_13, compiled
        assert int.from_bytes(header[4:8], "little") == UNCHECKED_HASH, compiled
        if sys.version_info[:2] == (3, 13):
            assert header[8:] == importlib.util.source_hash(source.read_bytes()), compiled


def test_boto3_is_in_the_layer_with_the_services_in_use_and_no_others(built):
    (layer,) = {
        layer for spec in built.functions.values() for layer in spec.layers if layer.name == "DependenciesLayer"
    }
    assert all((layer / "python" / name).exists() for name in SDK)
    data = layer / "python" / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == services_kept()
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json"} <= {
        path.name for path in data.iterdir()
    }
    for name, folder in folders().items():
        if name != "DependenciesLayer":
            assert not {"boto3", "botocore"} & {path.name for path in folder.rglob("*")}, name


def test_nothing_is_shipped_that_only_development_needs():
    unwanted = {"aws_xray_sdk", "pip", "setuptools", "pytest", "moto", "hypothesis"}
    for name, folder in folders().items():
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
        names = {Path(path).name for path in found}
        assert not unwanted & names, name
        assert not {"tests", "test", "conftest.py", ".venv", "Makefile", "requirements.lock"} & names, name
        assert not [path for path in found if Path(path).name.startswith("test_")], name


def test_compiled_modules_are_there_for_both_architectures(built):
    layers = {layer for spec in built.functions.values() for layer in spec.layers}
    layers = {layer for layer in layers if layer.name in ("DependenciesLayer", "PydanticLayer")}
    assert len(layers) == 2
    for layer in layers:
        compiled = sorted(path.relative_to(layer).as_posix() for path in layer.rglob("*.so"))
        intel, arm = ([path for path in compiled if kind in path] for kind in ("-x86_64-", "-aarch64-"))
        assert intel
        assert [path.replace("-x86_64-", "-aarch64-") for path in intel] == arm
        assert compiled == sorted([*intel, *arm])
        for machine, paths in ((62, intel), (183, arm)):  # e_machine of an ELF file's header
            assert {int.from_bytes((layer / path).read_bytes()[18:20], "little") for path in paths} == {machine}


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("arm64", 183)])
def test_the_decoder_is_of_the_architecture_of_the_functions_that_have_it(architecture, machine):
    template = built_template({"Architecture": architecture})
    users = [spec for spec in template.functions.values() if "Audio" in spec.layers[-1].name]
    assert {spec.logical_id for spec in users} == {"AudioFunction", "FetchPromptFunction"}
    (layer,) = {spec.layers[-1] for spec in users}
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in layer.rglob("*.so*")} == {machine}
    assert not any("Architectures" in template.resource(spec.logical_id)["Properties"] for spec in users)
    assert template.resource(layer.name)["Properties"]["CompatibleArchitectures"] == [architecture]


@pytest.mark.parametrize("layer", ["dependencies", "pydantic", "audio"])
def test_the_lock_holds_the_versions_that_the_tests_run_with(layer):
    root = Path(__file__).parents[2]
    lock = (root / f"layers/{layer}/requirements.lock").read_text(encoding="utf-8")
    locked = {line.split()[0] for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))}
    tested = {line.split()[0] for line in (root / "constraints.txt").read_text().splitlines() if "==" in line}
    asked = set((root / f"layers/{layer}/requirements.txt").read_text().split())
    assert asked <= locked <= tested
    assert lock.count("--hash=sha256:") >= 2 * len(locked)
