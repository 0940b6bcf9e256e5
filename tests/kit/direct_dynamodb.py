"""A client of DynamoDB that asks moto's tables themselves: no request is signed, sent, matched, parsed and serialized.

That way costs two to four times what moto does with a request. A bench takes the short one where it makes tens of
thousands, and where the way there is not what it is about.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from botocore.parsers import create_parser
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

from local.cloud.account import ACCOUNT

_method_of = functools.cache(camelcase_to_underscores)
_parser = create_parser("json")


def take_the_short_way(client: Any, before_each: Callable[[], object] = lambda: None) -> None:
    """Makes this client of moto's DynamoDB, in this process, a direct one. It calls `before_each` before each request.

    Its answers have no ResponseMetadata, its waiters and events do nothing, and it checks no parameters; it is for one
    thread. Bytes are refused: moto keeps them in base64, which is part of the way there.
    """
    model = client.meta.service_model

    def call(operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        before_each()
        handler: Any = DynamoHandler()
        handler.region, handler.current_account = client.meta.region_name, ACCOUNT
        handler.body = handler.params = _own(given)
        try:
            answer = getattr(handler, _method_of(operation))().result or {}
        except HTTPException as error:
            raise _refusal(client, model, operation, error) from None
        return {name: value for name, value in answer.items() if value is not None}

    client._make_api_call = call


def _own(value: Any) -> Any:
    """A copy: the tables hold nothing of their caller's."""
    if isinstance(value, dict):
        return {name: _own(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_own(one) for one in value]
    if isinstance(value, bytes):
        raise TypeError("a direct client of DynamoDB takes no bytes")
    return value


def _refusal(client: Any, model: Any, operation: str, error: Any) -> Exception:
    """The exception that botocore makes of moto's answer."""
    response = {"status_code": error.code, "headers": dict(error.get_headers()), "body": error.get_body().encode()}
    parsed = _parser.parse(response, model.operation_model(operation).output_shape)
    code = parsed["Error"]["Code"]
    if (shape := model.shape_for_error_code(code)) is not None:
        parsed.update(_parser.parse(response, shape))
    return client.exceptions.from_code(code)(parsed, operation)
