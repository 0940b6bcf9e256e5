"""Repairs of how moto's DynamoDB reads expressions: an update takes 5 ms, most of it to read the same text again."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import functools
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateHashRangeKeyValidator,
    Validator,
)

from local.cloud.moto_patches.replace import Replacement, instead_of

# What these two modules have, mypy does not see: they are ignored as a whole.
_nodes: Any = ast_nodes
_parsing: Any = expressions

KEPT = 1024
"""Expressions. The product has about a hundred; the lists of names in some of them make more."""


def parse_each_update_once() -> None:
    """Each update parses its expression twice. Whoever changes the tree copies it first."""
    parser: Any = _parsing.UpdateExpressionParser
    parser.make = staticmethod(functools.lru_cache(KEPT)(parser.make))


def parse_each_condition_once() -> None:
    """Each condition is parsed two or three times, for each request again, by patterns that are compiled for each word.

    The tree of a text stays the same; the names and values that it means are looked up for each request.
    """
    parser: Any = ConditionExpressionParser
    trees: dict[tuple[Any, ...], tuple[Any, list[str], list[str]]] = {}

    @instead_of(ConditionExpressionParser, "parse")
    def parse(stock: Replacement, asking: Any) -> Any:
        if not asking.condition_expression:
            return stock(asking)
        key = (asking.condition_expression, *sorted((asking.expression_attribute_names or {}).items()))
        if key not in trees:
            made = stock(asking)
            if len(trees) >= KEPT:
                trees.clear()
            trees[key] = asking.tree, list(asking.expr_attr_names_found), list(asking.expr_attr_values_found)
            return made
        tree, names, values = trees[key]
        asking.expr_attr_names_found.extend(names)
        asking.expr_attr_values_found.extend(values)
        return asking._make_op_condition(tree)

    @instead_of(ConditionExpressionParser, "_assert_no_redundant_parentheses")
    def last_step(stock: Replacement, asking: Any, node: Any, *parent_kind: Any) -> None:
        """The last step with the finished tree: it is kept here."""
        stock(asking, node, *parent_kind)
        if not parent_kind:
            asking.tree = node

    @instead_of(ConditionExpressionParser, "_make_operand")
    def make_operand(stock: Replacement, asking: Any, node: Any) -> Any:
        if node.kind == parser.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            node = node._replace(value=asking._lookup_expression_attribute_value(node.text))
        return stock(asking, node)


def walk_trees_by_class() -> None:
    """An update walks ten times over its expression's tree, and asks each node five times for its abstract classes.

    Which step handles a class of nodes is always the same, and what the first three walks look for depends on the text
    and its names alone.
    """
    passed: set[tuple[Any, ...]] = set()
    of_the_text = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)

    @instead_of(_nodes.DepthFirstTraverser, "traverse")
    def traverse(_stock: Replacement, traverser: Any, root: Any) -> Any:
        steps = traverser._processing_map()
        told = type(traverser).pre_processing_of_child is not _nodes.DepthFirstTraverser.pre_processing_of_child
        return _walk(root, -1, steps, _steps_by_kind(tuple(steps)), traverser.pre_processing_of_child if told else None)

    _nodes.Node.__deepcopy__ = lambda root, _memo: _copied(root, None)

    @instead_of(Validator, "__init__")
    def init(stock: Replacement, validator: Any, expression: Any, *others: Any, **more: Any) -> None:
        stock(validator, expression, *others, **more)
        names = sorted((validator.expression_attribute_names or {}).items())
        validator.text = (expression, *names, *validator.table.table_key_attrs)

    @instead_of(Validator, "validate")
    def validate(stock: Replacement, validator: Any) -> Any:
        if validator.text in passed:
            validator.processors = [one for one in validator.processors if not isinstance(one, of_the_text)]
        tree = stock(validator)
        if len(passed) >= KEPT:
            passed.clear()
        passed.add(validator.text)
        return tree


@functools.cache
def _is_node(kind: Any) -> bool:
    return issubclass(kind, _nodes.Node)


class _StepsByKind(dict[type[Any], type[Any] | None]):
    """By a node's class, the first of the classes that a traverser handles which it belongs to."""

    def __init__(self, handled: tuple[type[Any], ...]) -> None:
        self._handled = handled

    def __missing__(self, kind: type[Any]) -> type[Any] | None:
        self[kind] = found = next((one for one in self._handled if issubclass(kind, one)), None)
        return found


_steps_by_kind = functools.cache(_StepsByKind)


def _walk(node: Any, child_id: int, steps: Any, step_of: _StepsByKind, tell: Any) -> Any:
    """As moto's `traverse_node_recursively`."""
    for i, child in enumerate(node.children or ()):
        if tell:
            tell(node, i)
        if _is_node(child.__class__):
            _walk(child, i, steps, step_of, tell)
    step = step_of[type(node)]
    if step is not None:
        parent = node.parent
        node = steps[step](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


def _copied(node: Any, parent: Any) -> Any:
    """A tree of its own; its leaves are texts and numbers."""
    copy = node.__class__.__new__(node.__class__)
    copy.type, copy.parent = node.type, parent
    copy.children = node.children and [
        _copied(child, copy) if _is_node(child.__class__) else child for child in node.children
    ]
    return copy


def weigh_each_attribute_once() -> None:
    """A new item of 20 attributes weighs them 200 times: all that are there already for each one that is added."""
    largest = 405_000  # as moto's LimitedSizeDict has it

    @instead_of(Item, "__init__")
    def init(stock: Replacement, item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
        values = {name: DynamoType(value) for name, value in attrs.items()}
        if sum(bytesize(name) + value.size() for name, value in values.items()) > largest:
            stock(item, hash_key, range_key, attrs)  # refuses it
            return
        stock(item, hash_key, range_key, {})
        dict.update(item.attrs, values)
