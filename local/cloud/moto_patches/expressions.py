"""Repairs of how moto's DynamoDB reads expressions: an update takes 5 ms, most of it to read the same text again."""
# ruff: noqa: SLF001  (a repair works on what moto keeps to itself)

import functools
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.cloud.moto_patches.replace import Replacement, instead_of

# What these two modules have, mypy does not see: they are ignored as a whole.
_nodes: Any = ast_nodes
_parsing: Any = expressions

KEPT = 1024
"""Expressions. The product has about a hundred; the lists of names in some of them make more."""


def parse_each_update_once() -> None:
    """Each update parses its expression twice, and looks through the tree for names and values three times.

    Whoever changes the tree copies it first.
    """
    parser: Any = _parsing.UpdateExpressionParser
    stock_make = parser.make

    def make(text: str) -> Any:
        tree = stock_make(text)
        tree.clauses = {}
        return tree

    parser.make = staticmethod(functools.lru_cache(KEPT)(make))

    @instead_of(_nodes.Node, "find_clauses")
    def find_clauses(stock: Replacement, node: Any, kinds: Any) -> Any:
        if (found := vars(node).get("clauses")) is None:
            return stock(node, kinds)
        kinds = tuple(kinds)
        if kinds not in found:
            found[kinds] = stock(node, kinds)
        return [*found[kinds]]


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


def look_up_reserved_words() -> None:
    """Each name in an expression is compared with a list of 573 words."""
    words: Any = ReservedKeywords
    words.KEYWORDS = frozenset(words.get_reserved_keywords())
