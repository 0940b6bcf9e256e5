"""Accounts in memory: what `DynamoAccounts` does, held to it by tests/integration/test_accounts_store.py."""

from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases.accounts import NAMED, Change, Credential


class MemoryAccounts:
    """The accounts and the credentials of each."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = {account.account_id: account for account in accounts}
        self.credentials: dict[str, Credential] = {}

    def find_credential(self, name: str) -> Credential | None:
        return self.credentials.get(name)

    def find(self, account_id: str) -> Account | None:
        return self.accounts.get(account_id)

    def all(self) -> list[Account]:
        return [self.accounts[account_id] for account_id in sorted(self.accounts)]

    def add(self, account: Account, credentials: dict[str, Credential]) -> bool:
        if account.account_id in self.accounts or not self._are_free(account.account_id, credentials):
            return False
        self.accounts[account.account_id] = account
        self.credentials |= credentials
        return True

    def save(self, account: Account, instead_of: Account) -> bool:
        if self.accounts.get(account.account_id) != instead_of:
            return False
        self.accounts[account.account_id] = account
        return True

    def replace_credentials(self, account_id: str, credentials: dict[str, Credential]) -> bool:
        if account_id not in self.accounts or not self._are_free(account_id, credentials):
            return False
        kept = {
            name: one
            for name, one in self.credentials.items()
            if one.account_id != account_id or name.startswith(NAMED)
        }
        self.credentials = kept | credentials
        return True

    def named_keys(self, account_id: str) -> dict[str, Credential] | None:
        if account_id not in self.accounts:
            return None
        return {
            name: one
            for name, one in self.credentials.items()
            if one.account_id == account_id and name.startswith(NAMED)
        }

    def add_named_key(self, stored_as: str, key: Credential, most: int) -> Change:
        there = self.named_keys(key.account_id)
        if there is None:
            return Change.NOT_THERE
        if any(one.key_name == key.key_name for one in there.values()):
            return Change.TAKEN
        if len(there) >= most:
            return Change.TOO_MANY
        self.credentials[stored_as] = key
        return Change.DONE

    def remove_named_key(self, account_id: str, key_name: str) -> Change:
        gone = [name for name, one in (self.named_keys(account_id) or {}).items() if one.key_name == key_name]
        for name in gone:
            del self.credentials[name]
        return Change.DONE if gone else Change.NOT_THERE

    def _are_free(self, account_id: str, names: dict[str, Credential]) -> bool:
        return all(self.credentials[name].account_id == account_id for name in names if name in self.credentials)
