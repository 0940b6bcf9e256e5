"""The models of requests, written out as schemas of pydantic's core: `request_schema.py`, by `make openapi`.

Making models costs a function's start as much as the rest of the API together: pydantic itself, a class for each, and
their schemas. Its core needs only the schemas, which are data but for the functions in them. `__pydantic_core_schema__`
is pydantic's documented attribute for it.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from speechcall.requests.use_cases import field_checks
from speechcall.requests.use_cases.hours_model import HoursModel
from speechcall.requests.use_cases.request_models import DefaultsModel, MessageModel
from speechcall.shared.rules import json_text

FILE = Path(sys.modules[MessageModel.__module__].__file__ or "").with_name("request_schema.py")

WIDTH = 100
_ONLY_TO_DESCRIBE = {"metadata", "serialization", "serialization_alias", "title", "computed_fields", "model_name"}
_USUALLY_FALSE = {"custom_init", "root_model"}
_MODULES: tuple[ModuleType, ...] = (field_checks, json_text)
"""Where the functions of the schemas may be: modules that do not load pydantic."""

_HEAD = '''"""Written by `make openapi` out of the models of requests: what pydantic's core is told. Do not edit."""

# The models' own modules are not loaded by a function: see local/tools/request_schema.py.
from typing import Any

from speechcall.requests.use_cases import field_checks
from speechcall.requests.use_cases.checked import Checked
from speechcall.shared.rules import json_text

'''


class _Name:
    """What is written as a name and not as a value."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def text() -> str:
    """The module."""
    parts = [_HEAD, f"HOURS_FIELDS = {_laid_out(tuple(HoursModel.model_fields))}\n"]
    for name, model in (("MESSAGE", MessageModel), ("DEFAULT", DefaultsModel)):
        schema = model.__pydantic_core_schema__
        fields = tuple(field.alias or name for name, field in model.model_fields.items())
        parts.append(f"{name}_FIELDS = {_laid_out(fields)}\n")
        parts.append(f"{name}: Any = {_laid_out(_written(schema, _referred(schema)))}\n")
    return "".join(parts)


def _laid_out(value: Any, depth: int = 0) -> str:
    """The value as source, on as many lines as it needs."""
    short, inner, outer = repr(value), " " * (depth + 1), " " * depth
    if depth + len(short) < WIDTH or not isinstance(value, dict | list | tuple):
        return short
    if isinstance(value, dict):
        parts = [f"{inner}{key!r}: {_laid_out(one, depth + 1)},\n" for key, one in value.items()]
        return f"{{\n{''.join(parts)}{outer}}}"
    begin, end = "[]" if isinstance(value, list) else "()"
    parts = [f"{inner}{_laid_out(one, depth + 1)},\n" for one in value]
    return f"{begin}\n{''.join(parts)}{outer}{end}"


def _referred(schema: Any) -> set[str]:
    """The references that are used: others need no name."""
    if isinstance(schema, Mapping):
        own = {schema["schema_ref"]} if schema.get("type") == "definition-ref" else set()
        return own.union(*map(_referred, schema.values()))
    return set().union(*map(_referred, schema)) if isinstance(schema, list) else set()


def _written(value: Any, referred: set[str]) -> Any:
    """A schema without what only describes, with its functions as names."""
    match value:
        case Mapping():
            return {
                key: _written(one, referred)
                for key, one in value.items()
                if key not in _ONLY_TO_DESCRIBE
                and not (key == "ref" and isinstance(one, str) and one not in referred)
                and not (key in _USUALLY_FALSE and not one)
            }
        case list() | tuple():
            return [_written(one, referred) for one in value]
        case FunctionType():
            (module,) = (one for one in _MODULES if one.__name__ == value.__module__)
            return _Name(f"{module.__name__.rpartition('.')[2]}.{value.__name__}")
        case type():
            return _Name("Checked")
        case str() if value in referred:  # without the number that Python gave the class
            return value.partition(":")[0].rpartition(".")[2]
        case str() | int() | float() | None:
            return value
        case _:
            raise TypeError(f"a schema holds what cannot be written: {value!r}")
