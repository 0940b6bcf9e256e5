"""The phone page with a thousand messages: what rings is in front, and nothing is slower for what waits."""

import statistics

import pytest
from playwright.sync_api import expect

from local.common.journal import Journal
from tests.kit.browser import axe, chromium, needs_chromium, screenshot, watched
from tests.kit.phone_pages import ask, end, number_of, phone_page, press, queue, ring

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


MENUS = [
    {
        "say": {"text": "<img src=x onerror=alert(1)>\u202e"},
        "idleTimeoutMsec": 5000,
        "dtmfActions": {"d1": [{"action": "gotoMenu", "menu": 1}], "wrong": [{"action": "gotoMenu", "menu": 0}]},
    },
    {"introUrl": "bye", "dtmfActions": {"d2": [{"action": "webhook", "url": "https://api.example.com/"}]}},
]
WHERE = "[...document.querySelectorAll('.graph .here')].map(one => one.dataset.menu).join()"
WAY = """[...document.querySelectorAll('.graph .key.taken')].map(one =>
    `${one.closest('.menu').dataset.menu} ${one.dataset.key} ${one.querySelector('.order').textContent}`).join()"""


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


def test_the_menus_show_where_the_call_is_and_which_way_it_came(browser):
    journal = Journal()
    with (
        phone_page(journal, {"mid-0": MENUS}) as url,
        watched(browser, url, width=390, scheme="dark", bypass_csp=True) as page,
    ):
        # Given a call that rings: its menus are drawn, and it is in none of them
        queue(journal, 2)
        contact = ring(journal, 0)
        page.goto(url)
        expect(page.locator(".graph .menu")).to_have_count(2)
        assert (page.evaluate(WHERE), page.evaluate(WAY)) == ("", "")
        # When it is answered, nothing is heard, and keys are pressed
        journal.record("answered", "mid-0", contact_id=contact)
        ask(journal, 0, 2, 0)
        page.wait_for_function(f"{WHERE} === '0'")
        page.locator(".canvas").focus()
        journal.record("silence", "mid-0", contact_id=contact)
        ask(journal, 0, 3, 0)
        press(journal, 0, "1")
        ask(journal, 0, 4, 1)
        # Then the picture says so, to the eye, to who listens to it, and to the keyboard, which stays where it was
        page.wait_for_function(f"{WHERE} === '1'")
        assert page.evaluate(WAY) == "0 d1 2,0 wrong 1"
        current = page.locator(".graph li[aria-current=step]")
        assert current.inner_text().startswith("Menu 1, where the call is now, bye.")
        expect(page.locator(".graph li").first).to_contain_text("key 1: menu 1 (heard as number 2)")
        assert page.evaluate("document.activeElement.className") == "canvas"
        assert page.locator("main img").count() == 0
        inside = "(a => a.getBoundingClientRect())(document.querySelector('.here .card')).right <= innerWidth"
        assert page.evaluate(inside)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        screenshot(page, "phone-menus")
        assert axe(page) == []
        # When it is over, it is in none; a second call begins again
        press(journal, 0, "2")
        end(journal, 0)
        page.wait_for_function(f"{WHERE} === ''")
        assert page.evaluate(WAY) == "0 d1 2,0 wrong 1,1 d2 3"
        ring(journal, 0)
        page.wait_for_function(f"{WAY} === ''")
        # And another message, of which no menus are known, has no picture
        page.locator("#calls-waiting button").first.click()
        expect(page.locator("#way")).to_be_hidden()


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
