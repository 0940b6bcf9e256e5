"""`--local` or `--stack NAME`: the options that every command has, and what they stand for."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from cli.deployment import DEFAULT_PORT, Deployment, Place, open_deployment
from cli.failures import told

P = ParamSpec("P")

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "local": (Annotated[bool, typer.Option("--local", help="The service of `make run` on this machine.")], False),
    "port": (Annotated[int, typer.Option(help="With --local: where it runs.", min=1, max=65535)], DEFAULT_PORT),
    "stack": (Annotated[str | None, typer.Option(help="The stack's name, as given to `sam deploy`.")], None),
    "region": (Annotated[str | None, typer.Option(help="With --stack: its region, if not your usual one.")], None),
    "profile": (Annotated[str | None, typer.Option(help="With --stack: your AWS profile, if not the usual.")], None),
}


def on_deployment(command: Callable[Concatenate[Deployment, P], None]) -> Callable[..., None]:
    """Gives a command the deployment that it works on, and the options that say which.

    A test gives its own way to open one as the context's `obj`.
    """
    return _with_options(command, 1)


def on_place(command: Callable[Concatenate[Deployment, Place, P], None]) -> Callable[..., None]:
    """As `on_deployment`, for a command that also wants to know how the deployment was named."""
    return _with_options(command, 2)


def _with_options(command: Callable[..., None], given_first: int) -> Callable[..., None]:
    """`given_first`: 1, the command takes the deployment; 2, its place as well."""

    @functools.wraps(command)
    def run(ctx: typer.Context, **given: Any) -> None:
        place = _place(**{field.name: given.pop(field.name) for field in fields(Place)})
        opened: Callable[[Place], Deployment] = ctx.obj or open_deployment
        with told(local=place.local):
            command(*(opened(place), place)[:given_first], **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    own = list(inspect.signature(command).parameters.values())[given_first:]
    parameters = [
        inspect.Parameter("ctx", kind, annotation=typer.Context),
        *(parameter.replace(kind=kind) for parameter in own),
        *(inspect.Parameter(name, kind, annotation=a, default=default) for name, (a, default) in _OPTIONS.items()),
    ]
    signature: Any = run
    signature.__signature__ = inspect.Signature(parameters)
    return run


def _place(**given: Any) -> Place:
    place = Place(**given)
    if place.local and place.stack:
        raise typer.BadParameter("give either --local or --stack NAME, not both.")
    if not place.local and not place.stack:
        raise typer.BadParameter("say where: --stack NAME, or --local for a `make run` on this machine.")
    if place.local and (place.region or place.profile):
        raise typer.BadParameter("--region and --profile belong to --stack.")
    return place
