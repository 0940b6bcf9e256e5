"""What `bin/sam-build` has built: layers and functions as they are deployed.

`python -m local.cloud.artifact` lists sizes.
"""

import io
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local.cloud.template import Template, read_template

ROOT = Path(__file__).parents[2]
BUILT_TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"
INSTANCE_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/5eec4ca1-0000-4000-8000-00000000ca11"

BUDGETS = {
    "DependenciesLayer": (24.0, 8.5),
    "CoreLayer": (5.5, 2.6),
    "PydanticLayer": (15.0, 6.0),
    "AudioLayer": (110.0, 38.0),
    "AudioArmLayer": (110.0, 38.0),
    "ConsoleFunction": (0.2, 0.06),
}
"""Decimal megabytes, unpacked and packed, that a layer may have. Others and functions: OTHERS."""

OTHERS = (0.1, 0.05)


class NotBuiltError(RuntimeError):
    """There is no built application."""


@dataclass(frozen=True)
class Size:
    """Of a layer or a function's own code, in decimal megabytes."""

    files: int
    unpacked: float
    packed: float


def built_template(parameters: dict[str, str] | None = None) -> Template:
    """The template that `sam build` wrote, whose paths lead to the built code. Raises NotBuiltError."""
    if not BUILT_TEMPLATE.is_file():
        raise NotBuiltError("the application is not built: run bin/sam-build")
    needed = {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": "+4930123456"}
    return read_template(BUILT_TEMPLATE, {**needed, **(parameters or {})})


ARCHITECTURES = ("x86_64", "arm64")


def folders() -> dict[str, Path]:
    """The folder of every layer and function, of both architectures, by logical id. Raises NotBuiltError."""
    specs = [spec for one in ARCHITECTURES for spec in built_template({"Architecture": one}).functions.values()]
    layers = {path.name: path for spec in specs for path in spec.layers}
    return layers | {spec.logical_id: spec.code_dir for spec in specs}


def measure(folder: Path) -> Size:
    """The size of one folder, as it lies there and as it is uploaded."""
    packed, unpacked = io.BytesIO(), 0
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            unpacked += path.stat().st_size
            archive.write(path, path.relative_to(folder))
    return Size(len(files), unpacked / 1e6, len(packed.getvalue()) / 1e6)


def main() -> int:
    """Print every size with its budget; 1 if one is over it."""
    try:
        found = folders()
    except NotBuiltError as error:
        print(error, file=sys.stderr)
        return 1
    over = []
    print(f"{'MB':<26}{'files':>6}{'unpacked':>10}{'budget':>8}{'packed':>9}{'budget':>8}")
    for name, folder in found.items():
        size, (unpacked, packed) = measure(folder), BUDGETS.get(name, OTHERS)
        print(f"{name:<26}{size.files:>6}{size.unpacked:>10.2f}{unpacked:>8}{size.packed:>9.2f}{packed:>8}")
        if size.unpacked > unpacked or size.packed > packed:
            over.append(name)
    if over:
        print(f"over their budgets: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
