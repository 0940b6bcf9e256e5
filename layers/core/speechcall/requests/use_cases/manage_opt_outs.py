"""The requests about opt-outs: a number is added, looked up, removed; and all of them, a page at a time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.api.use_cases.request_problems import shown
from speechcall.menus.rules.menu import OWN_LIST
from speechcall.optouts.rules.opt_out import (
    LIST_NAME,
    MAX_CONSENT_LENGTH,
    MAX_REASON_LENGTH,
    By,
    Consent,
    OptOut,
    ending_of,
)
from speechcall.optouts.use_cases.opt_out_ports import OptOutStore
from speechcall.shared.rules.characters import foreign, lookalike
from speechcall.shared.rules.errors import (
    ConsentRequired,
    InvalidCursor,
    InvalidRequest,
    NotFound,
    Problem,
    RequestError,
    StoreUnavailable,
)
from speechcall.shared.rules.json_text import parse_json
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock

if TYPE_CHECKING:  # Its types are Pydantic's, which this function does not load
    from speechcall.api.rules.answers import OptOutAdded, OptOutEntry, OptOutFound, OptOutRemoved, OptOuts

MAX_PAGE = 100
_TRIES = 5
_CODE = "INVALID_OPT_OUT"
_NUMBER = "a phone number in international format, such as +380671234567"
_LIST = "the name of a list, 1 to 64 letters, digits, _ and -; without it the account's own list is meant"
_CONSENT = 'an object such as {"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 4711"}'


def add_opt_out(account: Account, body: bytes, *, store: OptOutStore, clock: Clock) -> "OptOutAdded":
    """POST /bat/optout: the number is not called from the answer on.

    A number that is on the list already keeps its entry, which is answered with `added` false. Raises MalformedJson,
    InvalidRequest, StoreUnavailable.
    """
    given = _object(body, ("number", "list", "reason"))
    number, list_name, reason = read_number(given), _list(given), _reason(given)
    _refuse_any(number, list_name, reason)
    digest = store.digest(str(number))
    entry = OptOut(str(list_name), digest, ending_of(str(number)), clock.now_msec(), By.API, reason=_text(reason))
    added = store.add(account.account_id, entry)
    kept = entry if added else store.find(account.account_id, entry.list_name, digest)
    # Nothing is found if it was deleted in this moment.
    return {"optOut": describe(kept or entry), "added": added}


def find_opt_out(account: Account, body: bytes, *, store: OptOutStore) -> "OptOutFound":
    """POST /bat/optout/find: whether a number stands on a list, and the entry, also if it was removed.

    Raises MalformedJson, InvalidRequest, StoreUnavailable.
    """
    given = _object(body, ("number", "list"))
    number, list_name = read_number(given), _list(given)
    _refuse_any(number, list_name)
    found = store.find(account.account_id, str(list_name), store.digest(str(number)))
    if found is None:
        return {"optedOut": False}
    answer: OptOutFound = {"optedOut": found.holds, "optOut": describe(found)}
    if found.removed_msec is not None:
        answer["removedAt"] = utc_text(found.removed_msec)
    if found.consent:
        answer["consent"] = {"basis": found.consent.basis, "at": found.consent.at, "ref": found.consent.ref}
    return answer


def remove_opt_out(account: Account, body: bytes, *, store: OptOutStore, clock: Clock) -> "OptOutRemoved":
    """POST /bat/optout/remove: the number may be called again. Raises as `take_back`; MalformedJson, InvalidRequest."""
    given = _object(body, ("number", "list", "consent"))
    number, list_name, consent = read_number(given), _list(given), _consent(given)
    _refuse_any(number, list_name, consent)
    digest = store.digest(str(number))
    agreed = consent if isinstance(consent, Consent) else None
    removed = take_back(account.account_id, str(list_name), digest, agreed, store=store, now_msec=clock.now_msec())
    return {"list": removed.list_name, "ending": removed.ending, "removed": True}


def take_back(
    account_id: str, list_name: str, digest: str, consent: Consent | None, *, store: OptOutStore, now_msec: int
) -> OptOut:
    """Removes an opt-out, and returns it as it was. `digest` is the number's.

    Raises NotFound if none holds; ConsentRequired for a callee's own without a later consent. Tried again where another
    request changes the entry between reading and removing; StoreUnavailable if that happens each time.
    """
    for _ in range(_TRIES):
        found = store.find(account_id, list_name, digest)
        if found is None or not found.holds:
            raise NotFound("This number is not on this list.")
        if found.by.is_the_callees:
            _require_consent(found, consent)
        if store.remove(account_id, found, consent, now_msec):
            return found
    raise StoreUnavailable("the entry is being changed all the time")


def _require_consent(found: OptOut, consent: Consent | None) -> None:
    """Raises ConsentRequired without a consent that is later than the opt-out, which took back all earlier ones."""
    if consent is None:
        problem = Problem("CONSENT_REQUIRED", "consent", f"is required, since the callee opted out: {_CONSENT}")
        raise ConsentRequired("The callee has opted out by a key; say why you may call again.", [problem])
    if (to_msec(consent.at) or 0) <= found.since_msec:
        text = f"must be after {utc_text(found.since_msec)}, when the callee opted out"
        raise ConsentRequired("The callee has opted out since then.", [Problem("CONSENT_REQUIRED", "consent.at", text)])


def list_opt_outs(account: Account, query: Mapping[str, str], *, store: OptOutStore) -> "OptOuts":
    """GET /bat/optout: a page of the opt-outs that hold, of one list or of all in the order of the lists.

    In: `limit`, `cursor` and `list` of the query. Raises RequestError, InvalidCursor, StoreUnavailable.
    """
    limit, cursor, list_name = parameter(query, "limit"), parameter(query, "cursor"), parameter(query, "list")
    if limit is not None and not (
        limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= MAX_PAGE
    ):
        problem = Problem("INVALID_REQUEST", "limit", f"must be a whole number from 1 to {MAX_PAGE}{foreign(limit)}")
        raise RequestError("The query cannot be used.", [problem])
    if list_name and not LIST_NAME.fullmatch(list_name):
        problem = Problem("INVALID_REQUEST", "list", f"must be {_LIST}{foreign(list_name)}")
        raise RequestError("The query cannot be used.", [problem])
    try:
        page = store.page(account.account_id, list_name, int(limit or MAX_PAGE), cursor, all_=False)
    except ValueError as error:
        problem = Problem("INVALID_CURSOR", "cursor", "must be nextCursor of the page before")
        raise InvalidCursor("The listing cannot be continued.", [problem]) from error
    answer: OptOuts = {"optOuts": [describe(one) for one in page.found]}
    if page.cursor:
        answer["nextCursor"] = page.cursor
    return answer


def describe(opt_out: OptOut) -> "OptOutEntry":
    """An opt-out as the API shows it."""
    entry: OptOutEntry = {
        "list": opt_out.list_name,
        "ending": opt_out.ending,
        "optedOutAt": utc_text(opt_out.since_msec),
        "by": opt_out.by.value,
    }
    if opt_out.reason is not None:
        entry["reason"] = opt_out.reason
    if opt_out.mid is not None:
        entry["messageId"] = opt_out.mid
    return entry


def _object(body: bytes, known: tuple[str, ...]) -> dict[str, Any]:
    """The members of a body. Unknown names are refused: a mistyped `list` would mean the account's own list.

    Raises MalformedJson, InvalidRequest.
    """
    given = parse_json(body)
    if not isinstance(given, dict):
        text = f'The body must be an object: {{"number": "+380671234567"}}, with {" and ".join(known[1:])} if you like'
        raise InvalidRequest("The body is not an object.", [Problem("INVALID_REQUEST", "", text)])
    if unknown := [name for name in given if name not in known]:
        text = f"is not known here; {', '.join(known)} are"
        problems = [Problem("UNKNOWN_FIELD", shown(name), f"{text}{foreign(name)}") for name in unknown[:20]]
        raise InvalidRequest("The body has a field that is not known.", problems)
    return given


def read_number(given: Mapping[str, Any]) -> str | Problem:
    """The number of a body in E.164 form, or what is wrong with it."""
    number = given.get("number")
    if isinstance(number, str) and (found := to_e164(number)):
        return found
    hidden = foreign(number) if isinstance(number, str) else lookalike(given, "number")
    verb = "must be" if "number" in given else "is required:"
    return Problem("INVALID_RECIPIENT", "number", f"{verb} {_NUMBER}{hidden}")


def _list(given: dict[str, Any]) -> str | Problem:
    name = given.get("list", OWN_LIST)
    if isinstance(name, str) and (name == OWN_LIST or LIST_NAME.fullmatch(name)):
        return name
    return Problem(_CODE, "list", f"must be {_LIST}{foreign(name) if isinstance(name, str) else ''}")


def _reason(given: dict[str, Any]) -> str | Problem | None:
    reason = given.get("reason")
    if reason is None or _is_text(reason, MAX_REASON_LENGTH):
        return reason
    return Problem(_CODE, "reason", f"must be a string of 1 to {MAX_REASON_LENGTH} characters")


def _consent(given: dict[str, Any]) -> Consent | Problem | None:
    """The consent in a body, None if it gives none, or what is wrong with it."""
    consent = given.get("consent")
    if consent is None:
        return None
    wrong = Problem(_CODE, "consent", f"must be {_CONSENT}")
    if not isinstance(consent, dict) or set(consent) != {"basis", "at", "ref"}:
        return wrong
    if not all(_is_text(value, MAX_CONSENT_LENGTH) for value in consent.values()):
        return Problem(_CODE, "consent", f"must have strings of 1 to {MAX_CONSENT_LENGTH} characters: {_CONSENT}")
    if to_msec(consent["at"]) is None:
        return Problem(_CODE, "consent.at", "must be a moment with its offset, such as 2026-11-30T09:00:00Z")
    return Consent(consent["basis"], consent["at"], consent["ref"])


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= most


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _refuse_any(*read: object) -> None:
    """Raises InvalidRequest with all problems among what was read. After it none of them is a Problem: a `str`
    around one changes nothing, and only tells the type checker so.
    """
    if problems := [one for one in read if isinstance(one, Problem)]:
        raise InvalidRequest("The request cannot be used.", problems)
