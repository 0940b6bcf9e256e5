"""The functions' policies, held on the laptop: what the template does not allow, a function is refused here too."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS

from local.cloud.iam_actions import needs_of
from local.cloud.providers.record import Need
from local.cloud.template import Template


class Permissions:
    """Per function, what it may do and what it has done."""

    def __init__(
        self,
        template: Template,
        on_refusal: Callable[[str, str], None] = lambda _name, _why: None,
        read: Callable[[Template, str], Iterable[dict[str, Any]]] | None = None,
    ) -> None:
        """`on_refusal` is told the function's logical id and what it was refused; `read` is `statements_of`, or as
        another release has written what a function may do.
        """
        self._on_refusal = on_refusal
        read = read or statements_of
        self._statements = {name: list(read(template, name)) for name in template.functions}
        self.used: dict[str, set[Need]] = {name: set() for name in template.functions}

    def refusal(self, function: str, needs: Iterable[Need]) -> str | None:
        """Why the function (logical id) may not do this, in IAM's words; None if it may, or is no function."""
        if function not in self._statements:
            return None
        for need in needs:
            self.used[function].add(need)
            if not any(allows(statement, need) for statement in self._statements[function]):
                why = f"{function} is not authorized to perform: {need.action} on resource: {need.resource or '*'}"
                self._on_refusal(function, why)
                return why
        return None

    @contextmanager
    def held_for(self, function: str) -> Iterator[None]:
        """Within it, the AWS clients of this thread are the function's."""
        token = _asking.set((self, function))
        for tell in observers:
            tell(function, "lambda", "Invocation", {})
        try:
            yield
        finally:
            _asking.reset(token)


def statements_of(template: Template, function: str) -> Iterator[dict[str, Any]]:
    """The statements of a function's role, resolved. It has one of its own, written out: SAM would add more to its own.

    Source: SAM, "AWS::Serverless::Function", Role and Policies: with a Role, no policy is made or attached.
    """
    properties = template.resource(function)["Properties"]
    if "Policies" in properties:
        raise ValueError(
            f"{function}: write its Policies into {function}Role, as Statements of the actions that it needs"
        )
    for name, role in template.resources_of("AWS::IAM::Role").items():
        if template.get_att(name, "Arn") == properties.get("Role"):
            for policy in role.get("Policies", []):
                yield from policy["PolicyDocument"]["Statement"]


def allows(statement: Mapping[str, Any], need: Need) -> bool:
    """Whether an Allow statement covers a need. Its conditions are not looked at: only AWS knows what they ask for."""
    if statement.get("Effect") != "Allow" or not _any_matches(statement["Action"], need.action):
        return False
    return not need.resource or _any_matches(statement["Resource"], need.resource)


def _any_matches(patterns: Any, text: str) -> bool:
    return any(_pattern(str(one)).fullmatch(text) for one in (patterns if isinstance(patterns, list) else [patterns]))


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)


observers: list[Callable[[str, str, str, Mapping[str, Any]], object]] = []
"""Each is told of every invocation of a function, and of every request that one makes, before it is made: the function
(logical id), the service, the operation and the parameters, by their names in boto3. `benchmarks/bill.py` counts them.
"""
_asking: ContextVar[tuple[Permissions, str] | None] = ContextVar("asking", default=None)


def _check(params: Mapping[str, Any], model: Any, **_rest: Any) -> None:
    """Botocore's event `provide-client-params`: before anything is sent."""
    asking = _asking.get()
    if asking is None:
        return
    permissions, function = asking
    needs = needs_of(model.service_model.service_name, model.name, params)
    if why := permissions.refusal(function, needs):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": why}}, model.name)
    for tell in observers:
        tell(function, model.service_model.service_name, model.name, params)


# A session takes over the built-in handlers when it is made, so this must be there before the first one is.
BUILTIN_HANDLERS.append(("provide-client-params", _check))
