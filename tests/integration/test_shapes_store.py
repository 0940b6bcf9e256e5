"""One contract for the shapes of menus: DynamoDB and memory do the same; and DynamoDB where two requests meet."""

import threading
from datetime import UTC, datetime

import pytest

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.adapters.shapes_store import DAY_KEPT_SECONDS, DynamoShapes
from speechcall.shared.rules.errors import StoreUnavailable, TooManyMenuShapes
from tests.kit.registry import TABLE, empty_registry
from tests.kit.samples import NOW
from tests.stores.shapes import MemoryShapes

ACME, OTHER = Account("acme", ("*",)), Account("other", ("*",))
DAY_MSEC = 24 * 3600 * 1000


def shapes(first, last):
    return {f"{number:040x}" for number in range(first, last)}


@pytest.fixture
def client():
    with empty_registry() as client:
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def lists(request):
    return MemoryShapes() if request.param == "memory" else DynamoLists(request.getfixturevalue("client"), TABLE)


def fill(lists, count, account=ACME, start=0):
    """Brings `count` new shapes, in requests of at most a hundred."""
    for first in range(start, start + count, 100):
        lists.admit_shapes(account, shapes(first, min(first + 100, start + count)), NOW)


# ------------------------------------------------------------------ contract
def test_the_two_hundredth_new_shape_of_a_day_is_taken_and_the_next_is_not(lists):
    fill(lists, NEW_SHAPES_PER_DAY)
    with pytest.raises(TooManyMenuShapes):
        lists.admit_shapes(ACME, shapes(200, 201), NOW)


def test_known_shapes_are_always_taken(lists):
    fill(lists, NEW_SHAPES_PER_DAY)
    lists.admit_shapes(ACME, shapes(0, 100), NOW)
    lists.admit_shapes(ACME, set(), NOW)


def test_a_request_that_holds_too_many_leaves_none_of_its_shapes_known(lists):
    fill(lists, NEW_SHAPES_PER_DAY - 1)
    for _ in range(2):
        with pytest.raises(TooManyMenuShapes):
            lists.admit_shapes(ACME, shapes(0, 1) | shapes(300, 302), NOW)
    lists.admit_shapes(ACME, shapes(300, 301), NOW)


def test_what_one_account_has_brought_is_known_to_all_and_counts_for_none_of_them(lists):
    fill(lists, NEW_SHAPES_PER_DAY)
    fill(lists, NEW_SHAPES_PER_DAY, OTHER)
    fill(lists, NEW_SHAPES_PER_DAY, OTHER, start=1000)


def test_the_next_day_is_another_day(lists):
    fill(lists, NEW_SHAPES_PER_DAY)
    midnight = (NOW // DAY_MSEC + 1) * DAY_MSEC
    with pytest.raises(TooManyMenuShapes):
        lists.admit_shapes(ACME, shapes(500, 501), midnight - 1)
    lists.admit_shapes(ACME, shapes(500, 600), midnight)


# ------------------------------------------------------------------ DynamoDB
def operations(client):
    """The operations that go out from now on, in order."""
    made = []
    client.meta.events.register("before-call.dynamodb", lambda model, **_: made.append(model.name))
    return made


def test_a_known_shape_costs_a_process_one_read_and_then_nothing(client):
    fill(DynamoLists(client, TABLE), 3)
    fresh, made = DynamoLists(client, TABLE), operations(client)
    for _ in range(3):
        fresh.admit_shapes(ACME, shapes(0, 3), NOW)
    assert made == ["BatchGetItem"]


def test_a_repeat_behind_a_crash_counts_nothing_twice(client):
    # Given a request that has counted its shapes, and died before they became known
    fill(DynamoLists(client, TABLE), NEW_SHAPES_PER_DAY)
    for shape in shapes(150, 200):
        client.delete_item(TableName=TABLE, Key={"pk": {"S": f"SHAPE#{shape}"}, "sk": {"S": "SHAPE"}})
    # When it comes again to another process, then its shapes become known
    DynamoLists(client, TABLE).admit_shapes(ACME, shapes(140, 200), NOW)
    assert DynamoShapes(client, TABLE).known(shapes(150, 200)) == shapes(150, 200)
    # And one more is still one too many
    with pytest.raises(TooManyMenuShapes):
        DynamoLists(client, TABLE).admit_shapes(ACME, shapes(150, 201), NOW)


def test_two_requests_at_once_bring_no_more_than_the_day_allows(client):
    fill(DynamoLists(client, TABLE), NEW_SHAPES_PER_DAY - 10)
    both, taken = threading.Barrier(2), []

    class Met(DynamoShapes):
        def known(self, asked):
            found = super().known(asked)
            both.wait(10)
            return found

    def bring(first):
        try:
            Met(client, TABLE).admit(ACME, shapes(first, first + 7), NOW)
            taken.append(first)
        except TooManyMenuShapes:
            pass

    threads = [threading.Thread(target=bring, args=(first,)) for first in (500, 600)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(taken) == 1


def test_two_requests_at_once_with_the_same_shapes_are_both_taken(client):
    fill(DynamoLists(client, TABLE), NEW_SHAPES_PER_DAY - 7)

    class Overtaken(DynamoShapes):
        def known(self, asked):
            found = super().known(asked)
            DynamoShapes(client, TABLE).admit(ACME, shapes(500, 507), NOW)
            return found

    Overtaken(client, TABLE).admit(ACME, shapes(500, 507), NOW)


def test_the_day_goes_and_the_shapes_stay(client):
    fill(DynamoLists(client, TABLE), 1)
    day = f"{datetime.fromtimestamp(NOW / 1000, UTC):%Y-%m-%d}"
    counted = client.get_item(TableName=TABLE, Key={"pk": {"S": f"SHAPES#acme#{day}"}, "sk": {"S": "SHAPES"}})["Item"]
    assert int(counted["expires_at"]["N"]) >= NOW // 1000 + DAY_KEPT_SECONDS
    known = client.get_item(TableName=TABLE, Key={"pk": {"S": f"SHAPE#{0:040x}"}, "sk": {"S": "SHAPE"}})["Item"]
    assert "expires_at" not in known


def test_reads_that_dynamodb_leaves_undone_are_a_failure_that_may_pass(client):
    lists = DynamoLists(client, TABLE)
    undone = {"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {"Keys": [{"pk": {"S": "x"}}]}}}
    client.batch_get_item = lambda **_: undone
    with pytest.raises(StoreUnavailable):
        lists.admit_shapes(ACME, shapes(0, 1), NOW)
