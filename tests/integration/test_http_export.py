"""Exports over the API: pages, what is in them, and what is refused."""

import csv
import io
import json
from urllib.parse import urlsplit

import pytest

from speechcall.status.use_cases.export import COLUMNS
from tests.integration.test_http_campaigns import problem, send


def rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_list_is_exported_in_the_order_sent(api):
    list_id, mids = send(api, count=3)
    answer = api.get(f"/bat/messagelist/{list_id}/export")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="messagelist-{list_id}.csv"'
    assert "Link" not in answer.headers
    heading, *found = rows(answer.text)
    assert tuple(heading) == COLUMNS
    assert [row[COLUMNS.index("messageId")] for row in found] == mids
    assert [row[COLUMNS.index("recipient")] for row in found] == [f"+38093667{3 + n:04}" for n in range(3)]
    lines = api.get(f"/bat/messagelist/{list_id}/export?format=jsonl")
    assert lines.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert [json.loads(line)["messageId"] for line in lines.text.splitlines()] == mids


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_campaign_is_exported_page_by_page_and_nothing_twice(api, form):
    sent = [send(api, count=2) for _ in range(3)]
    send(api, campaign="autumn")
    path, pages = f"/bat/campaign/spring/export?format={form}", []
    while path:
        answer = api.get(path)
        assert answer.status == 200, answer
        pages.append(answer.text)
        link = answer.headers.get("Link", "")
        path = link.removeprefix("<").removesuffix('>; rel="next"')
        assert not path or urlsplit(path).path == "/bat/campaign/spring/export"
        if not pages[1:]:  # what comes meanwhile is in no later page
            send(api, count=1)
    assert len(pages) == 3
    if form == "csv":
        heading, *found = rows("".join(pages))
        assert tuple(heading) == COLUMNS
        ids = [row[COLUMNS.index("messageId")] for row in found]
    else:
        ids = [json.loads(line)["messageId"] for line in "".join(pages).splitlines()]
    assert ids == [mid for _, mids in reversed(sent) for mid in mids]


def test_what_is_refused(api):
    list_id, _ = send(api)
    right = "must be csv or jsonl"
    for path in (f"/bat/messagelist/{list_id}/export", "/bat/campaign/spring/export"):
        assert problem(api.get(f"{path}?format=xlsx")) == ("INVALID_FORMAT", "format", right)
        assert problem(api.get(f"{path}?format=CSV")) == ("INVALID_FORMAT", "format", right)
        assert problem(api.get(f"{path}?cursor=x"))[0] == "INVALID_CURSOR"
        assert api.get(path, user="other").status == 404
    assert api.get("/bat/messagelist/1/export").status == 404
    assert api.get("/bat/campaign/none/export").status == 404
