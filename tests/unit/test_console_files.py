"""The console's files: given with the headers that a page with a key needs, and with nothing in them against these."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from speechcall.api.adapters.http_api import HttpApi
from speechcall.api.adapters.static_files import StaticFiles

PAGES = Path(__file__).parents[2] / "functions" / "console" / "pages"
FILES = sorted(PAGES.iterdir())
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"


@pytest.fixture(scope="module")
def get() -> Any:
    """What a request for a file is answered."""
    app, pages = HttpApi(Logger()), StaticFiles(PAGES)
    app.route("GET /console/{file}")(lambda request: pages.answer(request.path["file"], request.headers))

    def ask(name: str, **headers: str) -> Any:
        return app.resolve({"routeKey": "GET /console/{file}", "pathParameters": {"file": name}, "headers": headers})

    return ask


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_is_given_with_its_type_and_guarded(get: Any, file: Path) -> None:
    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    answer = get(file.name)
    assert answer["statusCode"] == 200
    assert answer["body"] == file.read_text(encoding="utf-8")
    headers = answer["headers"]
    assert headers["Content-Type"].split(";")[0] == kinds[file.suffix]
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-cache"


def test_scripts_may_ask_one_host_more_where_it_is_named() -> None:
    host = "https://files.s3.eu-central-1.amazonaws.com"
    answer = StaticFiles(PAGES, host).answer("main.js", {})
    assert answer["headers"]["Content-Security-Policy"] == f"{POLICY}; connect-src 'self' {host}"


def test_a_browser_that_has_a_file_is_not_given_it_again(get: Any) -> None:
    tag = get("main.js")["headers"]["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = get("main.js", **{"If-None-Match": known})
        assert (again["statusCode"], again["body"]) == (304, "")
        assert again["headers"]["Content-Security-Policy"] == POLICY
    assert get("main.js", **{"If-None-Match": '"other"'})["statusCode"] == 200


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../app.py",
        "app.py",
        "..%2Fapp.py",
        "/etc/passwd",
        "main.js/",
        "MAIN.JS",
        "main.js\0",
        "a" * 9999,
    ],
)
def test_nothing_else_is_given(get: Any, name: str) -> None:
    answer = get(name)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"]["code"] == "NOT_FOUND"


def test_the_page_and_its_modules_name_only_files_that_are_there() -> None:
    there = {file.name for file in FILES}
    named = {"index.html"}
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text)) | set(
            re.findall(r'"/console/([^"]+)"', text)
        )
    assert named == there


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_does_what_the_policy_forbids(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:", text)
    if file.suffix == ".js":
        markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\.cssText"
        kept = r"localStorage|sessionStorage|document\.cookie|indexedDB"
        assert not re.search(rf"{markup}|{kept}|\beval\(|new Function", text)
        assert not re.search(r'setAttribute\("style|[{ ]style:', text)
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]+)", text)) - {"api.example.com", "www.w3.org"}
    assert not hosts
