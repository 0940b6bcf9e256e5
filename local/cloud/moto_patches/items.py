"""Repairs of how moto's DynamoDB keeps items: for each request it copies, weighs and reads them whole, many times."""

import base64
import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize
from werkzeug.exceptions import HTTPException

from local.cloud.moto_patches.replace import Replacement, instead_of

LARGEST = 405_000
"""Bytes of an item, as moto's LimitedSizeDict has it."""


def copy_only_what_can_change() -> None:
    """An update copies its item three times, with a note of each value that it has copied: 0.5 ms for 20 attributes.

    Texts, numbers, bytes and truth values never change: another one takes their place.
    """

    @instead_of(DynamoType, "__deepcopy__")
    def copied_value(_stock: Replacement, value: Any, _memo: Any) -> Any:
        return _copied(value)

    @instead_of(Item, "__deepcopy__")
    def copied_item(_stock: Replacement, item: Any, _memo: Any) -> Any:
        return _with_attributes(item, {name: _copied(value) for name, value in item.attrs.items()})


def _copied(value: Any) -> Any:
    held = value.value
    if isinstance(held, dict):
        held = {name: _copied(one) for name, one in held.items()}
    elif isinstance(held, list):  # of values, or of a set's texts
        held = [_copied(one) if isinstance(one, DynamoType) else one for one in held]
    else:
        return value
    copy = DynamoType.__new__(DynamoType)
    copy.type, copy.value = value.type, held
    return copy


def _with_attributes(item: Any, attributes: dict[str, Any]) -> Any:
    """An item under the same key; moto would weigh it again for each attribute."""
    other: Any = Item.__new__(Item)
    other.hash_key, other.range_key, other.attrs = item.hash_key, item.range_key, LimitedSizeDict()
    dict.update(other.attrs, attributes)
    return other


def compare_texts_as_they_are() -> None:
    """Each key that is looked up or compared is first asked for its kind, six times for a text."""

    @instead_of(DynamoType, "__hash__")
    def hash_of(stock: Replacement, value: Any) -> int:
        return hash(("S", value.value)) if value.type == "S" else int(stock(value))

    @instead_of(DynamoType, "__eq__")
    def equals(stock: Replacement, value: Any, other: Any) -> bool:
        return bool(value.value == other.value) if value.type == other.type == "S" else bool(stock(value, other))


def read_nested_values_once() -> None:
    """An answer copies each map and each list whole, and then what is in it again, and so on down to the texts."""

    @instead_of(DynamoType, "to_regular_json")
    def to_regular_json(_stock: Replacement, value: Any) -> Any:
        return _regular(value)


def _regular(value: Any) -> Any:
    held = value.value if isinstance(value, DynamoType) else value
    if isinstance(held, dict):
        held = {name: _regular(one) for name, one in held.items()}
    elif isinstance(held, list):
        held = [_regular(one) for one in held]
    if not isinstance(value, DynamoType):
        return held
    return {value.type: base64.b64decode(held) if value.type == "B" and isinstance(held, str) else held}


def take_attributes_by_their_names() -> None:
    """An index that has some attributes of an item turns all of it into Python's values, again for each of them."""

    @instead_of(Item, "project")
    def project(stock: Replacement, item: Any, paths: list[list[str]]) -> Any:
        if any(len(path) > 1 or "[" in path[0] for path in paths):
            return stock(item, paths)
        return _with_attributes(item, {name: item.attrs[name] for (name,) in paths if name in item.attrs})


def weigh_each_attribute_once() -> None:
    """A new item of 20 attributes weighs them 200 times: all that are there already for each one that is added.

    And an update weighs the whole item for each attribute that it sets. A bound for its weight is kept instead, and
    the stock way is taken where that is too much.
    """

    @instead_of(Item, "__init__")
    def init(stock: Replacement, item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
        values = {name: DynamoType(value) for name, value in attrs.items()}
        if sum(bytesize(name) + value.size() for name, value in values.items()) > LARGEST:
            stock(item, hash_key, range_key, attrs)  # refuses it
            return
        stock(item, hash_key, range_key, {})
        dict.update(item.attrs, values)

    @instead_of(LimitedSizeDict, "__setitem__")
    def set_attribute(stock: Replacement, attributes: Any, name: str, value: Any) -> None:
        if not isinstance(value, DynamoType):
            stock(attributes, name, value)
            return
        at_most = vars(attributes).get("at_most")
        if at_most is None:
            at_most = sum(bytesize(each) + one.size() for each, one in attributes.items())
        at_most += bytesize(name) + value.size()
        if at_most <= LARGEST:
            attributes.at_most = at_most
            dict.__setitem__(attributes, name, value)
        else:
            forget_weight(attributes)
            stock(attributes, name, value)


def forget_weight(attributes: Any) -> None:
    """To be called when something within an attribute has grown."""
    vars(attributes).pop("at_most", None)


def say_what_is_wrong_once() -> None:
    """Each refusal is written as XML, and then as JSON, which alone is sent: 0.5 ms for each condition that fails."""

    @instead_of(JsonRESTError, "__init__")
    def init(_stock: Replacement, error: Any, error_type: str, message: str, *_unused: Any, **_more: Any) -> None:
        HTTPException.__init__(error)
        error.error_type, error.message = error_type, message
        error.description = json.dumps({"__type": error_type, "message": message})
        error.content_type = "application/json"
