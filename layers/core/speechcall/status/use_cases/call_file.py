"""GET /bat/message/{messageId}/call: all calls of a message as one signed file; and GET /keys.json, to verify it with.

A file is signed once, when its message is final and somebody asks for it, and kept as long as the message is. So two
copies of it are the same, byte for byte. It is a JSON Web Signature in the compact form (RFC 7515).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Credential
from speechcall.api.use_cases.query import parameter
from speechcall.menus.rules.call_log import Entry
from speechcall.menus.rules.written_menus import written_menus
from speechcall.messages.rules.message import State
from speechcall.shared.rules.errors import CallNotOver, InvalidRequest, NotSignedHere, Problem, ScopeRequired
from speechcall.shared.rules.json_text import dump_json
from speechcall.shared.rules.phone_numbers import masked
from speechcall.shared.rules.timing import utc_text
from speechcall.status.use_cases.read_status import history_of
from speechcall.status.use_cases.status import History

if TYPE_CHECKING:
    from speechcall.calls.rules.call import Call
    from speechcall.status.use_cases.read_status import StatusStore

FORM = 1
"""`v` of the files that are made here."""
MEDIA_TYPE = "application/jose"
"""Of a file (RFC 7515, section 9.2.1)."""
MASKED, FULL = "masked", "full"


class CallFiles(Protocol):
    """Where signed files are kept."""

    def find(self, mid: str, form: str) -> str | None: ...

    def keep(self, mid: str, form: str, text: str, expires_at: int) -> str:
        """The file that is kept from now on: this one, unless another was first."""


class Signer(Protocol):
    """The stack's key for calls."""

    @property
    def is_there(self) -> bool:
        """Whether this stack signs calls."""

    def sign(self, content: bytes) -> str:
        """The compact JWS of a content. Raises StoreUnavailable."""

    def known_keys(self) -> Sequence[Mapping[str, str]]:
        """Every public key that has signed, as JWK; that of today with them."""


def call_file(
    account: Account,
    credential: Credential,
    mid: str,
    query: Mapping[str, str],
    *,
    store: "StatusStore",
    files: CallFiles,
    signer: Signer,
) -> str:
    """The signed file of a message. `query`: `number`, masked or full.

    The first answer is kept: two that ask at the same time get the same one. Raises NotFound, CallNotOver,
    NotSignedHere, InvalidRequest, ScopeRequired, StoreUnavailable.
    """
    form = parameter(query, "number") or MASKED
    if form not in (MASKED, FULL):
        raise InvalidRequest("The query is wrong.", [Problem("INVALID_REQUEST", "number", "must be masked or full")])
    if form == FULL and Scope.MANAGE not in credential.scopes:
        held = ", ".join(sorted(credential.scopes)) or "none"
        raise ScopeRequired(f"The whole number needs a key with the scope manage; the scopes of this one: {held}.")
    history = history_of(account, mid, store)
    if found := files.find(mid, form):
        return found
    if not signer.is_there:
        raise NotSignedHere("This stack signs no calls; its operator can switch it on (SignedCalls).")
    if history.message.state is not State.FINISHED:
        raise CallNotOver("The message is not final yet: its file is made when no call of it can follow.")
    text = signer.sign(dump_json(content_of(history, form)).encode())
    return files.keep(mid, form, text, history.message.expires_at)


def content_of(history: History, form: str = MASKED) -> dict[str, Any]:
    """What is signed: the menus, all that was heard and what followed from it, and the webhooks that were begun.

    `form`: with the whole number (FULL), or with a part of it (MASKED).
    """
    message = history.message
    number = message.number if form == FULL else masked(message.number)
    sent = sorted(task.event_id for task, _ in history.deliveries if not task.tells_status)
    return {
        "v": FORM,
        "messageId": message.mid,
        "messagelistId": message.list_id,
        "from": message.sender,
        "to": number,
        "acceptedAt": utc_text(message.created_msec),
        "finishedAt": utc_text(message.finished_msec) if message.finished_msec is not None else None,
        "outcome": message.outcome,
        "endReason": message.reason,
        "menu": written_menus(message.menus),
        "calls": [_call(call) for call in sorted(history.calls, key=lambda call: call.attempt)],
        "webhooks": sent,
    }


def _call(call: "Call") -> dict[str, Any]:
    """A call as the file has it: its moments (msec), its bounds and its log. A call without a plan has no bounds."""
    plan = call.plan
    limits = (
        {"menus": plan.max_visits, "until": plan.until_msec, "silentRepeats": plan.silent_repeats} if plan else None
    )
    return {
        "attempt": call.attempt,
        "dialledMsec": call.dialled_msec,
        "answeredMsec": call.answered_msec,
        "endedMsec": call.ended_msec,
        "cause": call.cause.value if call.cause else None,
        "limits": limits,
        "log": [_entry(entry) for entry in call.log],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    """An entry of a call's log as the file has it: what was reported, and what followed."""
    then = {"kind": entry.then.kind.value, "menu": entry.then.menu, "reason": entry.then.reason or None}
    told: dict[str, Any] = {
        "seq": entry.seq,
        "menu": entry.menu,
        "event": entry.event,
        "key": entry.key or None,
        "atMsec": entry.at_msec,
        "then": {name: value for name, value in then.items() if value is not None},
    }
    if entry.decided:
        one = entry.decided
        told["lookup"] = {"case": one.case or None, "error": one.error or None, "atMsec": one.at_msec}
    return told


def public_keys(signer: Signer) -> dict[str, list[Mapping[str, str]]]:
    """The answer to GET /keys.json: a JWK Set (RFC 7517)."""
    return {"keys": list(signer.known_keys())}
