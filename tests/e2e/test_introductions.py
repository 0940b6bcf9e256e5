"""Introductions in a call: from a URL, and how they and the idle timeout follow each other."""

import io
import shutil

import boto3
import httpx
import pytest

from docs.pipeline import smoke_test
from local.cloud import polly, seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, answer, press, stay_silent
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.s3_audio import CARRIED, S3Audio
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, telephone_wav

PLAYBACK = 8.0
IDLE_SECONDS = 1.0


class Silent:
    """Answers, and never presses a key."""

    def take(self, phone):
        phone.answer()


def entry_of(cloud, mid, kind):
    return next(entry for entry in cloud.journal.entries(mid) if entry["kind"] == kind)


def test_the_idle_timeout_begins_when_the_introduction_has_ended_however_long_it_is():
    with running(Silent(), carrier={"playback": PLAYBACK}) as cloud:
        # Given prompts of 1 and 20 seconds, played eight times as fast; the idle timeout is not
        for seconds in (1, 20):
            seed.put_prompt(cloud.template, f"of-{seconds}", telephone_wav(seconds))
        menus = {seconds: menu(f"of-{seconds}", round(IDLE_SECONDS * 1000), wrong=[HANGUP]) for seconds in (1, 20)}
        mids = {seconds: Client(cloud.url).send([message(one)])[0] for seconds, one in menus.items()}
        # When nobody presses a key
        for mid in mids.values():
            assert finished(cloud, mid)["reason"] == "completed"
        for seconds, mid in mids.items():
            begun, listening, silence = (entry_of(cloud, mid, kind) for kind in ("prompt", "listening", "silence"))
            # Then the whole prompt was played, and the whole idle timeout waited behind it
            assert begun["seconds"] == seconds / PLAYBACK
            assert listening["at"] - begun["at"] >= seconds / PLAYBACK - 0.05
            assert silence["at"] - listening["at"] >= IDLE_SECONDS - 0.05
            assert listening["seconds"] == IDLE_SECONDS


def test_an_introduction_behind_a_url_is_heard():
    with running(Silent()) as cloud:
        (mid,) = Client(cloud.url).send([message(menu("https://example.com/welcome.mp3", 1000, wrong=[HANGUP]))])
        assert finished(cloud, mid)["reason"] == "completed"
        heard = entry_of(cloud, mid, "prompt")
    assert round(heard["seconds"], 1) == 3.6


@pytest.mark.skipif(shutil.which(polly.PROGRAM) is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("telephony", RINGING)
def test_text_is_heard_and_spoken_once(telephony, monkeypatch):
    asked, speak = [], polly._spoken
    monkeypatch.setattr(polly, "_spoken", lambda *given: asked.append(given) or speak(*given))
    spoken = {"say": {"text": "Good morning. Press one.", "language": "en-GB"}, "idleTimeoutMsec": 1000}
    one = {**spoken, "dtmfActions": {"wrong": [HANGUP]}}
    log = io.StringIO()
    with running(Script([answer(), stay_silent()]), telephony=telephony, log=log) as cloud:
        for mid in Client(cloud.url).send([message(one), message(one, to="+380671234568")]):
            assert finished(cloud, mid)["reason"] == "completed"
            assert 1 < entry_of(cloud, mid, "prompt")["seconds"] < 4
        assert not [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"]
    assert asked == [("Good morning. Press one.", "en-gb")]
    assert "message accepted" in log.getvalue()
    assert "Good morning" not in log.getvalue()


def keep_as_a_release_before(name, template):
    """An upload whose audio is where releases before this one kept it."""
    environment = template.functions["FetchPromptFunction"].environment
    audio = S3Audio(boto3.client("s3"), environment["PROMPTS_BUCKET"], CARRIED)
    prompts = DynamoPrompts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    known = prompts.find(seed.ACCOUNT_ID, name)
    there = audio.put(audio.get(known.prompt.uri))
    prompts.put(seed.ACCOUNT_ID, known._replace(prompt=known.prompt._replace(uri=there)))


@pytest.mark.parametrize("telephony", RINGING)
def test_a_code_is_spelt_from_recordings_joined_to_one_prompt(telephony):
    parts = [{"audio": "https://example.com/welcome.mp3"}, {"pauseMsec": 250}, {"spell": "4714", "recordings": "uk_"}]
    menus = {"play": parts, "idleTimeoutMsec": 1000, "dtmfActions": {"silence": [HANGUP]}}
    log = io.StringIO()
    with running(Script([answer(), stay_silent()]), telephony=telephony, log=log, carrier={"playback": 8.0}) as cloud:
        for digit in "147":
            url = f"{cloud.url}/bat/audio/uk_{digit}"
            httpx.put(url, content=telephone_wav(int(digit) / 10), auth=(seed.USER, seed.PASSWORD)).raise_for_status()
        keep_as_a_release_before("uk_7", cloud.template)
        (mid,) = Client(cloud.url).send([message(menus)])
        assert finished(cloud, mid)["reason"] == "completed"
        heard = entry_of(cloud, mid, "prompt")
        assert not [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"]
    assert heard["seconds"] * 8 == pytest.approx(3.6 + 0.25 + 0.4 + 0.7 + 0.1 + 0.4, abs=0.06)
    assert "message accepted" in log.getvalue()
    assert "uk_" not in log.getvalue()


@pytest.mark.skipif(shutil.which(polly.PROGRAM) is None, reason="espeak-ng is not installed")
def test_the_smoke_test_of_the_pipelines_example_passes_here():
    with running(Script([answer(), press("1", after=0.05)])) as cloud:
        assert "answered, 1 pressed" in smoke_test.smoke_test(cloud.url, seed.KEY)


def test_text_that_cannot_be_spoken_here_ends_the_message_with_what_to_install(monkeypatch):
    monkeypatch.setattr(polly, "PROGRAM", "no-such-program")
    with running(Silent()) as cloud:
        spoken = {"say": {"text": "Good morning.", "language": "en-GB"}, "dtmfActions": {"wrong": [HANGUP]}}
        (mid,) = Client(cloud.url).send([message(spoken)])
        finished(cloud, mid)
        status = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=(seed.USER, seed.PASSWORD)).json()
    assert status["deliverystatus"] == "permanenterror"
    assert status["call"]["endReason"] == "promptUnavailable"
    assert "apt-get install espeak-ng" in status["call"]["cause"]
