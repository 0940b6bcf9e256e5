"""Repairs of what botocore does again for each session and client: the laptop makes fifty each time that it starts."""
# ruff: noqa: SLF001  (a repair works on what botocore keeps to itself)

from typing import Any

from botocore import hooks, session
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
