"""Pages of other sites in a real browser that knows the credentials of the API: none of them places a call.

The laptop answers this machine alone; so the other site is `localhost`, which is another one than `127.0.0.1`, and
what refuses its page is the product itself.
"""

import json
from contextlib import contextmanager

import pytest
from playwright.sync_api import HttpCredentials

from local.cloud import seed
from local.common.http_server import HttpServer
from tests.e2e.conftest import HANGUP, menu, message, running
from tests.kit.browser import WAIT_MSEC, chromium, needs_chromium

pytestmark = [pytest.mark.browser, needs_chromium]

BODY = json.dumps({"messages": [message(menu(wrong=[HANGUP]))]})
FETCH = """([url, method, type, body]) => fetch(url, {method, body, headers: {'Content-Type': type},
    credentials: 'include', mode: url.startsWith('/') ? 'same-origin' : 'no-cors'})
    .then(answer => answer.text()).catch(() => '')"""
READ = """([url, more]) => fetch(url, more).then(answer => answer.text()).catch(() => '')
    .then(text => text || 'nothing')"""
FRAME = "url => { document.body.append(Object.assign(document.createElement('iframe'), {src: url})) }"
FORM = """<form action="{url}" method="post" enctype="text/plain"><textarea name='{name}'>{value}</textarea></form>"""


@contextmanager
def browser(url):
    """A page of a browser that was given the API's credentials, and what the API's functions answer to it."""
    # Late browsers ask before a page of another network may send anything here; earlier ones do not.
    flags = "--host-resolver-rules=MAP rebound.example 127.0.0.1", "--disable-features=LocalNetworkAccessChecks"
    with chromium(*flags) as started:
        known = HttpCredentials(username=seed.USER, password=seed.PASSWORD)
        page = started.new_context(http_credentials=known).new_page()
        page.set_default_timeout(WAIT_MSEC)
        answers = []
        page.on("response", lambda answer: answers.append((answer.request.method, answer.url, answer.status)))
        assert page.goto(f"{url}/bat/account").status == 200
        answers.clear()
        yield page, answers


@contextmanager
def another_site(html):
    """The URL of a page."""

    def answer(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [html.encode()]

    server = HttpServer(answer)
    server.start()
    try:
        yield f"http://localhost:{server.url.rpartition(':')[2]}/"
    finally:
        server.stop()


def form(url):
    """A form whose text is the body, but for an `=` that stands in a string of it."""
    name, value = BODY.replace('"ivr"', '"i=vr"', 1).split("=", 1)
    assert json.loads(f"{name}={value}")
    return FORM.format(url=f"{url}/bat/messagelist", name=name, value=value)


def test_no_page_of_another_site_places_a_call_or_changes_anything():
    with running(None) as cloud, browser(cloud.url) as (page, answers), another_site(form(cloud.url)) as elsewhere:
        hook = f"{cloud.url}/bat/messagelist"
        # Given a page of another site with a form, which the visitor sends
        page.goto(elsewhere)
        answers.clear()
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")
        assert answers == [("POST", hook, 403)]
        assert json.loads(page.inner_text("body"))["error"]["code"] == "CROSS_SITE_REQUEST"
        # … or with a script
        page.goto(elsewhere)
        answers.clear()
        for url in (hook, f"{cloud.url}/bat/account/webhook-secret"):
            page.evaluate(FETCH, [url, "POST", "text/plain", BODY])
            assert answers.pop() == ("POST", url, 403)
        # … nor does it read the console, ask with a key that it knows, or show the console in a frame of its own
        for url, more in (
            ("/console", {}),
            ("/console/main.js", {"mode": "no-cors"}),
            ("/bat/account", {"headers": {"X-Authorization-Key": seed.KEY}}),
        ):
            assert page.evaluate(READ, [cloud.url + url, more]) == "nothing"
        with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
            page.evaluate(FRAME, f"{cloud.url}/console")
        # … or with a name of its own that leads here by now
        rebound = f"http://rebound.example:{cloud.url.rpartition(':')[2]}"
        page.route(f"{rebound}/page", lambda route: route.fulfill(body="<p>", content_type="text/html"))
        page.goto(f"{rebound}/page")
        answers.clear()
        for path in ("/bat/messagelist", "/bat/account/webhook-secret"):
            page.evaluate(FETCH, [path, "POST", "application/json", BODY])
        assert [status for _, _, status in answers] == [421, 421]
        assert cloud.journal.entries() == []
        # Then a page of the API's own host can, with the same credentials: what was refused above would have been done
        page.route(f"{cloud.url}/page", lambda route: route.fulfill(body="<p>", content_type="text/html"))
        page.goto(f"{cloud.url}/page")
        sent = json.loads(page.evaluate(FETCH, ["/bat/messagelist", "POST", "text/plain", BODY]))
        cloud.journal.wait_for(lambda entry: entry["mid"] == sent["messages"][0]["messageId"], 10)
