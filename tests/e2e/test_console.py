"""The console in a real browser: each page's main job against the whole service, with the key of its account."""

import base64
import json
import re
import secrets
from array import array
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import boto3
import httpx
import pytest
from playwright.sync_api import expect

from cli.call_replay import read_call_file, replay_calls
from local.cloud import seed
from local.network.shared.scripted_callees import Script, answer, busy, press, stay_silent
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.named_keys import NewKey, create_key
from speechcall.shared.rules.json_text import dump_json
from speechcall.status.use_cases.call_file import content_of
from tests.e2e.conftest import HANGUP, Client, finished, goto, menu, message, running, webhook
from tests.e2e.test_main_job import webhooks_of
from tests.kit.audio_files import Kind, encode, sound
from tests.kit.browser import WAIT_MSEC, axe, chromium, needs_chromium, screenshot, watched
from tests.kit.made_calls import random_history, written
from tests.kit.samples import NOW

pytestmark = [pytest.mark.browser, needs_chromium]

PRESSES_1, PRESSES_2, DECLINES = "+380671234567", "+380670000002", "+380670000003"
PRESSES_2_AND_1 = "+380670000004"
CALLEES = {
    PRESSES_1: Script([answer(0.0), press("1", 0.1)]),
    PRESSES_2: Script([answer(0.0), press("2", 0.1), stay_silent()]),
    PRESSES_2_AND_1: Script([answer(0.0), press("2", 0.1), press("1", 0.1)]),
    DECLINES: Script([busy()]),
}
MENUS = [
    menu(d1=[webhook({"order": "4071"}), HANGUP], d2=[goto(1)], wrong=[goto(0)]),
    menu(idle=500, d1=[webhook(), HANGUP]),
]
MARKUP = "<img src=x onerror='hacked=1'><script>hacked=1</script>"
HOSTILE = MARKUP + "\u202eorp\u2066{{x}}" + "שלום" * 200
expect.set_options(timeout=WAIT_MSEC)
PAGES = ("send", "lists", "call", "webhooks", "optouts", "audio", "account")
PROGRAM = {"X-Authorization-Key": seed.KEY}


@pytest.fixture(scope="module")
def cloud():
    with running(carrier={"caller_for": lambda number: CALLEES.get(number, CALLEES[DECLINES])}) as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser, cloud):
    with watched(browser, cloud.url) as opened:
        yield opened


def enter(page, cloud, where="send", url=""):
    page.goto(f"{url or cloud.url}/console#/{where}")
    page.get_by_label("API key").fill(seed.KEY)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#nav")).to_be_visible()


def write(page, value):
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    page.get_by_label("Menus as JSON").fill(text)


def sent_list(cloud, messages, **envelope):
    answer = httpx.post(
        f"{cloud.url}/bat/messagelist", json={"messages": messages, **envelope}, headers=PROGRAM, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_only_a_key_opens_it_and_nothing_keeps_the_key(page, cloud):
    page.goto(f"{cloud.url}/console")
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("The API does not know this key.")).to_be_visible()
    page.get_by_label("API key").fill(seed.KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Menus")).to_be_visible()
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    assert seed.KEY not in page.evaluate(kept)
    page.reload()
    expect(page.get_by_label("API key")).to_have_value("")


def test_a_menu_is_corrected_drawn_and_called_and_its_way_is_shown(page, cloud):
    enter(page, cloud)
    # Given a text that is no JSON, its place is told
    write(page, '[\n  {"introUrl": "short",,}\n]')
    expect(page.locator(".findings")).to_contain_text("Line 2")
    expect(page.locator(".findings")).to_contain_text("This is not JSON")
    # What the API finds stands at its line, and a click leads there
    broken = json.loads(json.dumps(MENUS))
    broken[0]["dtmfActions"]["d2"][0]["menu"] = 7
    broken[1].update(introUrl="", idleTimeoutMsec="soon")
    write(page, broken)
    expect(page.locator(".findings .bad")).to_have_count(2)
    broken[1] = MENUS[1]
    write(page, broken)
    page.locator(".findings .bad", has_text="[0].dtmfActions.d2[0].menu").get_by_role("button").click()
    selected = "(a => a.value.slice(a.selectionStart, a.selectionEnd))(document.activeElement)"
    assert page.evaluate(selected) == '"menu"'
    seen = "(a => [a.scrollTop / 19, (a.scrollTop + a.clientHeight) / 19])(document.activeElement)"
    first, last = page.evaluate(seen)
    assert first < 21 < last
    screenshot(page, "console-findings")
    # Then the menus are drawn, with what each key does
    write(page, MENUS)
    expect(page.locator(".findings li.bad")).to_have_count(0)
    expect(page.locator(".graph .menu")).to_have_count(2)
    expect(page.locator(".graph .edge")).to_have_count(2)
    expect(page.locator("[data-menu='0'] [data-key='d1']")).to_contain_text("webhook api.example.com")
    # A number that cannot be is told under its field
    page.get_by_label("To").fill("+38067")
    expect(page.locator(".field.wrong")).to_contain_text("To")
    page.get_by_label("To").fill(PRESSES_1)
    expect(page.get_by_text("The menus can be sent")).to_be_visible()
    # The answer is lost, three times over: called again, it is still the one call
    lost = []

    def lose(route):
        lost.append(route.fetch())
        route.abort()

    page.route("**/bat/messagelist", lose)
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#told")).to_have_text("The API cannot be reached.")
    page.unroute("**/bat/messagelist")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("h1 .state")).to_be_visible()
    assert {one.json()["messages"][0]["messageId"] for one in lost} == {page.url.rpartition("/")[2]}
    assert len(lost) == 3
    # The message's page follows the call to its end
    expect(page.locator("h1 .state")).to_have_text("answered")
    expect(page.locator(".timeline")).to_contain_text("Menu 0: key 1")
    expect(page.locator(".graph .key.taken")).to_have_count(1)
    expect(page.locator("[data-menu='0'] [data-key='d1'].taken")).to_be_visible()
    expect(page.locator(".delivery.delivered")).to_be_visible()
    screenshot(page, "console-message")
    assert axe(page) == []


def test_a_table_of_people_becomes_a_campaign_with_a_funnel_and_an_export(page, cloud, tmp_path):
    enter(page, cloud)
    menus = json.loads(json.dumps(MENUS))
    menus[0]["dtmfActions"]["d1"][0] = webhook({"order": "{{Order no}}"}, url="https://api.example.com/{{Order no}}")
    write(page, menus)
    page.get_by_label("Campaign").fill("spring")
    table = tmp_path / "people.csv"
    rows = [[PRESSES_1, "4 071", "a"], [PRESSES_2, '4"2', "b"], [DECLINES, "3", "c"]]
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    table.write_text("\r\n".join(["Phone,Order no,id", *quoted]), encoding="utf-8-sig")
    page.locator("#people").set_input_files(table)
    expect(page.get_by_label("Number is column")).to_have_value("0")
    expect(page.get_by_label("{{Order no}} is column")).to_have_value("1")
    page.get_by_role("button", name="Call 3 numbers").click()
    page.get_by_role("dialog").get_by_role("button", name="Call").click()
    # Then the list runs, live, to its end
    expect(page.get_by_text("3 of 3 have ended")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("cell", name=DECLINES)).to_be_visible()
    page.get_by_role("link", name="spring").click()
    expect(page.locator(".funnel")).to_contain_text("key 1")
    expect(page.locator(".funnel caption").first).to_contain_text("Menu 0")
    expect(page.locator(".legend")).to_contain_text("answered 2")
    screenshot(page, "console-campaign")
    assert axe(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    exported = download.value.path().read_text(encoding="utf-8")
    assert len(exported.strip().splitlines()) == 4
    assert PRESSES_2 in exported
    # Each one's own value is in its webhook, quoted where it stands in a URL
    (request,) = [one for one in cloud.receiver.wait_for(1, 20) if "4%20071" in one.url]
    assert json.loads(request.body)["action"] == {"order": "4 071"}


def test_a_campaign_is_paused_resumed_and_cancelled(page, cloud):
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    sent_list(cloud, [message(MENUS[1])], campaign="tomorrow", sendAt=later)
    enter(page, cloud, "lists")
    page.get_by_role("link", name="tomorrow").click()
    state = page.locator("h1 .state")
    expect(page.get_by_text("0 of 1 have ended")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(state).not_to_have_text("paused")
    page.get_by_role("button", name="Cancel …").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(state).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()


def test_webhooks_that_were_given_up_are_sent_again_and_the_secret_is_changed(page, cloud):
    cloud.receiver.answer_with(410)
    (mid,) = Client(cloud.url).send([message(MENUS[1], to=PRESSES_1)])
    finished(cloud, mid)
    webhooks_of(cloud, mid, "failed")
    enter(page, cloud, "webhooks")
    link = page.get_by_role("link", name=mid)
    expect(link).to_be_visible()
    screenshot(page, "console-webhooks")
    # When its receiver is well again: one from the message's page, which draws the way of what others have sent
    cloud.receiver.answer_with(200)
    link.click()
    expect(page.locator("[data-menu='0'] [data-key='d1'].taken")).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".delivery.delivered")).to_be_visible()
    # All at once: there are none left
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_text("None: every webhook was delivered")).to_be_visible()
    page.get_by_role("button", name="Send all of them again").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#told")).to_have_text("0 are sent again.")
    # A new secret is shown once
    page.get_by_role("button", name="A new secret").click()
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".secret")).to_have_text(re.compile(r"^whsec_[A-Za-z0-9+/=]{20,}$"))


def open_file(page, content, name="call.jws"):
    page.get_by_label("File").set_input_files({"name": name, "mimeType": "application/jose", "buffer": content})


def test_a_call_is_saved_as_a_file_and_played_again_by_a_slider(page, cloud, tmp_path):
    # Given a call in which two keys were pressed, and its file
    (mid,) = Client(cloud.url).send([message(*MENUS, to=PRESSES_2_AND_1)])
    finished(cloud, mid)
    enter(page, cloud, f"message/{mid}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the calls").click()
    saved = download.value.path().read_bytes()
    # When it is opened: it is ours, and nothing of it goes anywhere
    page.get_by_role("link", name="Call file").click()
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url.removeprefix(cloud.url))))
    open_file(page, saved)
    expect(page.get_by_text("It is signed by this service")).to_be_visible()
    of_the_page = {("GET", f"/console/{file.name}") for file in Path("functions/console/pages").iterdir()}
    assert set(asked) - of_the_page == {("GET", "/keys.json")}
    expect(page.locator("dl")).to_contain_text("+380…04")
    # It begins before the first step; the slider's keys lead through time, buttons through steps
    here, now = page.locator(".graph .menu.here"), page.locator(".now")
    expect(now).to_have_text("Before the first of 3 steps: it rings.")
    expect(here).to_have_count(0)
    page.get_by_role("button", name="Next step").click()
    expect(here).to_have_attribute("data-menu", "0")
    page.get_by_role("button", name="Next step").click()
    expect(here).to_have_attribute("data-menu", "1")
    expect(page.locator(".graph .key.taken")).to_have_count(1)
    expect(page.locator(".steps > [aria-current]")).to_contain_text("menu 0: key 2 → menu 1")
    screenshot(page, "console-call-file")
    slider = page.get_by_role("slider", name="Time in the call")
    slider.focus()
    page.keyboard.press("End")
    expect(now).to_contain_text("Step 3 of 3")
    assert "menu 1: key 1, then the end" in slider.get_attribute("aria-valuetext")
    expect(here).to_have_count(0)
    expect(page.locator(".steps .later")).to_have_count(0)
    assert axe(page) == []
    page.keyboard.press("Home")
    expect(page.locator(".steps .later")).to_have_count(3)
    page.get_by_role("button", name="Play").click()
    expect(now).to_contain_text("Step 3 of 3")
    # And what its key sends is told, not sent
    hook = page.locator(".steps details")
    expect(hook).to_contain_text("was sent")
    hook.locator("summary").click()
    expect(hook).to_contain_text(f"{mid}-1-3-m1-d1-0")
    assert page.locator("main a").count() == 0
    # When one byte of it is changed, or another has signed it, it says so
    place = saved.index(b".") + 40
    content = json.loads(base64.urlsafe_b64decode(saved.split(b".")[1] + b"=="))
    open_file(page, written(content))
    expect(page.get_by_text("It is signed by nobody whom this service knows")).to_be_visible()
    changed = written(content | {"to": "+380…05"}).split(b".")[1]
    open_file(page, b".".join([saved.split(b".")[0], changed, saved.split(b".")[2]]))
    expect(page.get_by_text("Its signature is wrong")).to_be_visible()
    assert place < len(saved)


def test_files_of_strangers_are_refused_or_shown_as_text(page, cloud):
    enter(page, cloud, "call")
    good = json.loads(dump_json(content_of(random_history(Random(3))[0])))
    entry = good["calls"][0]["log"][0]
    told = page.locator("#told[data-tone=bad]")
    for given, why in (
        (b"", "three parts in base64url"),
        (b"a.b", "three parts in base64url"),
        (b"\xff\xfe.e30.e30", "three parts in base64url"),
        (b"e30.e30.e30", "not of a form that this page reads"),
        (b"bnVsbA.bnVsbA.", "not of a form that this page reads"),
        (written([1]), "not of a form that this page reads"),
        (written(good | {"v": 2}), "not of a form that this page reads"),
        (b".".join([b"e30", b"W" * 2_000_000, b""]), "three parts in base64url"),
        (bytes(4 * 1024 * 1024 + 1), "too large"),
        (written({"v": 1}), "menu has to be 1 to 20 menus"),
        (written(good | {"menu": [{}] * 21}), "menu has to be 1 to 20 menus"),
        (written(good | {"to": {"a": 1}}), "to is not what it has to be"),
        (written(good | {"calls": {}}), "calls has to be"),
        (written(good | {"calls": [{"log": []}]}), "calls[0].attempt is not"),
        (written(good | {"calls": [good["calls"][0] | {"log": [entry] * 502}]}), "calls[0].log is not"),
        *(
            (written(good | {"calls": [good["calls"][0] | {"log": [entry | change]}]}), "calls[0].log[0] is not")
            for change in (
                {"seq": 2},
                {"menu": 0},
                {"event": MARKUP},
                {"key": "__proto__"},
                {"atMsec": 1e300},
                {"atMsec": "1"},
                {"then": {"kind": "ask", "menu": 99}},
                {"then": None},
                {"then": {"kind": "end", "reason": {}}},
            )
        ),
    ):
        page.evaluate("document.querySelector('#told').textContent = ''")
        open_file(page, given)
        expect(told).to_contain_text(why)
        assert page.locator(".replay").count() == 0
    # What can be read is text, wherever it stands
    list_of_all = [{"action": "webhook", "url": f"javascript:hacked=1//{MARKUP}", "body": {HOSTILE[:300]: MARKUP}}]
    menus = [{"say": {"text": HOSTILE}, "dtmfActions": {"d1": list_of_all, "__proto__": list_of_all}}]
    steps = [
        {"seq": 1, "menu": None, "event": "answered", "key": None, "atMsec": NOW, "then": {"kind": "ask", "menu": 0}},
        {"seq": 2, "menu": 0, "event": "key", "key": "d1", "atMsec": NOW, "then": {"kind": "end", "reason": HOSTILE}},
    ]
    calls = [
        good["calls"][0] | {"dialledMsec": NOW, "endedMsec": NOW, "cause": HOSTILE, "log": log} for log in (steps, [])
    ]
    hostile = dict.fromkeys(("messageId", "from", "to", "outcome", "endReason", "finishedAt"), HOSTILE)
    open_file(
        page, written(good | hostile | {"menu": menus, "calls": calls, "webhooks": [HOSTILE]}), f"{MARKUP[:40]}.jws"
    )
    expect(page.locator(".steps")).to_contain_text("javascript:hacked=1//<img src=x")
    page.get_by_role("button", name="Next step").click()
    page.get_by_role("button", name="Next step").click()
    expect(page.locator(".now")).to_contain_text("Step 2 of 2")
    page.get_by_role("button", name="Step back").click()
    expect(page.locator(".now")).to_contain_text("Step 1 of 2")
    page.locator(".steps summary").click()
    page.get_by_label("Which").select_option("1")
    expect(page.locator(".steps")).to_contain_text("Nothing was heard in it")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main a, main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_and_the_command_play_the_same(page, cloud, tmp_path):
    """Files of calls by chance: the same was heard, the same follows, and the same webhooks."""
    page.goto(f"{cloud.url}/console")
    module = "import('/console/call_file.js').then(all => texts.map(text => all.replay(all.readCallFile(text))))"
    random, file = Random(25), tmp_path / "call.jws"
    contents = [json.loads(dump_json(content_of(random_history(random)[0]))) for _ in range(60)]
    # In some what follows was changed, which the menus would not do
    for content in contents[::6]:
        asks = [one["then"] for one in content["calls"][0]["log"] if one["then"]["kind"] == "ask"]
        asks[-1]["menu"] = (asks[-1]["menu"] + 1) % len(content["menu"])
    played = page.evaluate(f"texts => {module}", [written(content).decode() for content in contents])
    webhooks = doubts = 0
    for content, (call,) in zip(contents, played, strict=True):
        file.write_bytes(written(content))
        right = replay_calls(read_call_file(file))
        differs = [one for one in right.differences if "would be right" in one]
        doubted = [step for step in call["steps"] if step["doubt"]]
        if differs:
            assert bool(doubted) or "(limit)" in differs[0] or "(silence)" in differs[0], differs
        else:
            assert not doubted
            assert [(one["heard"] + one["answer"], one["then"]) for one in call["steps"]] == [
                (one.heard, one.then) for one in right.steps
            ]
        ids = [hook["id"] for one in call["steps"] for hook in one["webhooks"]]
        assert ids[: len(right.webhooks)] == list(right.webhooks)
        webhooks, doubts = webhooks + len(ids), doubts + len(doubted)
    assert webhooks > 10
    assert doubts > 3


def key_that_erases(cloud):
    accounts = DynamoAccounts(
        boto3.client("dynamodb"), cloud.template.functions["MessagelistFunction"].environment["REGISTRY_TABLE"]
    )
    scopes = {Scope.READ, Scope.MANAGE, Scope.ERASE}
    token = partial(secrets.token_hex, 16)
    made = create_key(seed.ACCOUNT_ID, "office", scopes, (), store=accounts, token=token, now_msec=0)
    assert isinstance(made, NewKey)
    return made.key


def test_a_number_opts_out_and_only_a_key_that_erases_lets_it_in_again(page, cloud):
    enter(page, cloud, "optouts")
    page.get_by_label("Number").fill("+380670000009")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Not opted out")).to_be_visible()
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".found .is-out")).to_be_visible()
    expect(page.get_by_role("cell", name="… 09")).to_be_visible()
    remove(page)
    expect(page.locator("#told")).to_contain_text("erase")
    page.get_by_role("button", name="Leave").click()
    page.get_by_label("API key").fill(key_that_erases(cloud))
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#account")).to_have_text("laptop, key office")
    page.get_by_label("Number").fill("+380670000009")
    page.get_by_role("button", name="Find").click()
    remove(page)
    expect(page.locator(".found .is-in")).to_contain_text("removed")
    assert "0000009" not in page.url


def remove(page):
    page.get_by_role("button", name="Remove …").click()
    page.get_by_label("Consent: on what basis").fill("form")
    page.get_by_label("Reference").fill("4711")
    page.get_by_role("button", name="Remove the opt-out").click()
    page.get_by_role("button", name="Remove", exact=True).click()


def test_audio_is_uploaded_heard_drawn_and_deleted(page, cloud, tmp_path):
    kind = Kind("mp3", "libmp3lame", 24_000, 2)
    file = tmp_path / "Hello you.mp3"
    file.write_bytes(encode(kind, sound(kind.rate, 1.0)))
    enter(page, cloud, "audio")
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_label("Identifier")).to_have_value("Hello_you")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("cell", name="Hello_you", exact=True)).to_be_visible()
    page.get_by_role("button", name="Hear Hello_you").click()
    expect(page.locator(".wave")).to_be_visible()
    heights = page.locator(".wave rect").evaluate_all("all => all.map(one => Number(one.getAttribute('height')))")
    assert len(heights) > 100
    assert max(heights) > 10
    screenshot(page, "console-audio")
    # What is odd about a file is told, and stands with it
    silence = encode(Kind("flac", "flac", 8000), array("f", [0.0]) * 8000)
    page.get_by_label("File").set_input_files({"name": "quiet.flac", "mimeType": "audio/flac", "buffer": silence})
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#told")).to_contain_text("quiet: 1 s, stored; one thing about it is odd")
    expect(page.get_by_role("row", name="quiet").locator(".notes")).to_contain_text("nothing can be heard")
    page.get_by_role("button", name="Delete Hello_you").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("cell", name="Hello_you", exact=True)).to_have_count(0)


def test_a_large_file_goes_into_the_store_with_its_progress_and_an_end(browser, cloud, tmp_path):
    """The page is at `localhost` here and the store is not, so that what S3 and a browser ask of each other holds."""
    kind = Kind("wav", "pcm_s24le", 48_000)
    large, huge, text = tmp_path / "Large one.wav", tmp_path / "huge.wav", tmp_path / "text.mp3"
    large.write_bytes(encode(kind, sound(kind.rate, 1.0) * 30))
    assert large.stat().st_size > 4_000_000
    with huge.open("wb") as made:
        made.truncate(25 * 1024 * 1024 + 1)
    text.write_text("no audio " * 500_000)
    here = cloud.url.replace("127.0.0.1", "localhost")
    with watched(browser, here, cloud.url) as page:
        enter(page, cloud, "audio", here)
        told = page.locator("#told")
        upload = page.get_by_role("button", name="Upload")
        # Given a file that is too large: nothing is sent
        page.get_by_label("File").set_input_files(huge)
        upload.click()
        expect(told).to_contain_text("it has 25.0 MiB, and at most 25 MiB can be taken")
        # One whose way is long: it can be ended
        page.get_by_label("Identifier").fill("large")
        page.get_by_label("File").set_input_files(large)
        page.route("**/aws/**", lambda _: None)
        upload.click()
        expect(page.get_by_role("progressbar", name="How much is uploaded")).to_be_visible()
        assert axe(page) == []
        page.get_by_role("button", name="Cancel").click()
        expect(told).to_have_text("Cancelled: nothing is stored.")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        # One that the store does not take
        page.unroute("**/aws/**")
        page.route("**/aws/**", lambda route: route.fulfill(status=403, headers={"Access-Control-Allow-Origin": here}))
        upload.click()
        expect(told).to_have_text("The store has not taken the file (403). Begin again.")
        # When nothing is in its way, it is there, is heard and drawn
        page.unroute("**/aws/**")
        upload.click()
        expect(page.get_by_role("cell", name="large", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_role("cell", name="30.0 s")).to_be_visible()
        # And what is no audio is told as the API tells it
        page.get_by_label("Identifier").fill("text")
        page.get_by_label("File").set_input_files(text)
        upload.click()
        expect(told).to_contain_text("audio", timeout=30_000)
        expect(page.get_by_role("cell", name="text", exact=True)).to_have_count(0)


def test_texts_and_tables_are_read_as_they_are_written(page, cloud):
    """The modules that read what people type and paste, one by one."""
    page.goto(f"{cloud.url}/console")
    read = "([file, name, text]) => import(`/console/${file}`).then(all => [...all[name](text)]).catch(() => null)"
    wrong = "([text]) => import('/console/json_places.js').then(all => all.places(text)).then(() => -1, bad => bad.at)"
    for text in ('{"a":[1.10,{"b\\u0041":"\\"x"}],"c":{}}', " [] ", '"a"', "-0.1e+9", "null", '[[],{"":0}]'):
        found = dict(page.evaluate(read, ["json_places.js", "places", text]))
        assert found[""] == {"from": len(text) - len(text.lstrip()), "to": len(text.rstrip()), "key": None}
        for place in found.values():
            json.loads(text[place["from"] : place["to"]])
    for text, at in (
        ("", 0),
        ("[1,]", 3),
        ('{"a" 1}', 5),
        ("{a:1}", 1),
        ("[1] x", 4),
        ('["\n"]', 1),
        ("01", 1),
        ("[" * 300, 201),
    ):
        assert page.evaluate(wrong, [text]) == at, text
    for text, rows in (
        ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
        ('\ufeffa;b\r\n"1;""2""";3\r\n\r\n', [["a", "b"], ['1;"2"', "3"]]),
        ('a\tb\n"x\ny"\t', [["a", "b"], ["x\ny", ""]]),
        ("", []),
    ):
        assert page.evaluate(read, ["csv.js", "readCsv", text]) == rows
    assert page.evaluate(read, ["csv.js", "readCsv", 'a\n"b']) is None
    # Of menus that stand next to the message a row of a table gives the vars, beside those that the message has
    menus = [{"say": {"text": "{{order}} {{name}}"}, "dtmfActions": {}}]
    shared = {"menus": menus, "messages": [{"vars": {"name": "A"}}]}
    asked = """text => import('/console/request.js').then(all => {
      const read = all.readText(text), person = {to: "+1", values: new Map([["order", '"{{name}}']])};
      const body = JSON.parse(all.compose(read, {from: "", campaign: ""}, [person]));
      return [all.wanted(read), body.menus, body.messages[0].vars, all.pathInText("messages[0].menu[0].say", read)];
    })"""
    told = page.evaluate(asked, json.dumps(shared))
    assert told == [["order"], menus, {"name": "A", "order": '"{{name}}'}, "menus[0].say"]
    graph = "([lists, heard]) => import('/console/graph.js').then(all => "
    told_rows = f"{graph}all.read([{{dtmfActions: lists}}])[0].rows.map(one => one.heard))"
    for lists, heard in (
        (["d1", "wrong"], ["key 1", "another key, or silence"]),
        (["d1"], ["key 1", "another key, or silence"]),
        (["silence", "wrong"], ["no key", "another key"]),
        (["invalid"], ["another key", "no key"]),
        (["complete", "silence"], ["digits", "no key", "another key"]),
        (["silence", "invalid", "wrong"], ["no key", "another key"]),
    ):
        assert page.evaluate(told_rows, [{key: [] for key in lists}]) == heard, lists
    runs = f"{graph}all.listFor(lists, heard))"
    some = {"d1": [], "silence": [], "wrong": []}
    for key, name in (("d1", "d1"), ("d2", "wrong"), ("idle", "silence"), ("other", "wrong"), ("prompt_error", None)):
        assert page.evaluate(runs, [some, key]) == name
    names = "heard => import('/console/keys.js').then(all => all.heardName(heard))"
    for key, name in (("d*", "key *"), ("idle", "no key"), ("other", "another key"), ("prompt_error", "not played")):
        assert page.evaluate(names, key) == name


def test_what_a_stranger_wrote_is_shown_as_text_everywhere(page, cloud):
    enter(page, cloud)
    # Given hostile text in the editor, in the picture, in what the API says of it, and in a file's name
    write(
        page, [{"say": {"text": HOSTILE * 75, "language": HOSTILE}, "dtmfActions": {HOSTILE: [{"action": "webhook"}]}}]
    )
    expect(page.locator(".findings .bad").first).to_be_visible()
    expect(page.locator(".graph .intro")).to_contain_text("<img src=x")
    page.get_by_label("Campaign").fill(HOSTILE[:60])
    expect(page.locator(".field.wrong").first).to_be_visible()
    hidden = {"name": "<img src=x onerror=alert(1)>.csv", "mimeType": "text/csv"}
    page.locator("#people").set_input_files({**hidden, "buffer": f"to,{HOSTILE}\n{HOSTILE},1".encode()})
    expect(page.locator(".many")).to_contain_text("<img src=x onerror=alert(1)>.csv")
    # … and in a message, as much as the API takes
    given = {**message(MENUS[1], to=PRESSES_1), "text": MARKUP + "שלום" * 380, "customerMessageId": MARKUP[:64]}
    sent = sent_list(cloud, [given], campaign="hostile")
    mid = sent["messages"][0]["messageId"]
    page.goto(f"{cloud.url}/console#/message/{mid}")
    expect(page.locator("dl")).to_contain_text(MARKUP)
    page.goto(f"{cloud.url}/console#/lists/list/{sent['messagelistId']}")
    expect(page.get_by_role("cell", name="<img src=x").first).to_be_visible()
    page.goto(f"{cloud.url}/console#/message/{HOSTILE[:90]}")
    expect(page.locator("#told[data-tone=bad]")).to_be_visible()
    # Then nothing of it ran, made an element, or made the page wider
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_is_for_eyes_keyboards_and_screen_readers(browser, cloud, width, scheme):
    with watched(browser, cloud.url, width=width, scheme=scheme) as page:
        enter(page, cloud)
        for name in PAGES:
            page.goto(f"{cloud.url}/console#/{name}")
            expect(page.locator(f".page.{name} h1, .page.{name} h2").first).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            screenshot(page, f"console-{name}-{width}-{scheme}")
            assert axe(page) == [], name
        # The keyboard comes out of the editor again, and to a way past the links
        page.goto(f"{cloud.url}/console#/send")
        page.get_by_label("Menus as JSON").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") != "TEXTAREA"
