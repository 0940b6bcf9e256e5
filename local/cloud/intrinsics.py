"""CloudFormation's language: a YAML document with its short forms, and the intrinsic functions in it."""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from local.cloud.account import REGION

NO_VALUE = object()
"""What `AWS::NoValue` resolves to: the member or element that holds it is left out."""


class TemplateError(ValueError):
    """The template, or what it refers to, is not something that the laptop cloud understands."""


# libyaml is ten times faster, but not everywhere there.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """YAML as CloudFormation reads it: `!Sub x` is {"Fn::Sub": x}, and dates are strings."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TemplateError(f"!{suffix} takes a text or a list")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: str(node.value))


def read_document(path: Path) -> dict[str, Any]:
    """A template in YAML or JSON, with intrinsic functions in their long form and nothing resolved.

    Not to be changed: the same text is read once.
    """
    document = _parsed(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path} is not a CloudFormation template: it has no Resources")
    return document


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    if text.startswith("{"):
        return json.loads(text)
    return yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader)


class Resolver:
    """Replaces intrinsic functions by their values. What it does not know is a TemplateError, never an empty string."""

    def __init__(
        self,
        conditions: Mapping[str, Any],
        ref: Callable[[str], Any],
        get_att: Callable[[str, str], Any],
        mappings: Mapping[str, Any] | None = None,
    ) -> None:
        self._conditions = conditions
        self._ref = ref
        self._get_att = get_att
        self._mappings = mappings or {}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": lambda name: ref(str(name)),
            "Condition": lambda name: self.condition(str(name)),
            "Fn::GetAtt": self._resolve_get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": lambda _region: [f"{REGION}{zone}" for zone in "abc"],
            "Fn::Equals": lambda pair: self._equals(*pair),
            "Fn::Not": lambda one: not self._truth(one[0]),
            "Fn::And": lambda many: all(map(self._truth, many)),
            "Fn::Or": lambda many: any(map(self._truth, many)),
        }

    def resolve(self, value: Any) -> Any:
        """`value` with every intrinsic function in it replaced; NO_VALUE only if it is nothing but that."""
        if isinstance(value, dict):
            name = next(iter(value), "")
            if len(value) == 1 and (name == "Ref" or name.startswith("Fn::") or self._is_condition(value)):
                if name not in self._functions:
                    raise TemplateError(f"the intrinsic function {name} is not known to the laptop cloud")
                return self._functions[name](value[name])
            members = ((key, self.resolve(member)) for key, member in value.items())
            return {key: member for key, member in members if member is not NO_VALUE}
        if isinstance(value, list):
            return [element for element in map(self.resolve, value) if element is not NO_VALUE]
        return value

    def condition(self, name: str) -> bool:
        """Whether the template's condition `name` holds."""
        if name not in self._conditions:
            raise TemplateError(f"there is no condition {name}")
        return self._truth(self._conditions[name])

    def _is_condition(self, value: dict[str, Any]) -> bool:
        # A policy statement has a member "Condition" as well; it is an object there, never a name.
        return isinstance(value.get("Condition"), str)

    def _truth(self, value: Any) -> bool:
        result = self.resolve(value)
        if not isinstance(result, bool):
            raise TemplateError(f"{value} is not a condition")
        return result

    def _resolve_get_att(self, value: Any) -> Any:
        logical_id, attribute = value if isinstance(value, list) else value.split(".", 1)
        return self._get_att(logical_id, str(self.resolve(attribute)))

    def _sub(self, value: Any) -> str:
        text, given = (value, {}) if isinstance(value, str) else (value[0], self.resolve(value[1]))

        def replace(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return scalar_text(given[name])
            return scalar_text(self._get_att(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _join(self, value: list[Any]) -> str:
        return str(value[0]).join(scalar_text(part) for part in self._list(value[1]))

    def _select(self, value: list[Any]) -> Any:
        index, elements = int(self.resolve(value[0])), self._list(value[1])
        if not 0 <= index < len(elements):
            raise TemplateError(f"Fn::Select takes element {index} of {elements}")
        return elements[index]

    def _split(self, value: list[Any]) -> list[str]:
        return scalar_text(self.resolve(value[1])).split(str(value[0]))

    def _if(self, value: list[Any]) -> Any:
        return self.resolve(value[1] if self.condition(value[0]) else value[2])

    def _find_in_map(self, value: list[Any]) -> Any:
        names = [str(self.resolve(name)) for name in value]
        found: Any = self._mappings
        for name in names:
            if not isinstance(found, dict) or name not in found:
                raise TemplateError(f"there is no {'.'.join(names)} in the template's Mappings")
            found = found[name]
        return found

    def _equals(self, left: Any, right: Any) -> bool:
        return scalar_text(self.resolve(left)) == scalar_text(self.resolve(right))

    def _list(self, value: Any) -> list[Any]:
        result = self.resolve(value)
        if not isinstance(result, list):
            raise TemplateError(f"{value} is not a list")
        return result


def scalar_text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string: `true`, `3`, `text`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateError(f"{value!r} has no place in a string")
