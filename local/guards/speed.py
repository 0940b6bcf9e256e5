"""Repairs of what moto does slowly with the interpreter lock held: every call at once waits for it."""

import base64
import functools
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.stepfunctions.parser.asl.utils import json_path

from local.guards.replace import Replacement, instead_of


def give_items_as_they_stand() -> None:
    """An item of 15 attributes takes 3 ms to be answered: each value is looked for under every name it might have.

    Moto keeps items in the very form in which DynamoDB's protocol sends them.
    """

    @instead_of(BaseJSONSerializer, "_serialize_type_map")
    def serialize_type_map(
        stock: Replacement, serializer: Any, serialized: Any, value: Any, shape: Any, key: str
    ) -> None:
        if shape.value.name == "AttributeValue" and all(type(member) is dict for member in value.values()):
            serialized[key] = _on_the_wire(value)
        else:
            stock(serializer, serialized, value, shape, key)


def _on_the_wire(value: Any) -> Any:
    """An attribute value with its bytes in base64."""
    if isinstance(value, dict):
        return {name: _on_the_wire(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_on_the_wire(member) for member in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def parse_each_path_once() -> None:
    """Each JSONPath of each task is parsed anew, with a new grammar: 1 ms for `$.mid`."""
    module: Any = json_path
    module.parse = functools.lru_cache(1024)(module.parse)
