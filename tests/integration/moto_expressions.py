"""Expressions as DynamoDB gets them: what moto answers to each must not depend on which were read before."""

import contextlib
import itertools
import json
from typing import Any

from botocore.exceptions import ClientError

UPDATES = (
    "SET a = :v, #b = :w",
    "SET a = :v, a = :w",
    "SET c = a, a = c",
    "SET c = a, a = :w, d = :v REMOVE a",
    "SET c = m, m.inner.#b = :v",
    "SET c = if_not_exists(gone, :w), d = if_not_exists(a, gone)",
    "SET c = if_not_exists(gone, other)",
    "SET c = gone + :one",
    "SET n = if_not_exists(n, :one) + :one, c = if_not_exists(c, :one) - :one",
    "SET e = list_append(if_not_exists(gone, :list), e), e[1] = :v",
    "SET e = list_append(gone, :list)",
    "SET e[1] = :w, e[9] = :v REMOVE e[0]",
    "SET m.inner = :w, m.other = :tags",
    "SET a.inner = :v",
    "SET n = n + :v",
    "SET n = n + :one + :one",
    "SET n = (n + :one)",
    "SET sk = :one",
    "ADD n :one, c :one, tags :tags, #b :one",
    "ADD m.inner.n :one, m.tags :tags",
    "DELETE tags :tags",
    "DELETE others :tags, gone :tags",
    "DELETE a :tags",
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
    said += _kept(client)
    heavy = {"Item": {**KEY, **{f"text{n}": {"S": "x" * 100_000} for n in range(5)}}}
    said.append(_answer(client, "put_item", **heavy))
    return said


def _kept(client: Any) -> list[Any]:
    """What stands there after updates that build on each other, of which some fail, alone and in transactions."""
    keys: Any = [{"AttributeName": key, "KeyType": kind} for key, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    types: Any = [{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")]
    # No stream: each transaction of stock moto copies all that was ever written.
    client.create_table(TableName="kept", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    said: list[Any] = []
    client.put_item(TableName="kept", Item=ITEM)
    fails = {"TableName": "kept", "Key": KEY, "ConditionExpression": "attribute_not_exists(pk)"}
    for update in UPDATES:
        request: dict[str, Any] = {"TableName": "kept", "Key": KEY, "UpdateExpression": update}
        if "#b" in update:
            request["ExpressionAttributeNames"] = {"#b": "bb"}
        if taken := {name: value for name, value in {**ALWAYS, **VALUES}.items() if name in update}:
            request["ExpressionAttributeValues"] = taken
        said.append(_answer(client, "update_item", **request))
        other = {"Update": {**request, "Key": {**KEY, "sk": {"S": "other"}}}}
        for parts in ([other, {"ConditionCheck": fails}], [{"Update": request}]):
            with contextlib.suppress(Exception):  # what is refused has changed nothing
                client.transact_write_items(TransactItems=parts)
        names = "a, bb, c, n, gone, tags, m, e, pk"
        said.append(_answer(client, "get_item", TableName="kept", Key=KEY, ProjectionExpression=names))
    said.append(_answer(client, "get_item", TableName="kept", Key=KEY, ProjectionExpression="a, n, e[0], m.inner"))
    grown: dict[str, Any] = {":list": {"L": [{"S": "x" * 110_000}]}, ":v": {"S": "x" * 110_000}, ":tags": {"SS": ["y"]}}
    for update in (
        "SET big = :v, m.big = :list ADD more :tags",
        "SET big = :v, m.wide = :list, late = :v ADD more :tags",
    ):
        request = {"UpdateExpression": update, "ExpressionAttributeValues": grown}
        said.append(str(_answer(client, "update_item", TableName="kept", Key=KEY, **request))[:500])
    found = client.scan(TableName="kept", ProjectionExpression="pk, sk, a, bb, n, late")
    return [*said, found["Items"]]


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
    return _sorted(json.loads(json.dumps({name: answer.get(name) for name in ("Item", "Attributes")})))


def _sorted(value: Any) -> Any:
    """The same with its sets in order: they have none."""
    if isinstance(value, dict):
        return {name: sorted(one) if name == "SS" else _sorted(one) for name, one in value.items()}
    return value
