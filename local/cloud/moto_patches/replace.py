"""How a repair takes the place of one of moto's functions."""

import functools
from collections.abc import Callable
from typing import Any

Replacement = Callable[..., Any]


def instead_of(owner: Any, name: str) -> Callable[[Replacement], Replacement]:
    """A decorator: its function takes the place of `owner.name`; before the arguments it gets the stock function."""

    def put_in_place(replacement: Replacement) -> Replacement:
        stock = getattr(owner, name)

        @functools.wraps(stock)
        def replaced(*arguments: Any, **named: Any) -> Any:
            return replacement(stock, *arguments, **named)

        setattr(owner, name, replaced)
        return replacement

    return put_in_place
