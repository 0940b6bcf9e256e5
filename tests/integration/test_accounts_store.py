"""One contract for the accounts: DynamoDB and memory do the same; and DynamoDB where two write at once."""

from dataclasses import replace
from typing import Any

import pytest

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account, CallBack
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Change, Credential, Secrets, credentials_of, key_name, user_name
from speechcall.accounts.use_cases.named_keys import MAX_KEYS, NewKey, create_key, revoke_key
from speechcall.shared.rules.calling_hours import Window
from tests.kit.registry import TABLE, empty_registry
from tests.stores.accounts import MemoryAccounts

ACME = Account("acme", ("+380", "+48"), calls_per_day=9, rate=5, burst=100, senders={"Shop": "+4930123456"})


def credentials(number, account_id="acme", user=None):
    return credentials_of(account_id, Secrets(user or account_id, f"password-{number}", f"key-{number}"))


def opens(accounts, number):
    """Whether the key with this number is let in."""
    return accounts.find_credential(key_name(f"key-{number}")) is not None


def named(number, account_id="acme", name=None):
    """A key with a name, by the name under which it is stored."""
    key = Credential(account_id, "0" * 64, frozenset({Scope.SEND}), name or f"till-{number}", ("203.0.113.0/24",), 5)
    return f"NAMED#{number}", key


def add(accounts, number, account_id="acme", name=None, most=MAX_KEYS):
    """Adds a key with a name; what became of that."""
    stored_as, key = named(number, account_id, name)
    return accounts.add_named_key(stored_as, key, most)


def names_of(accounts, account_id="acme"):
    return sorted(key.key_name for key in accounts.named_keys(account_id).values())


@pytest.fixture
def client():
    with empty_registry() as client:
        yield client


@pytest.fixture(params=["memory", "dynamodb"])
def accounts(request):
    return MemoryAccounts() if request.param == "memory" else DynamoAccounts(request.getfixturevalue("client"), TABLE)


# ------------------------------------------------------------------ contract
def test_an_account_is_found_as_it_was_added(accounts):
    assert accounts.find("acme") is None
    assert accounts.add(ACME, credentials(1))
    assert accounts.find("acme") == ACME
    assert accounts.find_credential(user_name("acme")) == credentials(1)[user_name("acme")]
    assert opens(accounts, 1)


def test_an_id_is_given_once(accounts):
    assert accounts.add(ACME, credentials(1))
    assert not accounts.add(replace(ACME, rate=1), credentials(2))
    assert accounts.find("acme") == ACME
    assert opens(accounts, 1)
    assert not opens(accounts, 2)


def test_a_user_name_of_another_account_is_not_taken_from_it(accounts):
    accounts.add(ACME, credentials(1))
    accounts.add(Account("other", ("*",)), credentials(2, "other"))
    assert not accounts.add(Account("third", ("*",)), credentials(3, "third", user="acme"))
    assert accounts.find("third") is None
    assert not accounts.replace_credentials("other", credentials(3, "other", user="acme"))
    assert opens(accounts, 1) is True
    assert opens(accounts, 2) is True
    assert opens(accounts, 3) is False


def test_all_are_listed_by_id(accounts):
    for account_id in ("b", "a", "C"):
        accounts.add(replace(ACME, account_id=account_id), credentials(account_id, account_id))
    assert [account.account_id for account in accounts.all()] == ["C", "a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        {"prefixes": ("*",)},
        {"calls_per_day": 1},
        {"rate": 1},
        {"burst": 200},
        {"senders": {}},
        {"senders": {"Shop": "+4930123457"}},
        {"disabled": True},
        {"denied": ("+3890",)},
        {"premium": True},
        {"ignores_opt_out": True},
        {"call_back": CallBack("It was {from}.", done_audio="bye", language="pl-PL", voice="Ola")},
        {"windows": (Window(540, 1200, (0, 4)), Window(600, 60)), "time_zone": "recipient"},
    ],
)
def test_settings_are_saved_in_the_place_of_those_that_were_read(accounts, change):
    accounts.add(ACME, credentials(1))
    changed = replace(ACME, **change)
    assert accounts.save(changed, ACME)
    assert accounts.find("acme") == changed
    # And back, in the same way.
    assert accounts.save(ACME, changed)
    assert accounts.find("acme") == ACME
    assert accounts.save(changed, ACME)
    # Whatever it is that was changed meanwhile, who has not read it does not undo it.
    assert not accounts.save(replace(ACME, rate=7), ACME)
    assert accounts.find("acme") == changed
    assert opens(accounts, 1)


def test_what_is_not_there_is_neither_saved_nor_given_credentials(accounts):
    assert not accounts.save(replace(ACME, rate=1), ACME)
    assert not accounts.replace_credentials("acme", credentials(1))
    assert accounts.find("acme") is None
    assert not opens(accounts, 1)


def test_new_credentials_end_the_old_ones_and_leave_the_settings(accounts):
    accounts.add(ACME, credentials(1, user="shop"))
    accounts.add(Account("other", ("*",)), credentials(9, "other"))
    assert accounts.replace_credentials("acme", credentials(2))
    assert accounts.find_credential(user_name("shop")) is None
    assert opens(accounts, 1) is False
    assert opens(accounts, 2) is True
    assert opens(accounts, 9) is True
    assert accounts.replace_credentials("acme", credentials(3))
    assert opens(accounts, 2) is False
    assert opens(accounts, 3) is True
    assert accounts.find("acme") == ACME


def test_what_a_release_before_did_not_write_is_read_and_saved(client):
    accounts = DynamoAccounts(client, TABLE)
    accounts.add(ACME, credentials(1))
    key = {"pk": {"S": "ACCOUNTS"}, "sk": {"S": "acme"}}
    client.update_item(TableName=TABLE, Key=key, UpdateExpression="REMOVE denied, premium, windows, time_zone")
    assert accounts.find("acme") == ACME
    assert accounts.save(replace(ACME, denied=("+3890",), premium=True), ACME)
    assert accounts.find("acme") == replace(ACME, denied=("+3890",), premium=True)


# ------------------------------------------------------------ keys with a name
def test_keys_with_a_name_are_made_found_and_revoked_one_by_one(accounts):
    accounts.add(ACME, credentials(1))
    accounts.add(Account("other", ("*",)), credentials(2, "other"))
    assert accounts.named_keys("acme") == {}
    for number in (1, 2):
        assert add(accounts, number) is Change.DONE
    assert add(accounts, 3, "other", "till-1") is Change.DONE
    assert accounts.find_credential("NAMED#1") == named(1)[1]
    assert accounts.named_keys("acme") == dict([named(1), named(2)])
    assert accounts.remove_named_key("acme", "till-1") is Change.DONE
    assert accounts.find_credential("NAMED#1") is None
    assert names_of(accounts) == ["till-2"]
    assert names_of(accounts, "other") == ["till-1"]
    assert opens(accounts, 1)
    assert accounts.find("acme") == ACME


def test_a_name_is_given_once_and_free_when_it_is_revoked(accounts):
    accounts.add(ACME, credentials(1))
    assert add(accounts, 1, name="shop") is Change.DONE
    assert add(accounts, 2, name="shop") is Change.TAKEN
    assert accounts.find_credential("NAMED#2") is None
    assert accounts.remove_named_key("acme", "shop") is Change.DONE
    assert accounts.remove_named_key("acme", "shop") is Change.NOT_THERE
    assert add(accounts, 2, name="shop") is Change.DONE


def test_an_account_that_is_not_there_has_no_keys(accounts):
    assert accounts.named_keys("acme") is None
    assert add(accounts, 1) is Change.NOT_THERE
    assert accounts.remove_named_key("acme", "shop") is Change.NOT_THERE
    assert accounts.find_credential("NAMED#1") is None


def test_an_account_has_so_many_keys_at_most_and_can_still_be_rotated(accounts):
    accounts.add(ACME, credentials(1))
    for number in range(3):
        assert add(accounts, number, most=3) is Change.DONE
    assert add(accounts, 3, most=3) is Change.TOO_MANY
    assert accounts.replace_credentials("acme", credentials(2))
    assert names_of(accounts) == ["till-0", "till-1", "till-2"]
    assert opens(accounts, 1) is False
    assert opens(accounts, 2) is True
    assert accounts.remove_named_key("acme", "till-1") is Change.DONE
    assert add(accounts, 3, most=3) is Change.DONE


# --------------------------------------------------------------------- races
class Meanwhile:
    """A client that lets somebody else in just before each write of one kind."""

    def __init__(self, client, write, somebody_else):
        self._client, self._write, self._somebody_else = client, write, somebody_else

    def __getattr__(self, name):
        if name == self._write:
            self._somebody_else()
        return getattr(self._client, name)


def interrupted(client: Any, write: str, somebody_else: Any) -> DynamoAccounts:
    meanwhile: Any = Meanwhile(client, write, somebody_else)
    return DynamoAccounts(meanwhile, TABLE)


def test_two_rotations_at_once_leave_the_credentials_of_one(client):
    accounts = DynamoAccounts(client, TABLE)
    accounts.add(ACME, credentials(1))
    slow = interrupted(client, "transact_write_items", lambda: accounts.replace_credentials("acme", credentials(2)))
    assert not slow.replace_credentials("acme", credentials(3))
    assert opens(accounts, 1) is False
    assert opens(accounts, 2) is True
    assert opens(accounts, 3) is False
    assert accounts.replace_credentials("acme", credentials(4))
    assert opens(accounts, 2) is False
    assert opens(accounts, 4) is True


def test_a_rotation_does_not_undo_a_change_of_settings_nor_the_other_way_round(client):
    accounts = DynamoAccounts(client, TABLE)
    accounts.add(ACME, credentials(1))
    disabled = replace(ACME, disabled=True)
    rotating = interrupted(client, "transact_write_items", lambda: accounts.save(disabled, ACME))
    assert rotating.replace_credentials("acme", credentials(2))
    assert accounts.find("acme") == disabled
    saving = interrupted(client, "transact_write_items", lambda: accounts.replace_credentials("acme", credentials(3)))
    assert saving.save(ACME, disabled)
    assert accounts.find("acme") == ACME
    assert opens(accounts, 2) is False
    assert opens(accounts, 3) is True
    assert accounts.replace_credentials("acme", credentials(4))
    assert not opens(accounts, 3)


def test_two_keys_of_one_name_at_once_are_one(client):
    accounts = DynamoAccounts(client, TABLE)
    accounts.add(ACME, credentials(1))
    first = []
    other = lambda: first or first.append(add(accounts, 1, name="shop"))  # noqa: E731
    slow = interrupted(client, "transact_write_items", other)
    assert add(slow, 2, name="shop") is Change.RACED
    assert add(slow, 2, name="shop") is Change.TAKEN
    assert first == [Change.DONE]
    assert list(accounts.named_keys("acme")) == ["NAMED#1"]
    assert accounts.find_credential("NAMED#2") is None


@pytest.mark.parametrize("change", ["create", "revoke", "rotate"])
@pytest.mark.parametrize("other", ["create", "revoke", "rotate", "disable"])
def test_of_two_changes_at_once_neither_undoes_the_other(client, change, other):
    # Given an account with two keys, and two operators who change it in the same moment
    accounts = DynamoAccounts(client, TABLE)
    accounts.add(ACME, credentials(1))
    for number in (1, 2):
        add(accounts, number)
    drawn = iter("abcdefghij")

    def do(what, store, number):
        match what:
            case "create":
                tokens: Any = {"token": lambda: f"{next(drawn)}" * 22, "now_msec": 5}
                assert isinstance(create_key("acme", f"new-{number}", [Scope.READ], [], store=store, **tokens), NewKey)
            case "revoke":
                assert revoke_key("acme", f"till-{number}", store=store) is Change.DONE
            case "rotate":
                return store.replace_credentials("acme", credentials(10 + number))
            case "disable":
                assert store.save(replace(ACME, disabled=True), ACME)
        return True

    done = []
    # When one of them is quicker, between the other's reading and writing
    slow = interrupted(client, "transact_write_items", lambda: done or done.append(do(other, accounts, 2)))
    was_done = do(change, slow, 1)
    # Then both are done; only a rotation gives up, and says so
    assert done == [True]
    assert was_done == (change != "rotate" or other == "disable")
    wanted = {"till-1", "till-2"}
    for what, number, happened in ((change, 1, was_done), (other, 2, True)):
        wanted |= {f"new-{number}"} if what == "create" and happened else set()
        wanted -= {f"till-{number}"} if what == "revoke" and happened else set()
    assert set(names_of(accounts)) == wanted
    assert opens(accounts, 12) == (other == "rotate")
    assert opens(accounts, 11) == (change == "rotate" and was_done)
    assert opens(accounts, 1) == (not opens(accounts, 11) and not opens(accounts, 12))
    assert accounts.find("acme").disabled == (other == "disable")
    # And every credential that opens is among the account's: the next rotation and revocations end them all
    assert accounts.replace_credentials("acme", credentials(20))
    for name in names_of(accounts):
        assert revoke_key("acme", name, store=accounts) is Change.DONE
    left = [item["pk"]["S"] for item in client.scan(TableName=TABLE)["Items"] if item["sk"]["S"] == "CREDENTIAL"]
    assert sorted(left) == sorted(f"CREDENTIAL#{name}" for name in credentials(20))
