"""Repairs of what botocore does again for each session and client: the laptop makes fifty each time that it starts."""
# ruff: noqa: SLF001  (a repair works on what botocore keeps to itself)

from typing import Any

from botocore import hooks, regions, session
from botocore.client import ClientCreator
from botocore.hooks import EVENT_ALIASES, EventAliaser, NodeList

from local.cloud.moto_patches.replace import Replacement, instead_of


def read_each_description_once() -> None:
    """Each session reads the descriptions of its services from their files again: 80 ms for DynamoDB alone.

    Moto begins a new session whenever it starts.
    """
    read: dict[Any, dict[Any, Any]] = {}

    @instead_of(session, "create_loader")
    def create_loader(stock: Replacement, search_path: str | None = None) -> Any:
        loader = stock(search_path)
        loader._cache = read.setdefault(search_path, loader._cache)
        return loader


def alias_each_event_once() -> None:
    """Each client looks for the present names of its events among a hundred old ones, whenever it is made."""
    names: dict[str, str] = {}

    @instead_of(EventAliaser, "__init__")
    def init(stock: Replacement, aliaser: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        stock(aliaser, event_emitter, event_aliases)
        if aliaser._event_aliases == EVENT_ALIASES:
            aliaser._alias_name_cache = names


def copy_handlers_by_their_kind() -> None:
    """Each client copies 400 nodes of handlers, each by way of `copy.copy`: a quarter of what it takes to make one."""

    def copied(node: dict[str, Any]) -> dict[str, Any]:
        """A copy that shares no list and no dictionary with the tree, and the leaves alone."""
        copy: dict[str, Any] = {}
        for key, value in node.items():
            kind = type(value)
            if kind is NodeList:
                copy[key] = NodeList(value.first[:], value.middle[:], value.last[:])
            else:
                copy[key] = copied(value) if kind is dict else value
        return copy

    trie: Any = vars(hooks)["_PrefixTrie"]

    @instead_of(trie, "_recursive_copy")
    def recursive_copy(_stock: Replacement, _trie: Any, node: dict[str, Any]) -> dict[str, Any]:
        return copied(node)


def make_methods_of_a_service_once() -> None:
    """Each client makes the methods of its service again: 57 with a description each for DynamoDB."""
    made: dict[Any, dict[str, Any]] = {}

    @instead_of(ClientCreator, "_create_methods")
    def create_methods(stock: Replacement, creator: Any, service_model: Any) -> dict[str, Any]:
        service = service_model.service_name, service_model.api_version
        if service not in made:
            made[service] = stock(creator, service_model)
        # What listens to the making of a client adds to its methods.
        return dict(made[service])


def read_rules_of_endpoints_once() -> None:
    """Each client makes objects of all rules by which the endpoint of its service is found."""
    read: dict[Any, Any] = {}

    @instead_of(regions, "EndpointProvider")
    def provider(stock: Replacement, ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        place = id(ruleset_data), id(partition_data)
        if place not in read:
            # The data too: as long as they are kept, nothing else has their places.
            read[place] = stock(ruleset_data, partition_data, excluded_params), ruleset_data, partition_data
        return read[place][0]
