"""The functions of the template, hosted in this process: loaded and invoked as Lambda loads and invokes them."""

import importlib.util
import itertools
import json
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.cloud import handler_output
from local.cloud.intrinsics import TemplateError
from local.cloud.permissions import Permissions
from local.cloud.template import FunctionSpec, Template
from local.network.shared.invoker import FunctionError

Overrides = Mapping[str, Mapping[str, str]] | Mapping[str, str] | Mapping[str, str | Mapping[str, str]]
"""Variables to replace: by function ({"DialerFunction": {"LINES": "3"}}), or for every function that has them."""

_PROCESS_VARIABLES = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")
_hosts = itertools.count(1)


class UnknownFunctionError(LookupError):
    """Nobody has a function of that name."""


@dataclass
class LambdaContext:
    """The second argument of a handler."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    timeout: int
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None
    _started: float = field(default_factory=time.monotonic)

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return f"local/[$LATEST]{self.aws_request_id}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the invocation. Here nothing ends it: a thread cannot be killed."""
        return max(0, round((self._started + self.timeout - time.monotonic()) * 1000))


class Functions(Protocol):
    """What runs the functions: this process, or environments of Lambda's runtime."""

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function (name or ARN); what it returns. A FunctionError, or an UnknownFunctionError."""


class FunctionHost:
    """Every function of a template, loaded.

    Invocations may run at the same time, each in its caller's thread.
    """

    def __init__(
        self,
        template: Template,
        overrides: Overrides | None = None,
        on_error: Callable[[str, FunctionError], None] = lambda _name, _error: None,
        permissions: Permissions | None = None,
    ) -> None:
        self._on_error = on_error
        self._permissions = permissions or Permissions(template)
        self._specs = {spec.name: spec for spec in template.functions.values()}
        environments = with_overrides(template, overrides or {})
        prefix = f"local_function_{next(_hosts)}"
        self._handlers = {
            spec.name: _load(f"{prefix}_{spec.logical_id}", spec, environments[spec.logical_id])
            for spec in template.functions.values()
        }

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function (name, or ARN with or without alias) on a copy of `event`; a copy of what it returns.

        A FunctionError if the handler raises or returns what is not JSON; an UnknownFunctionError if there is none.
        """
        spec = self._specs.get(name_of(function))
        if spec is None:
            raise UnknownFunctionError(f"Function not found: {function}")
        context = LambdaContext(spec.name, spec.arn, spec.memory, spec.timeout)
        try:
            with handler_output.as_a_function(context), self._permissions.held_for(spec.logical_id):
                return _copied(self._handlers[spec.name](_copied(event), context))
        except Exception as error:
            failure = FunctionError(type(error).__name__, str(error), traceback.format_exception(error))
            self._on_error(spec.name, failure)
            raise failure from error


def name_of(function: str) -> str:
    """A function's name out of its name, `name:alias`, or ARN."""
    parts = function.split(":")
    return parts[parts.index("function") + 1] if "function" in parts else parts[0]


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def with_overrides(template: Template, overrides: Overrides) -> dict[str, dict[str, str]]:
    """Each function's variables. Only what the template declares can be replaced: it stays the one list of them."""
    environments = {logical_id: dict(spec.environment) for logical_id, spec in template.functions.items()}
    for name, value in overrides.items():
        targets = [name] if isinstance(value, Mapping) else [i for i, had in environments.items() if name in had]
        variables = value if isinstance(value, Mapping) else {name: value}
        for logical_id in targets:
            unknown = sorted(set(variables) - set(environments.get(logical_id, {})))
            if unknown:
                raise TemplateError(f"the template gives {logical_id} no variable {', '.join(unknown)}")
            environments[logical_id].update(variables)
        if not targets:
            raise TemplateError(f"the template gives no function a variable {name}")
    return environments


def _load(module_name: str, spec: FunctionSpec, environment: Mapping[str, str]) -> Callable[[Any, Any], Any]:
    """Import a function's module by its path, under its environment; the handler."""
    module_part, handler_name = spec.handler.rsplit(".", 1)
    path = spec.code_dir / f"{module_part}.py"
    module_spec = importlib.util.spec_from_file_location(module_name, path)
    if module_spec is None or module_spec.loader is None or not path.is_file():
        raise TemplateError(f"{spec.logical_id}: there is no {path}")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_name] = module
    with _environment_of(spec, environment), handler_output.loading():
        module_spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = getattr(module, handler_name)
    return handler


@contextmanager
def _environment_of(spec: FunctionSpec, variables: Mapping[str, str]) -> Iterator[None]:
    """Exactly what Lambda would give this function: its variables, AWS's own, and what any process needs."""
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if name.startswith("AWS_") or name in _PROCESS_VARIABLES}
    own = {
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
    }
    os.environ.clear()
    os.environ.update({**kept, **own, **variables})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
