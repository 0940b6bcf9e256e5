"""Repairs of moto 5.2.5, one function each; the symptom that it removes stands in its docstring.

One repair is made here, since it must come before moto's Step Functions are imported: for the sake of one list of
words they import AWS Batch, and with it EC2, whose tables of instance types take as long as everything else together.
"""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType


def _import_the_words_of_batch_alone() -> None:
    spec = None if "moto.batch" in sys.modules else find_spec("moto.batch")
    if spec is None or spec.submodule_search_locations is None:
        return
    empty_package = ModuleType("moto.batch")
    empty_package.__path__ = list(spec.submodule_search_locations)
    sys.modules["moto.batch"] = empty_package
    try:
        importlib.import_module("moto.batch.utils")
    finally:
        del sys.modules["moto.batch"]


_import_the_words_of_batch_alone()
