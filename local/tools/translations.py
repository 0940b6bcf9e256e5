"""`make check`: SAM's own transform of the template in each combination of its parameters, as CloudFormation runs it.

Run in SAM's environment (.venv-sam), which has nothing of the product: `python -m local.tools.translations`.
"""

import json
import logging
import sys
from pathlib import Path

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.kit.stack_combinations import combinations_of_parameters, dangling

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
BUCKET = "s3://bucket/key"


def main() -> int:
    """Exit status 1 where one of them does not translate, or refers to what it does not make."""
    logging.disable(logging.WARNING)  # of SAM about metrics of its own
    text = TEMPLATE.read_text(encoding="utf-8")
    faults, count = [], 0
    for parameters in combinations_of_parameters():
        count += 1
        document = yaml_parse(text)
        _package(document)
        try:
            translated = transform(document, dict(parameters), ManagedPolicyLoader(None))
        except Exception as error:  # noqa: BLE001 - whatever SAM says of it is told with its parameters
            faults.append((parameters, [repr(error)]))
            continue
        if found := dangling(json.loads(json.dumps(translated)), parameters):
            faults.append((parameters, found))
    for parameters, found in faults:
        sys.stdout.write(f"{parameters}\n  " + "\n  ".join(found) + "\n")
    sys.stdout.write(f"{count} combinations of parameters translated, {len(faults)} with faults\n")
    return bool(faults)


def _package(document: dict) -> None:  # type: ignore[type-arg]
    """Folders become addresses in S3, as `sam package` makes them."""
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri", "TemplateURL"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = BUCKET


if __name__ == "__main__":
    raise SystemExit(main())
