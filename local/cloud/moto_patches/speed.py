"""Repairs of what moto does slowly with the interpreter lock held: every call at once waits for it."""

import base64
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from botocore import useragent
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import camelcase_to_underscores
from moto.kms import models as kms
from moto.sqs.models import Queue
from moto.stepfunctions.parser.asl.utils import json_path

from local.cloud.moto_patches.replace import Replacement, instead_of


def give_items_as_they_stand() -> None:
    """An item of 15 attributes takes 3 ms to be answered: each value is searched for under every name it might have.

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
    """Each JSONPath of each task is parsed again, with a new grammar: 1 ms for `$.mid`."""
    module: Any = json_path
    module.parse = functools.lru_cache(1024)(module.parse)


def list_the_methods_of_a_service_once() -> None:
    """Each request lists all methods of the class that answers its service, a hundred of them, in order to find one."""
    module: Any = responses
    module.method_names_from_class = functools.cache(module.method_names_from_class)


def clean_each_user_agent_once() -> None:
    """Each request looks at each letter of its User-Agent twice: botocore makes it again of the same 20 parts."""
    module: Any = useragent
    module.sanitize_user_agent_string_component = functools.lru_cache(1024)(module.sanitize_user_agent_string_component)


def make_pairs_for_asymmetric_keys_alone() -> None:
    """A symmetric key of KMS gets an RSA pair too, which nothing can ask for: 50 to 200 ms for each start."""
    module: Any = kms

    @instead_of(module, "generate_private_key")
    def generate_private_key(stock: Replacement, key_spec: str) -> Any:
        return None if key_spec == "SYMMETRIC_DEFAULT" else stock(key_spec)


def read_one_attribute_of_a_queue_at_a_time() -> None:
    """Each message sent or received counts all that its queue holds, ten times: for one attribute, all are read."""
    queue: Any = Queue
    everything, attribute_name = queue.attributes.fget, functools.cache(camelcase_to_underscores)

    class Attributes(Mapping[str, Any]):
        """A queue's attributes, each read when it is asked for."""

        def __init__(self, queue: Any) -> None:
            self._queue = queue

        def __getitem__(self, name: str) -> Any:
            if name in self._queue.FIFO_ATTRIBUTES and not self._queue.fifo_queue:
                raise KeyError(name)
            if name not in self._queue.BASE_ATTRIBUTES + self._queue.FIFO_ATTRIBUTES:
                return everything(self._queue)[name]
            value = getattr(self._queue, attribute_name(name))
            return str(value).lower() if isinstance(value, bool) else value

        def __iter__(self) -> Iterator[str]:
            return iter(everything(self._queue))

        def __len__(self) -> int:
            return len(everything(self._queue))

    queue.attributes = property(Attributes)
