"""What a command changes stands in the audit trail: which commands those are, and what is kept of how they were called.

A command that changes something says so with `@changing`. Without it nothing that it writes is written: the trail
refuses (`Unrecorded`). So a new command cannot forget it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from enum import Enum
from typing import Any, TypeVar

from cli.deployment import Deployment
from speechcall.evidence.rules.audit import Change
from speechcall.shared.rules.spelling import in_camel_case

Command = TypeVar("Command", bound=Callable[..., None])
Item = TypeVar("Item")
Result = TypeVar("Result")

_ACTION, _KEPT = "__changes__", "__kept__"
_ACCOUNT = ("account_id", "account")
"""What the parameter of the account may be called."""
_NAMES = {
    "list_id": "messagelistId",
    "message": "messageId",
    "webhook": "webhookId",
    "list_name": "list",
    "all_": "all",
}
"""Parameters that are called otherwise where customers see them."""


def changing(action: str, *kept: str) -> Callable[[Command], Command]:
    """A decorator under `@on_deployment`: it marks a command that changes something.

    `action`: its name in the trail. `kept`: the parameters that stand there too, if they were given: only such as hold
    no secret, no telephone number and no path of a file.
    """

    def mark(command: Command) -> Command:
        setattr(command, _ACTION, action)
        setattr(command, _KEPT, kept)
        return command

    return mark


def action_of(command: Callable[..., Any]) -> str | None:
    """The name in the trail of what a command changes; None: it changes nothing."""
    return getattr(command, _ACTION, None)


@contextmanager
def recorded(deployment: object, command: Callable[..., Any], given: Mapping[str, Any]) -> Iterator[None]:
    """A context in which the first write of a command takes its record with it, in one transaction: one for a command.

    `given`: the command's arguments, by parameter. If none of them is the account, `belongs_to` may say it later.
    Nothing is recorded for a command without `@changing`, whose writes the trail then refuses, nor on a test's stand-in
    for a deployment, which has no audit trail.
    """
    action = action_of(command)
    if action is None or not isinstance(deployment, Deployment):
        yield
        return
    asked = {
        _NAMES.get(name) or in_camel_case(name): _shown(given[name])
        for name in getattr(command, _KEPT)
        if _is_given(given.get(name))
    }
    account_id = next((given[name] for name in _ACCOUNT if given.get(name)), "")
    change = Change(action, deployment.actor, account_id, asked)
    with deployment.trail.recording(lambda: change):
        yield


def belongs_to(deployment: object, account_id: Callable[[], str]) -> None:
    """Tells the audit trail to which account a change belongs, where no argument of the command says it."""
    if isinstance(deployment, Deployment):
        deployment.trail.about(account_id())


def record_alone(deployment: object) -> None:
    """Writes the record of a command that changes something outside the tables. It is written before that change."""
    if isinstance(deployment, Deployment):
        deployment.trail.record_alone()


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """The results for all items, in their order, from at most `most` threads. The first exception of `work` goes on.

    Each thread works in a copy of this thread's context: by that the audit trail knows which command it records.
    """
    with ThreadPoolExecutor(most) as workers:
        yield from workers.map(lambda one: one[0].run(work, one[1]), ((copy_context(), item) for item in items))


def _is_given(value: Any) -> bool:
    """Whether a parameter says anything: the number 0 does; None, False, and an empty text or list do not."""
    return bool(value) or (isinstance(value, int) and value is not False)


def _shown(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return [_shown(one) for one in value] if isinstance(value, list | tuple) else value
