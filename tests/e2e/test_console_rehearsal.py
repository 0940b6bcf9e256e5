"""The console rehearses the list in its form: waiting, figures, a chart, and every way in which it cannot be."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import HANGUP, menu, running, webhook
from tests.e2e.test_console import PRESSES_1, enter, write
from tests.kit.browser import WAIT_MSEC, axe, chromium, needs_chromium, screenshot, watched

pytestmark = [pytest.mark.browser, needs_chromium]
expect.set_options(timeout=WAIT_MSEC)
MENUS = [menu(d1=[webhook({"order": "{{Order}}"}), HANGUP], wrong=[HANGUP])]
STATUS = "section[aria-labelledby=rehearse-title] [role=status]"


@pytest.fixture(scope="module")
def cloud():
    with running(parameters={"Lines": "10", "CallsPerSecond": "5"}) as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser, cloud):
    with watched(browser, cloud.url) as opened:
        yield opened


def people(tmp_path, count):
    table = tmp_path / "people.csv"
    rows = [f"+38067{at:07},{at}" for at in range(count)]
    table.write_text("\n".join(["Phone,Order", *rows]), encoding="utf-8")
    return table


def test_a_table_is_rehearsed_and_its_figures_are_drawn(page, cloud, tmp_path):
    enter(page, cloud)
    card = page.get_by_role("region", name="Rehearse")
    # Before anything was rehearsed it says so
    expect(card).to_contain_text("Nothing was rehearsed yet.")
    write(page, MENUS)
    page.locator("#people").set_input_files(people(tmp_path, 120))
    expect(page.get_by_role("button", name="Call 120 numbers")).to_be_visible()
    # The answers come one after the other, as slowly as they may: each state is shown
    states = iter(["waiting", "running"])

    def slow(route):
        state = next(states, None)
        if state is None:
            route.continue_()
            return
        answer = {"rehearsalId": "1", "state": state, "askedAt": "2026-11-30T09:00:00.000Z", "messages": 120}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(answer))

    page.route(re.compile(r"/bat/rehearsal/\d+$"), slow)
    card.get_by_label("Rehearsals").fill("3")
    card.get_by_label("First keys").fill("1: 40")
    card.get_by_label("First keys").press("Enter")  # the keyboard alone
    expect(page.locator(STATUS)).to_have_text("It waits for its turn …")
    expect(page.locator(STATUS)).to_have_text("It is being rehearsed …")
    expect(page.locator(STATUS)).to_have_text("Rehearsed.", timeout=60_000)
    # The figures are of these 120 messages
    figures = card.get_by_role("table", name="What is to be expected")
    expect(figures.get_by_role("row")).to_have_count(10)
    for name in (
        "over after",
        "over at",
        "calls",
        "minutes talked",
        "answered",
        "busy",
        "no answer",
        "first key 1",
        "no key",
    ):
        expect(figures.get_by_role("row", name=name).first).to_be_visible()
    expect(figures.get_by_role("row", name="calls").first).to_contain_text("120")
    # The chart says what it shows, and has its numbers as a table
    chart = card.get_by_role("img", name="Calls that begin in each")
    expect(chart).to_have_attribute("aria-label", re.compile(r"at most, from \d\d:\d\d(:\d\d)? on"))
    bars = chart.locator("rect").count()
    assert 3 <= bars <= 25
    summary = card.get_by_text("As a table")
    summary.focus()
    page.keyboard.press("Enter")
    numbers = card.get_by_role("table", name="Calls that begin in each")
    expect(numbers.locator("tbody tr")).to_have_count(bars)
    told = [float(one.replace(",", "")) for one in numbers.locator("tbody td:last-child").all_inner_texts()]
    assert sum(told) == pytest.approx(120, abs=bars * 0.05)
    card.get_by_role("table", name="What is to be expected").scroll_into_view_if_needed()
    screenshot(page, "console-rehearsal")
    assert axe(page) == []
    # On a telephone, in the dark, nothing is wider than the page
    page.set_viewport_size({"width": 390, "height": 860})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    screenshot(page, "console-rehearsal-390-dark")
    assert axe(page) == []
    page.set_viewport_size({"width": 1280, "height": 860})
    assert [one for one in cloud.journal.entries() if one["kind"] == "dialled"] == []
    # Another page, and back: the latest rehearsal is still there
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    page.get_by_role("link", name="Send").click()
    expect(page.get_by_role("img", name="Calls that begin in each")).to_be_visible()


def test_what_cannot_be_rehearsed_is_told_where_it_is(page, cloud, tmp_path):
    enter(page, cloud)
    card = page.get_by_role("region", name="Rehearse")
    rehearse = card.get_by_role("button", name="Rehearse")
    write(page, MENUS)
    # No number
    rehearse.click()
    expect(page.locator(STATUS)).to_contain_text("Whom would it call?")
    page.get_by_label("To", exact=True).fill("+38067")
    rehearse.click()
    # The API's own words, with the place
    expect(card.get_by_role("list", name="What is wrong")).to_contain_text("messages[0].to must be a phone number")
    screenshot(page, "console-rehearsal-refused")
    assert axe(page) == []
    page.get_by_label("To", exact=True).fill(PRESSES_1)
    # Fields that contradict each other are marked, and nothing is asked
    card.get_by_label("Of 100 calls, answered").fill("80")
    card.get_by_label("… and busy").fill("30")
    card.get_by_label("First keys").fill("one: 40")
    rehearse.click()
    expect(card.locator(".field.wrong")).to_have_count(2)
    expect(card.get_by_label("… and busy")).to_be_focused()
    card.get_by_label("… and busy").fill("10")
    card.get_by_label("First keys").fill("")
    # Too many rows
    page.locator("#people").set_input_files(people(tmp_path, 1001))
    rehearse.click()
    expect(page.locator(STATUS)).to_contain_text("at most 1,000 can be rehearsed at once")
    page.get_by_role("button", name="Without the file").click()
    # One that fails says why, and it is no chart
    failed = {
        "rehearsalId": "1",
        "state": "failed",
        "askedAt": "2026-11-30T09:00:00.000Z",
        "messages": 1,
        "failure": {"reason": "tookTooLong", "message": "Not one run was over in 10 minutes; rehearse fewer messages."},
    }
    page.route(
        re.compile(r"/bat/rehearsal/\d+$"),
        lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(failed)),
    )
    rehearse.click()
    expect(page.locator(STATUS)).to_have_text("It could not be rehearsed.")
    expect(card).to_contain_text("rehearse fewer messages")
    expect(card.get_by_role("img")).to_have_count(0)
    # Another one is under way: it is followed
    running_one = {**failed, "state": "running"}
    del running_one["failure"]
    refusal = {"error": {"code": "REHEARSAL_RUNNING", "message": "Another list of this account is being rehearsed."}}
    page.unroute(re.compile(r"/bat/rehearsal/\d+$"))
    page.route(
        re.compile(r"/bat/rehearsal/\d+$"),
        lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(running_one)),
    )
    page.route(
        re.compile(r"/bat/rehearsal$"),
        lambda route: route.fulfill(status=409, content_type="application/json", body=json.dumps(refusal)),
    )
    rehearse.click()
    expect(page.locator(STATUS)).to_have_text("It is being rehearsed …")
