"""Expressions as DynamoDB gets them: what moto answers to each must not depend on which were read before."""

import itertools
import json
from typing import Any

from botocore.exceptions import ClientError

UPDATES = (
    "SET a = :v, #b = :w",
    "SET a = :v, a = :w",
    "SET a = :v SET #b = :w",
    "SET #b = if_not_exists(#b, :v), c = :w ADD n :one REMOVE d, e[2], e[0]",
    "SET e = list_append(e, :list), n = n + :one",
    "SET n = n - :one, #b = a",
    "SET pk = :v",
    "SET name = :v",
    "SET m.inner.#b = :v",
    "SET gone.inner = :v",
    "ADD tags :tags DELETE others :tags",
    "ADD a :one",
    "REMOVE #b, m.inner",
    "SET a = :missing",
    "SET a == :v",
    "",
)
CONDITIONS = (
    None,
    "attribute_exists(pk)",
    "attribute_not_exists(pk) OR a = :v",
    "(a = :v AND #b <> :w) OR NOT n BETWEEN :one AND :one",
    "a IN (:v, :w) AND begins_with(a, :v) AND size(e) >= :one",
    "contains(tags, :v) AND attribute_type(e, :type)",
    "((a = :v))",
    "a = :missing",
    "#unknown = :v",
    "name = :v",
    "a = ",
    "m.inner.#b = :v AND e[1] = :w",
)
VALUES: dict[str, Any] = {":v": {"S": "x"}, ":w": {"S": "y"}}
OTHERS: dict[str, Any] = {":v": {"S": "y"}, ":w": {"M": {"deep": {"L": [{"N": "1"}]}}}}
ALWAYS: dict[str, Any] = {
    ":one": {"N": "1"},
    ":list": {"L": [{"S": "p"}, {"S": "q"}]},
    ":tags": {"SS": ["x", "z"]},
    ":type": {"S": "L"},
}
KEY = {"pk": {"S": "thing"}, "sk": {"S": "thing"}}
ITEM: dict[str, Any] = {
    **KEY,
    "a": {"S": "x"},
    "bb": {"S": "b"},
    "d": {"BOOL": True},
    "e": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}, {"S": "3"}]},
    "m": {"M": {"inner": {"M": {"bb": {"S": "x"}}}}},
    "n": {"N": "1"},
    "tags": {"SS": ["x", "y"]},
    "others": {"SS": ["x"]},
}
WAYS: tuple[tuple[str, dict[str, Any], dict[str, Any] | None], ...] = (
    ("update_item", VALUES, ITEM),
    ("transact_write_items", OTHERS, ITEM),
    ("update_item", OTHERS, None),
)


def answers(client: Any) -> list[Any]:
    """What a client of an empty table `things` is answered; each expression comes several times."""
    said = []
    pairs = [*((update, None) for update in UPDATES), *((UPDATES[0], condition) for condition in CONDITIONS)]
    for (update, condition), (operation, values, item) in itertools.product(pairs, WAYS):
        if item:
            client.put_item(TableName="things", Item=item)
        else:
            client.delete_item(TableName="things", Key=KEY)
        text = f"{update} {condition or ''}"
        request: dict[str, Any] = {"UpdateExpression": update}
        if condition:
            request["ConditionExpression"] = condition
        if "#b" in text:
            request["ExpressionAttributeNames"] = {"#b": "bb"}
        if taken := {name: value for name, value in {**ALWAYS, **values}.items() if name in text}:
            request["ExpressionAttributeValues"] = taken
        said.append([update, condition, _answer(client, operation, Key=KEY, **request)])
        if operation == "transact_write_items":
            said.append(_answer(client, "get_item", Key=KEY))
    heavy = {"Item": {**KEY, **{f"text{n}": {"S": "x" * 100_000} for n in range(5)}}}
    said.append(_answer(client, "put_item", **heavy))
    return said


def _answer(client: Any, operation: str, **request: Any) -> Any:
    request = {"TableName": "things", **request}
    if operation == "update_item":
        request["ReturnValues"] = "ALL_NEW"
    if operation == "transact_write_items":
        request = {"TransactItems": [{"Update": request}]}
    try:
        answer = getattr(client, operation)(**request)
    except ClientError as error:
        return [error.response["Error"], error.response.get("CancellationReasons")]
    except Exception as error:  # noqa: BLE001 - moto stumbles over some of them, each time in the same way
        return [type(error).__name__, str(error)]
    return json.loads(json.dumps({name: answer.get(name) for name in ("Item", "Attributes")}))
