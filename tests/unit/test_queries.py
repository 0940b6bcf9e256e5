"""Who asks DynamoDB once knows why: a query reads 1 MB at most, before it filters (API reference, Query).

Each call of `query` or `scan` that no paginator makes is listed here, with what keeps it below that, or what follows
the cursor.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from speechcall.dialling.use_cases import find_next, sweep, sweep_campaigns
from speechcall.evidence.use_cases import work_for_people
from speechcall.messages.adapters import turns_store
from speechcall.rehearsal.adapters import own_standing
from speechcall.status.adapters import history_store
from speechcall.stopping.use_cases import carry_out_stops

ROOT = Path(__file__).parents[2]
CORE = "layers/core/speechcall"
ONE_QUERY = 1_000_000
KEYS, SMALL = 400, 700
"""The most bytes of an item of which the index has the keys alone: five texts, the longest with an account, a campaign
and hours in it. And of a whole item without anything that grows."""


@dataclass(frozen=True)
class Follows:
    """It gives its caller the cursor that DynamoDB gave it, however short the page."""


@dataclass(frozen=True)
class Bounded:
    """It asks for so many (`Limit`) of so many bytes at most."""

    most: int
    each: int
    why: str = ""
    grows: int = 0
    """Bytes of what grows in them, of all together."""


@dataclass(frozen=True)
class Few:
    """All of a partition, which never holds much."""

    why: str


LISTED = {
    f"{CORE}/callbacks/adapters/called_numbers.py DynamoCalledNumbers.last_call": Bounded(1, KEYS),
    f"{CORE}/campaigns/adapters/campaigns_store.py DynamoCampaigns._latest": Follows(),
    f"{CORE}/campaigns/adapters/campaigns_store.py DynamoCampaigns.accepting": Bounded(sweep_campaigns.PAGE, SMALL),
    f"{CORE}/deployment/adapters/provider_change.py _holds_one": Bounded(1, KEYS),
    f"{CORE}/evidence/adapters/person_jobs.py DynamoPersonJobs.due": Bounded(work_for_people.MOST_JOBS, SMALL),
    f"{CORE}/evidence/adapters/person_records.py DynamoPersonRecords.page": Follows(),
    f"{CORE}/messages/adapters/stops_store.py DynamoStops._query": Bounded(
        max(carry_out_stops.LISTS_READ, carry_out_stops.MOST_JOBS), SMALL
    ),
    f"{CORE}/messages/adapters/turns_store.py DynamoTurns._in_order": Bounded(
        max(find_next.MOST_READ, own_standing.MOST_OTHERS),
        SMALL,
        "turns, and queues; of messages the keys. Behind an account's cancelled messages, which may still be in the "
        "index, more is asked for: only as many as were cancelled within its lag",
        grows=3000
        * 22,  # the attempts that hold lines, of all accounts: 300 (template.yaml), and what is not taken out yet
    ),
    f"{CORE}/messages/adapters/turns_store.py DynamoTurns.open_due": Bounded(turns_store.MOST_OPENED, SMALL),
    f"{CORE}/optouts/adapters/opt_outs_store.py OptOutEntries.page": Follows(),
    f"{CORE}/shared/adapters/due_index.py due_in": Bounded(
        sweep.PAGE * sweep.PAGES, KEYS, "who asks for more than that comes again in a minute"
    ),
    f"{CORE}/status/adapters/call_signer.py KmsCallSigner.known_keys": Few(
        "a key of KMS for each time that one was made"
    ),
    f"{CORE}/status/adapters/history_store.py DynamoHistory.backlog": Bounded(history_store.MOST_COUNTED, KEYS),
    f"{CORE}/status/adapters/history_store.py DynamoHistory.waiting_before": Bounded(history_store.MOST_COUNTED, KEYS),
    f"{CORE}/webhooks/adapters/delivery_endings.py DynamoEndings.given_up_page": Follows(),
}


def calls_in(path: Path) -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Each call of `query` or `scan` in a file, with the names of what it stands in, and its function."""

    def walk(node: ast.AST, names: tuple[str, ...], function: ast.AST) -> Iterator[tuple[str, ast.Call, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from walk(child, (*names, child.name), function)
            elif isinstance(child, ast.FunctionDef):
                yield from walk(child, (*names, child.name), child)
            else:
                if isinstance(child, ast.Call) and getattr(child.func, "attr", "") in ("query", "scan"):
                    yield ".".join(names), child, function
                yield from walk(child, names, function)

    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from walk(tree, (), tree)


ALL = [
    (f"{path.relative_to(ROOT)} {place}", call, function)
    for folder in (CORE, "functions", "cli")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if any(word in path.read_text(encoding="utf-8") for word in (".query(", ".scan("))
    for place, call, function in calls_in(path)
]
FOUND = {place: (call, function) for place, call, function in ALL}


def test_each_query_without_a_paginator_is_listed_with_what_bounds_it() -> None:
    assert sorted(place for place, _, _ in ALL) == sorted(LISTED)


@pytest.mark.parametrize("place", LISTED)
def test_it_is_so(place: str) -> None:
    call, function = FOUND[place]
    texts = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
    words = {keyword.arg for keyword in call.keywords} | texts
    match LISTED[place]:
        case Bounded(most, each, _, grows):
            assert "Limit" in words
            assert most * each + grows < ONE_QUERY
            assert "FilterExpression" not in words
        case Follows():
            assert {"Limit", "LastEvaluatedKey"} <= words
        case Few(why):
            assert why


def test_what_is_looked_for_is_found(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("class A:\n  def b(self):\n    def c():\n      return [self.x.scan(T=1) for _ in y.query()]\n")
    assert [(place, call.func.attr) for place, call, _ in calls_in(file) if isinstance(call.func, ast.Attribute)] == [
        ("A.b.c", "scan"),
        ("A.b.c", "query"),
    ]
