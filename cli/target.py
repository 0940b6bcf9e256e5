"""`--local`, `--stack NAME` or `--url URL`: the options that say where, and what they stand for."""

import functools
import inspect
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from cli import api, changes
from cli.api import Api
from cli.as_json import NAME, AsJson, sentences
from cli.deployment import DEFAULT_PORT, Deployment, Place, open_deployment
from cli.failures import told

P = ParamSpec("P")

_PORT = typer.Option(help="With --local: where it runs.", min=1, max=65535, show_default=f"{DEFAULT_PORT}")
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "local": (Annotated[bool, typer.Option("--local", help="The service of `make run` on this machine.")], False),
    "port": (Annotated[int | None, _PORT], None),
    "stack": (Annotated[str | None, typer.Option(help="The stack's name, as given to `sam deploy`.")], None),
    "region": (Annotated[str | None, typer.Option(help="With --stack: its region, if not your usual one.")], None),
    "profile": (Annotated[str | None, typer.Option(help="With --stack: your AWS profile, if not the usual.")], None),
}

_URL = Annotated[
    str | None, typer.Option("--url", envvar="SPEECHCALL_URL", metavar="URL", help="For customers: of the API.")
]


def on_deployment(command: Callable[Concatenate[Deployment, P], None]) -> Callable[..., None]:
    """Gives a command the deployment that it works on, and the options that say which.

    A test gives its own way to open one as the context's `obj`.
    """
    return _with_options(command, 1)


def on_place(command: Callable[Concatenate[Deployment, Place, P], None]) -> Callable[..., None]:
    """As `on_deployment`, for a command that also wants to know how the deployment was named."""
    return _with_options(command, 2)


def on_api_or_deployment(command: Callable[Concatenate[Api | Deployment, P], None]) -> Callable[..., None]:
    """As `on_deployment`, for a command that a customer has as well: with --url it gets the API."""
    return _with_options(command, 1, by_url=True)


def without_deployment(command: Callable[..., None]) -> Callable[..., None]:
    """For a command that needs no deployment and has --json: tells what went wrong, then as JSON too."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        with told(as_json=given[NAME]):
            command(**given)

    signature: Any = run
    signature.__signature__ = inspect.signature(command)
    return run


def _with_options(command: Callable[..., None], given_first: int, *, by_url: bool = False) -> Callable[..., None]:
    """A command with the options that say where, and --json, added. It is given the deployment that these options name.

    `given_first`: 1, the command takes the deployment; 2, its place as well. `by_url`: it may be given the API instead.
    What a command without --json of its own prints becomes JSON here. What it changes is recorded, but for the API's.
    """
    own = list(inspect.signature(command).parameters.values())[given_first:]
    has_json = any(parameter.name == NAME for parameter in own)

    @functools.wraps(command)
    def run(ctx: typer.Context, **given: Any) -> None:
        chosen = {field.name: given.pop(field.name) for field in fields(Place)}
        url = _url(ctx, given.pop("url"), chosen) if by_url else None
        place = _place(url, by_url=by_url, **chosen)  # checked with a URL too, which other options do not go with
        opened: Callable[[Place], Deployment] = ctx.obj or open_deployment
        # A command with --json of its own says itself what it says; of any other the sentences become JSON.
        as_json = given[NAME] if has_json else given.pop(NAME)
        with told(local=place.local, as_json=as_json) as said, sentences(as_json and not has_json, said):
            if url:
                with closing(api.open_api(url)) as asked:
                    command(asked, **given)
            else:
                deployment = opened(place)
                with changes.recorded(deployment, command, given):
                    command(*(deployment, place)[:given_first], **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    options = {**({} if has_json else {NAME: (AsJson, False)}), **({"url": (_URL, None)} if by_url else {}), **_OPTIONS}
    parameters = [
        inspect.Parameter("ctx", kind, annotation=typer.Context),
        *(parameter.replace(kind=kind) for parameter in own),
        *(inspect.Parameter(name, kind, annotation=a, default=default) for name, (a, default) in options.items()),
    ]
    signature: Any = run
    signature.__signature__ = inspect.Signature(parameters)
    return run


def _url(ctx: typer.Context, url: str | None, chosen: dict[str, Any]) -> str | None:
    """The URL of the API, if that is meant; None: a deployment is. One in the environment gives way to a deployment.

    `chosen`: the options that name a deployment. Raises BadParameter where both are on the command line.
    """
    if not url or not (chosen["local"] or chosen["stack"]):
        return url
    source = ctx.get_parameter_source("url")
    if source is not None and source.name == "ENVIRONMENT":
        return None
    raise typer.BadParameter("give one of --url, --local and --stack NAME.")


def _place(url: str | None, *, by_url: bool, port: int | None, **given: Any) -> Place:
    """Which deployment is meant; with `url`, that of the API, an empty place.

    `by_url`: the command takes --url. `port`: None if it was not given. Raises BadParameter if nothing says where,
    or for options that do not go together.
    """
    place = Place(**given, port=DEFAULT_PORT if port is None else port)
    if place.local and place.stack:
        raise typer.BadParameter("give either --local or --stack NAME, not both.")
    if not url and not place.local and not place.stack:
        customers = "--url URL with a key in SPEECHCALL_KEY, " if by_url else ""
        raise typer.BadParameter(f"say where: {customers}--stack NAME, or --local for a `make run` on this machine.")
    if not place.stack and (place.region or place.profile):
        raise typer.BadParameter("--region and --profile belong to --stack.")
    if not place.local and port is not None:
        raise typer.BadParameter("--port belongs to --local.")
    return place
