"""Combinations of choices in which every two values of two choices meet: far fewer than all of them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

Pair = frozenset[tuple[str, str]]


def pairwise(choices: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Combinations, one value for each choice, that have every pair of values of two choices in at least one of them.

    Greedy: each begins with a pair that is still missing, and takes of every other choice the value that adds most.
    """
    missing = {
        frozenset({(one, value), (other, its_value)})
        for one, other in combinations(choices, 2)
        for value in choices[one]
        for its_value in choices[other]
    }
    while missing:
        chosen = dict(min(missing, key=sorted))
        for name in (name for name in choices if name not in chosen):
            chosen[name] = max(choices[name], key=lambda value: len(_pairs({**chosen, name: value}) & missing))
        missing -= _pairs(chosen)
        yield {name: chosen[name] for name in choices}


def _pairs(chosen: Mapping[str, str]) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(chosen.items(), 2)}
