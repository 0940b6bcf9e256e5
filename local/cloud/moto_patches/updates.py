"""Repair of how moto's DynamoDB carries out an update: most of 1 ms goes into walks over the expression's tree."""

from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing import ast_nodes
from moto.dynamodb.parsing.executors import AddExecutor, UpdateExpressionExecutor
from moto.dynamodb.parsing.validators import (
    EmptyStringKeyValueValidator,
    ExecuteOperations,
    ExpressionPathResolver,
    TypeMismatchValidator,
    UpdateExpressionFunctionEvaluator,
    UpdateExpressionValidator,
)

from local.cloud.moto_patches.items import forget_weight
from local.cloud.moto_patches.replace import Replacement, instead_of

# What this module has, mypy does not see: it is ignored as a whole.
_nodes: Any = ast_nodes
_ACTIONS = (
    _nodes.UpdateExpressionSetAction,
    _nodes.UpdateExpressionAddAction,
    _nodes.UpdateExpressionRemoveAction,
    _nodes.UpdateExpressionDeleteAction,
)

KEPT = 1024
"""Expressions whose actions are kept."""


class _Unusual(Exception):
    """Stock moto is to say what this update means, or what is wrong with it."""


def work_out_each_update_in_one_walk() -> None:
    """An update copies its expression's tree and walks over it ten times; each step asks each node for its classes.

    A text that has been found in order once is worked out action by action. Whatever is unusual, or fails, is left to
    the stock walks, which have changed nothing yet.
    """
    known: dict[tuple[Any, ...], list[Any]] = {}

    class Validator:
        """Stands in for moto's where an update is carried out."""

        def __init__(
            self,
            expression: Any,
            expression_attribute_names: Any,
            expression_attribute_values: Any,
            item: Any,
            table: Any,
        ) -> None:
            names, values = expression_attribute_names, expression_attribute_values
            self._given = expression, names, values, item, table
            self._text = (expression, *sorted((names or {}).items()), *table.table_key_attrs)

        def validate(self) -> Any:
            expression, names, values, item, table = self._given
            if (actions := known.get(self._text)) is not None:
                try:
                    done = [_worked_out(action, names or {}, values or {}, item, table) for action in actions]
                    return _node(_nodes.UpdateExpression, done)
                except Exception:  # noqa: BLE001, S110 - the stock walks fail too, and say so as they always did
                    pass
            tree = UpdateExpressionValidator(*self._given).validate()
            if len(known) >= KEPT:
                known.clear()
            known[self._text] = expression.find_clauses(_ACTIONS)
            return tree

    moto_models: Any = models
    moto_models.UpdateExpressionValidator = Validator

    @instead_of(UpdateExpressionExecutor, "execute")
    def execute(_stock: Replacement, executor: Any, node: Any = None) -> None:
        node = executor.update_ast if node is None else node
        if (kind := executor.execution_map.get(node.__class__)) is None:
            for child in node.children:
                executor.execute(child)
        else:
            kind(node, executor.expression_attribute_names).execute(executor.item)
            if len(node.children[0].children) > 1 or kind is AddExecutor:
                forget_weight(executor.item.attrs)


def _worked_out(action: Any, names: dict[str, str], values: dict[str, Any], item: Any, table: Any) -> Any:
    """An action with the value that it writes, as moto's ten walks leave it. Raises for all that is unusual."""
    path = action.children[0]
    if len(path.children) > 1:
        found = ExpressionPathResolver(names).resolve_expression_path(item, path)
        if isinstance(found, _nodes.NoneExistingPath) and not found.is_creatable():
            raise _Unusual
    if len(action.children) == 1:
        return action
    value = _value(action.children[1], names, values, item)
    if value.__class__ is not _nodes.DDBTypedValue:
        raise _Unusual
    done = _node(action.__class__, [path, value])
    if action.__class__ is _nodes.UpdateExpressionSetAction:
        TypeMismatchValidator(table.attr).check_for_type_mismatch(done)
        EmptyStringKeyValueValidator(table.attribute_keys).check_for_empty_string_key_value(done)
    return done


def _value(node: Any, names: dict[str, str], values: dict[str, Any], item: Any) -> Any:
    """What a value's node stands for: a value, or a path that does not exist."""
    if node.__class__ is _nodes.ExpressionAttributeValue:
        return _nodes.DDBTypedValue(DynamoType(values[node.children[0]]))
    if node.__class__ is _nodes.UpdateExpressionPath:
        return ExpressionPathResolver(names).resolve_expression_path(item, node)
    if node.__class__ is _nodes.UpdateExpressionFunction:
        name, *given = node.children
        function = _node(node.__class__, [name, *(_value(one, names, values, item) for one in given)])
        return UpdateExpressionFunctionEvaluator().process_function(function)
    if node.__class__ is not _nodes.UpdateExpressionValue:
        raise _Unusual
    if len(node.children) == 1:
        return _value(node.children[0], names, values, item)
    left, operator, right = node.children
    operands = [_value(left, names, values, item), operator, _value(right, names, values, item)]
    return ExecuteOperations().process_update_expression_value(_node(node.__class__, operands))


def _node(kind: Any, children: list[Any]) -> Any:
    """A node whose children stay those of the tree that they come from: the text's own, which is kept."""
    node = kind.__new__(kind)
    node.type, node.children, node.parent = kind.__name__, children, None
    return node
