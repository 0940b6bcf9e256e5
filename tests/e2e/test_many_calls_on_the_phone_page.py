"""The phone page with a thousand messages: what rings is in front, and nothing is slower for what waits."""

import statistics

import pytest

from local.common.journal import Journal
from tests.kit.browser import axe, chromium, needs_chromium, screenshot, watched
from tests.kit.phone_pages import end, number_of, phone_page, queue, ring

pytestmark = [pytest.mark.browser, needs_chromium]

RUNS = 5
FRAME_MSEC = 17
SHOWN = """(text) => new Promise((done) => {
    const look = () => document.querySelector('#count-waiting')?.textContent === text
        ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
    look();
})"""
# From the click on a call until its story is on the screen.
REACTS = """() => new Promise((done) => {
    const others = [...document.querySelectorAll('#calls button:not([aria-current])')];
    const title = document.querySelector('#story-title');
    const before = title.textContent, began = performance.now();
    const look = () => title.textContent !== before ? done(performance.now() - began) : setTimeout(look);
    others[0].click();
    look();
})"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def numbers(page, group):
    return [text.replace(" ", "") for text in page.locator(f"#calls-{group} b").all_inner_texts()]


def test_calls_that_ring_are_in_front_newest_first_whatever_waits_behind_them(browser):
    journal = Journal()
    with phone_page(journal) as url, watched(browser, url, bypass_csp=True) as page:
        # Given a thousand messages that wait, some in the middle of the queue ring
        queue(journal, 1000)
        for place in (500, 3, 999):
            ring(journal, place)
        page.goto(url)
        page.locator("#calls-ringing button").nth(2).wait_for()
        assert numbers(page, "ringing") == [number_of(999), number_of(3), number_of(500)]
        assert page.locator("#calls button").first.inner_text().startswith("+380 67 000 09 99")
        # … and the page shows the first that rang, says how many wait, and lists few of them
        assert page.inner_text("#number").replace(" ", "") == number_of(500)
        page.get_by_text("and 982 more").wait_for()
        assert page.locator("#calls button").count() < 100
        assert "mid-" not in page.inner_text("#calls")
        # When a fourth rings, it is in front of them, and what is shown stays
        ring(journal, 7)
        page.wait_for_function("document.querySelector('#calls-ringing').children.length === 4")
        assert numbers(page, "ringing")[0] == number_of(7)
        assert page.inner_text("#number").replace(" ", "") == number_of(500)
        # When the shown one ends, one button leads to the newest that rings
        end(journal, 500)
        page.get_by_role("button", name="3 calls ring: show the newest").click()
        page.wait_for_function("document.querySelector('#number').textContent.endsWith('00 07')")
        # A waiting one of which the list says nothing is found by a part of its number
        page.get_by_label("Find a number").fill("0000 742")
        page.wait_for_function("document.querySelectorAll('#calls button').length === 1")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('#story-title').textContent === '+380 67 000 07 42'")


def test_the_list_is_used_by_keyboard_and_keeps_the_place(browser):
    journal = Journal()
    with phone_page(journal) as url, watched(browser, url, bypass_csp=True) as page:
        queue(journal, 3)
        ring(journal, 0)
        ring(journal, 1)
        page.goto(url)
        page.locator("#calls-ringing button").nth(1).focus()
        page.keyboard.press("ArrowDown")
        focused = "document.activeElement.querySelector('b')?.textContent"
        assert page.evaluate(focused).endswith("00 02")
        # A call that comes in above does not take the keyboard away
        ring(journal, 2)
        page.wait_for_function("document.querySelector('#calls-ringing').children.length === 3")
        assert page.evaluate(focused).endswith("00 02")


def test_a_thousand_messages_paint_and_react_as_ten_do(browser):
    few, many = Journal(), Journal()
    with phone_page(few) as ten, phone_page(many) as thousand, watched(browser, ten, thousand, bypass_csp=True) as page:
        queue(few, 10)
        queue(many, 1000)
        paints, reacts = {ten: [], thousand: []}, {ten: [], thousand: []}
        for _ in range(RUNS):
            for url, count in ((ten, "10"), (thousand, "1,000")):
                page.goto(url, wait_until="commit")
                paints[url].append(page.evaluate(SHOWN, count))
                reacts[url] += [page.evaluate(REACTS) for _ in range(3)]
    for times in (paints, reacts):
        short, long = statistics.median(times[ten]), statistics.median(times[thousand])
        told = f"{short:.0f} ms with 10 messages, {long:.0f} ms with 1,000"
        assert long <= 2 * max(short, FRAME_MSEC), told


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_the_page_is_for_eyes_and_screen_readers(browser, width, scheme):
    journal = Journal()
    with phone_page(journal) as url, watched(browser, url, width=width, scheme=scheme) as page:
        queue(journal, 40)
        for place in range(11):
            ring(journal, place)
        end(journal, 0)
        page.goto(url)
        page.get_by_text("10 calls ring").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        screenshot(page, f"phone-{width}-{scheme}")
        assert axe(page) == []
