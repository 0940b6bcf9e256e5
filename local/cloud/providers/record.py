"""What the laptop cloud needs of a provider, in addition to its simulated network in `local/network`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from local.cloud.event_files import EventFile
from local.common.journal import Journal
from local.network.phone_page.app import Call, Calls, PhoneApp
from local.network.shared.invoker import Invoker
from local.network.shared.service_api import ServiceApi

if TYPE_CHECKING:
    from local.cloud.template import Template


class LiveCalls(Calls, Protocol):
    """The calls of a simulated network."""

    def live(self) -> Sequence[Call]: ...


class Simulator(Protocol):
    """A simulated telephone network: `api` is what the product's client asks, `phone_app` the phones' page."""

    hello: Callable[[], dict[str, Any]]

    @property
    def contacts(self) -> LiveCalls: ...
    @property
    def api(self) -> ServiceApi: ...
    @property
    def phone_app(self) -> PhoneApp: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, order=True)
class Need:
    """One action on one resource; "" where the request does not tell the resource (a task token)."""

    action: str
    resource: str


@dataclass(frozen=True)
class Surroundings:
    """What a simulated network works with. `emit` puts an event on the bus."""

    template: "Template"
    invoke: Invoker
    emit: Callable[[dict[str, Any]], None]
    read_prompt: Callable[[str], bytes]
    journal: Journal


@dataclass(frozen=True)
class SimulatedProvider:
    """A provider on the laptop."""

    parameters: Mapping[str, str]
    """The template's parameters that only this provider has."""
    make: "Callable[[Surroundings, Mapping[str, Any]], Simulator]"
    """Its simulated network, with changes to the settings that follow from the template. It imports the network when
    it is called: who only reads the template does not need it."""
    event_files: tuple[EventFile, ...]
    """The events of events/ that functions of such a stack take; those of no provider come with Amazon Connect's."""
    request_of: Callable[[str, str, bytes], tuple[str, Mapping[str, Any]]]
    """Which operation of its API a request over HTTP is, by method, path and body; and the parameters that `needs`
    looks at."""
    needs: Callable[[str, Mapping[str, Any]], Iterator[Need]]
    """What an operation of its API needs to be allowed (Service Authorization Reference)."""
    attributes_of: Callable[[str], Mapping[str, dict[str, str]]]
    """By resource type, what `Fn::GetAtt` gives of a resource of its nested stack that has this id."""
