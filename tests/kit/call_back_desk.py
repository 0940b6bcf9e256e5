"""What answers calls back, with stores in memory: `acme` has called HER, last as Shop."""

from dataclasses import dataclass, field, replace

from speechcall.accounts.rules.account import Account, CallBack
from speechcall.callbacks.use_cases.answer_call_back import CallBackDesk, LastCall
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from tests.kit.samples import FakeClock
from tests.stores.accounts import MemoryAccounts

HER, HIS, OURS = "+380936670003", "+380936670004", "+4930123456"
ACME = Account("acme", ("+380",))
AUDIO = "https://prompts.s3.eu-central-1.amazonaws.com/uploaded/who.wav"


@dataclass
class Called:
    """The calls that there were, the latest last."""

    calls: list[LastCall] = field(default_factory=list)

    def last_call(self, digest: str) -> LastCall | None:
        return next((call for call in reversed(self.calls) if call.digest == digest), None)

    def call_of(self, mid: str) -> LastCall | None:
        return next((call for call in self.calls if call.mid == mid), None)


@dataclass
class Uploaded:
    """Audio by account and name."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def uri_of(self, account_id: str, name: str) -> str:
        return self.names.get((account_id, name), "")


def desk() -> CallBackDesk:
    """With messages 7 (of Old) and 8 (of Shop) to HER, and the upload `who`."""
    opt_outs = MemoryOptOuts()
    digest = opt_outs.digest(HER)
    called = Called([LastCall("7", "acme", "Old", digest), LastCall("8", "acme", "Shop", digest)])
    return CallBackDesk(called, MemoryAccounts(ACME), Uploaded({("acme", "who"): AUDIO}), opt_outs, FakeClock())


def settle(one: CallBackDesk, **settings: str) -> None:
    """What the account wants to be said."""
    assert isinstance(one.accounts, MemoryAccounts)
    assert one.accounts.save(replace(ACME, call_back=CallBack(**settings)), ACME)
