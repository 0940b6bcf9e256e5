"""GET /bat/messagelist/{messagelistId}/export and GET /bat/campaign/{campaign}/export.

A page is a list: its messages in the order sent, at most 100. Of a campaign the latest list comes first.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.campaigns.rules.campaign_names import NAME
from speechcall.campaigns.use_cases.campaign_ports import CampaignStore
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidRequest, NotFound, Problem
from speechcall.status.use_cases.cursors import dump_cursor, load_cursor
from speechcall.status.use_cases.export import Format, render, row_of
from speechcall.status.use_cases.read_campaigns import NO_CAMPAIGN
from speechcall.status.use_cases.read_status import Lists, StatusStore, Stops, held_of, list_of

_TYPES = {Format.CSV: "text/csv; charset=utf-8; header=", Format.JSONL: "application/jsonl; charset=utf-8"}


class Page(NamedTuple):
    """A part of an export."""

    text: str
    form: Format
    name: str
    """Of a file that it may be kept in."""
    begins: bool
    """It is the first page: where there are columns, it names them."""
    following: str | None = None
    """The path and query of the next page; None: there is none."""

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer; `Link` as RFC 8288 has it."""
        kind = _TYPES[self.form]
        if self.form is Format.CSV:
            kind += "present" if self.begins else "absent"
        headers = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{self.name}.{self.form}"'}
        return {**headers, "Link": f'<{self.following}>; rel="next"'} if self.following else headers


def export_list(
    account: Account,
    list_id: str,
    query: Mapping[str, str],
    now_msec: int,
    *,
    store: StatusStore,
    lists: Lists,
    stops: Stops,
) -> Page:
    """The messages of a list: one page. `query`: `format`. Raises NotFound, RequestError."""
    form = _format(query)
    # It has no next page, so any cursor is refused as another listing's.
    load_cursor(parameter(query, "cursor"), "export of a list has one page")
    found = list_of(account, list_id, lists)
    rows = rows_of(found, now_msec, store, stops)
    return Page(render(rows, form, begins=True), form, f"messagelist-{list_id}", begins=True)


def export_campaign(
    account: Account,
    name: str,
    query: Mapping[str, str],
    now_msec: int,
    *,
    store: StatusStore,
    lists: Lists,
    stops: Stops,
    campaigns: CampaignStore,
) -> Page:
    """The messages of one list of a campaign. `query`: `format`, `cursor`. Raises NotFound, RequestError.

    A page may have no rows: its list was deleted.
    """
    form, listing = _format(query), ("export", account.account_id, name)
    before = load_cursor(parameter(query, "cursor"), *listing)
    if not NAME.fullmatch(name) or campaigns.find(account.account_id, name) is None:
        raise NotFound(NO_CAMPAIGN)
    page, following = campaigns.lists_page(account.account_id, name, 1, before)
    rows: list[dict[str, Any]] = []
    for one in page:
        # A list may be deleted while its campaign continues.
        if found := lists.find_list(one.list_id):
            rows += rows_of(found, now_msec, store, stops)
    cursor = dump_cursor(following, *listing)
    link = f"/bat/campaign/{name}/export?format={form}&cursor={cursor}" if cursor else None
    begins = before is None
    return Page(render(rows, form, begins=begins), form, f"campaign-{name}", begins, link)


def rows_of(found: MessageList, now_msec: int, store: StatusStore, stops: Stops) -> list[dict[str, Any]]:
    """The rows of a list's messages, without those that were deleted."""
    histories = [history for mid in found.message_ids if (history := store.read(mid))]
    held = held_of(found, [history.message for history in histories], stops)
    return [row_of(history, now_msec, held) for history in histories]


def _format(query: Mapping[str, str]) -> Format:
    """The format that a query names; CSV if it names none. Raises InvalidRequest."""
    given = parameter(query, "format")
    if given is None:
        return Format.CSV
    if given not in set(Format):
        problem = Problem("INVALID_FORMAT", "format", f"must be csv or jsonl{foreign(given)}")
        raise InvalidRequest("The query cannot be used.", [problem])
    return Format(given)
