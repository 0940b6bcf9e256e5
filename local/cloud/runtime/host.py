"""The built functions, each in as many of Lambda's environments as it has invocations at once."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from subprocess import DEVNULL
from threading import Condition
from typing import IO, Any

from local.cloud.functions import UnknownFunctionError, name_of, with_overrides
from local.cloud.runtime.answers import read_answer
from local.cloud.runtime.emulator import Emulator, emulator_command, environment_of
from local.cloud.template import FunctionSpec, Template
from local.network.shared.invoker import FunctionError

MOST = 8
"""Environments of one function. A further invocation waits for one of them, where Lambda would start another."""

MAX_REQUEST_BYTES = 6 * 1024 * 1024


class RuntimeHost:
    """Invokes functions as `local.cloud.functions.FunctionHost` does, but each in a process of Lambda's runtime.

    An environment is started when an invocation finds none idle, and is kept: its next invocation is a warm one.
    """

    def __init__(
        self,
        template: Template,
        endpoint: str,
        overrides: Mapping[str, Any] | None = None,
        on_error: Callable[[str, FunctionError], None] = lambda _name, _error: None,
        *,
        log: IO[bytes] | int = DEVNULL,
        most: int = MOST,
    ) -> None:
        """In: where the functions find their AWS; `log`, an open file for their output or nowhere."""
        emulator_command()  # what is missing is said now, not by the first invocation
        self._specs = {spec.name: spec for spec in template.functions.values()}
        variables = with_overrides(template, overrides or {})
        self._environments = {
            spec.name: environment_of(spec, variables[spec.logical_id], endpoint) for spec in self._specs.values()
        }
        self._on_error, self._log, self._most = on_error, log, most
        self._changed = Condition()
        self._idle: dict[str, list[Emulator]] = {name: [] for name in self._specs}
        self._all: dict[str, list[Emulator]] = {name: [] for name in self._specs}
        self._stopped = False

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function (name or ARN); its answer. Raises FunctionError or UnknownFunctionError."""
        spec = self._specs.get(name_of(function))
        if spec is None:
            raise UnknownFunctionError(f"Function not found: {function}")
        try:
            return self._invoke(spec, json.dumps(event).encode())
        except FunctionError as failure:
            self._on_error(spec.name, failure)
            raise

    def stop(self) -> None:
        """End every environment, in the middle of an invocation too."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            environments = [environment for every in self._all.values() for environment in every]
        for environment in environments:
            environment.stop()

    def _invoke(self, spec: FunctionSpec, event: bytes) -> Any:
        if len(event) > MAX_REQUEST_BYTES:
            raise FunctionError("RequestTooLargeException", f"an event of {len(event)} bytes is over 6 MB")
        environment = self._take(spec)
        try:
            status, body = environment.invoke(event)
        except ConnectionError as gone:
            self._drop(spec, environment)
            raise FunctionError("Runtime.ExitError", str(gone)) from gone
        self._give_back(spec, environment)
        return read_answer(status, body)

    def _take(self, spec: FunctionSpec) -> Emulator:
        """An idle environment, or a new one; waits for one while there are as many as there may be."""
        idle, every = self._idle[spec.name], self._all[spec.name]
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or idle or len(every) < self._most)
            if self._stopped:
                raise FunctionError("Runtime.ExitError", "the laptop cloud stops")
            if idle:
                return idle.pop()
            environment = Emulator(spec, self._environments[spec.name], self._log)
            every.append(environment)
        try:
            environment.start()
        except Exception:
            self._drop(spec, environment)
            raise
        return environment

    def _give_back(self, spec: FunctionSpec, environment: Emulator) -> None:
        with self._changed:
            self._idle[spec.name].append(environment)
            self._changed.notify_all()

    def _drop(self, spec: FunctionSpec, environment: Emulator) -> None:
        environment.stop()
        with self._changed, suppress(ValueError):
            self._all[spec.name].remove(environment)
            self._changed.notify_all()
