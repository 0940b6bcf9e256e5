"""The phone page in a real browser: what a newcomer does by hand."""

import json
from pathlib import Path

import httpx
import pytest

from local.cloud import seed
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook
from tests.kit.audio_files import Kind, encode, sound
from tests.kit.browser import WAIT_MSEC, chromium, needs_chromium

MP3 = Kind("mp3", "libmp3lame", 24_000, 2)
pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture
def page():
    with chromium() as browser:
        # The page's policy forbids eval, by which Playwright waits for a condition.
        page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
        page.set_default_timeout(WAIT_MSEC)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        page.close()
        assert errors == []


def test_a_call_is_answered_heard_and_steered_and_its_webhook_is_shown(page):
    with running(None) as cloud:
        page.goto(f"{cloud.url}/phone/")
        menus = (
            menu("ivr_651854", 10_000, wrong=[goto(1)]),
            menu("ivr_651854", 10_000, d1=[webhook({"confirm": True}, headers={"test-header": "test"}), HANGUP]),
        )
        (mid,) = Client(cloud.url).send([message(*menus)])
        page.get_by_role("button", name="Answer").click()
        page.wait_for_function("[...document.querySelectorAll('audio')].some(a => !a.paused && a.currentTime > 0.3)")
        page.locator("#keypad").get_by_role("button", name="9").click()
        pressed = cloud.journal.wait_for(lambda entry: entry["kind"] == "key" and entry["mid"] == mid, 10)
        cloud.journal.wait_for(lambda entry: entry["kind"] == "prompt" and entry["mid"] == mid, 10, after=pressed["id"])
        page.keyboard.press("1")
        assert finished(cloud, mid)["reason"] == "completed"
        page.get_by_text("https://api.example.com/hook").first.wait_for()
        taken = page.locator(".graph .key.taken").evaluate_all("all => all.map(one => one.dataset.key)")
        assert taken == ["wrong", "d1"]
        shown = page.inner_text("body")
        assert [entry["menu"] for entry in cloud.journal.entries(mid) if entry["kind"] == "menu"] == [0, 1]
    assert "test-header" in shown
    assert '"confirm": true' in shown
    assert mid in shown


def test_the_page_shows_the_request_to_paste_and_a_declined_call_is_busy(page):
    with running(None) as cloud:
        cloud.carrier.hello = lambda: {
            "api": cloud.url,
            "user": seed.USER,
            "password": seed.PASSWORD,
            "console": f"{cloud.url}/console",
            "webhooks": "the built-in receiver",
            "curl": "curl it",
        }
        page.goto(f"{cloud.url}/phone/")
        page.get_by_text("curl it").first.wait_for()
        page.get_by_text("the built-in receiver").first.wait_for()
        assert page.get_by_role("link", name="/console").get_attribute("href") == f"{cloud.url}/console"
        (mid,) = Client(cloud.url).send([message(menu(wrong=[HANGUP]))])
        page.get_by_role("button", name="Decline").click()
        assert finished(cloud, mid)["outcome"] == "busy"


def test_the_specification_curl_is_answered_as_it_says():
    body = Path("events/spec/curl.json").read_text(encoding="utf-8").replace("+380XXXXXXXXX", "+380671234567")
    with running(None) as cloud:
        answer = httpx.post(f"{cloud.url}/bat/messagelist", content=body, auth=(seed.USER, seed.PASSWORD), timeout=30)
        assert answer.status_code == 200
        (entry,) = json.loads(answer.text)["messages"]
    # The example has lists without an end, of which its sender is warned.
    assert set(entry) - {"warnings"} == {"messageId", "recipient", "status"}
    assert entry["recipient"] == "+380671234567"
    assert entry["status"] == "sent"


def test_an_uploaded_introduction_is_heard_and_a_key_ends_it(page):
    with running(None) as cloud:
        # Given an introduction of twenty seconds, uploaded as MP3
        audio = encode(MP3, sound(MP3.rate, 4.0) * 5)
        answer = httpx.put(
            f"{cloud.url}/bat/audio/long", content=audio, auth=(seed.USER, seed.PASSWORD), timeout=60, trust_env=False
        )
        assert answer.json()["seconds"] == pytest.approx(20, abs=0.02)
        page.goto(f"{cloud.url}/phone/")
        (mid,) = Client(cloud.url).send([message(menu("long", 10_000, d1=[webhook(), HANGUP]))])
        # When it is played, and a key is pressed in the middle of it
        page.get_by_role("button", name="Answer").click()
        page.wait_for_function("[...document.querySelectorAll('audio')].some(a => !a.paused && a.currentTime > 0.5)")
        assert page.evaluate("document.querySelector('#prompt').duration") == pytest.approx(20, abs=0.1)
        page.keyboard.press("1")
        # Then nothing is heard any more, and the call goes on
        page.wait_for_function("[...document.querySelectorAll('audio')].every(a => a.paused && !a.src)")
        assert finished(cloud, mid)["reason"] == "completed"
        kinds = [entry["kind"] for entry in cloud.journal.entries(mid)]
    assert "key" in kinds
    assert "listening" not in kinds  # which would say that it was played to its end


def test_a_call_that_was_missed_is_called_back_and_9_opts_out(page):
    with running(None, carrier={"playback": 20.0}) as cloud:
        page.goto(f"{cloud.url}/phone/")
        Client(cloud.url).send([message(menu(wrong=[HANGUP]), sender="Shop")])
        page.get_by_role("button", name="Decline").click()
        page.get_by_role("button", name="Call back").click()
        page.get_by_text("Shop has called you from this number").first.wait_for()
        page.locator("#keypad").get_by_role("button", name="9").click()
        page.get_by_text("Shop will not call you again").first.wait_for()
        page.get_by_role("button", name="Call back").wait_for()
        number = {"number": "+380671234567"}
        found = httpx.post(f"{cloud.url}/bat/optout/find", json=number, auth=(seed.USER, seed.PASSWORD), timeout=30)
        assert found.json()["optOut"]["by"] == "callBack"
