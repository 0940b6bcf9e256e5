"""The calls in memory as a release kept them that had no log."""

from speechcall.calls.rules.call import Call
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls


class UnloggedCalls(MemoryCalls):
    """The calls as a release that kept no log opened them."""

    def open(self, call: Call, expires_at: int) -> Call:
        return super().open(call._replace(plan=None), expires_at)
