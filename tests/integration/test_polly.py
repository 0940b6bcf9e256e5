"""Spoken text: Polly's client against the laptop's Polly over HTTP, and in a call."""

import shutil

import boto3
import pytest
from botocore.stub import Stubber

from local.cloud import polly
from local.common.http_server import HttpServer
from speechcall.menus.rules.speech import VOICES, Say
from speechcall.prompts.adapters.polly import POLLY_CONFIG, PollySpeaker
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.wav import telephone_samples
from speechcall.prompts.use_cases.make_audio import make_audio
from speechcall.shared.rules.errors import PromptUnavailable, PromptUnreachable

needs_espeak = pytest.mark.skipif(shutil.which(polly.PROGRAM) is None, reason="espeak-ng is not installed")

SAY = Say("Good morning. Your order has been delivered.", "en-GB", "Amy")


def client(url=None):
    return boto3.client(
        "polly",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=POLLY_CONFIG,
    )


@pytest.fixture(scope="module")
def url():
    server = HttpServer(polly.answer_as_polly)
    server.start()
    yield server.url
    server.stop()


def never(content):
    raise AssertionError("it is a telephone prompt already")


@needs_espeak
@pytest.mark.parametrize("encoding", Encoding)
def test_text_becomes_a_telephone_prompt_that_can_be_heard(url, encoding):
    audio = make_audio(PollySpeaker(client(url), encoding).speak(SAY), encoding, never)
    assert 2 < audio.seconds < 5
    assert telephone_samples(audio.content, encoding) is not None
    assert audio.warnings == ()


@needs_espeak
@pytest.mark.parametrize("language", VOICES)
def test_the_laptop_has_a_voice_for_each_language(language):
    assert len(polly._spoken("12", polly.espeak_voice(language))) > 5000


def test_without_espeak_the_sentence_says_what_to_install(url, monkeypatch):
    monkeypatch.setattr(polly, "PROGRAM", "no-such-program")
    with pytest.raises(PromptUnavailable, match=r"cannot be spoken: .*; install it .Debian: apt-get install espeak-ng"):
        PollySpeaker(client(url), Encoding.MU_LAW).speak(SAY)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TextLengthExceededException", 400, PromptUnavailable),
        ("EngineNotSupportedException", 400, PromptUnavailable),
        ("ThrottlingException", 400, PromptUnreachable),
        ("AccessDeniedException", 403, PromptUnreachable),
        ("ServiceFailureException", 500, PromptUnreachable),
    ],
)
def test_a_refusal_is_final_or_may_pass(code, status, error):
    stubbed = client()
    with Stubber(stubbed) as stub:
        stub.add_client_error("synthesize_speech", code, "No.", status)
        with pytest.raises(error) as raised:
            PollySpeaker(stubbed, Encoding.MU_LAW).speak(SAY)
    assert SAY.text not in str(raised.value)


def test_no_answer_may_pass():
    with pytest.raises(PromptUnreachable, match="did not answer"):
        PollySpeaker(client("http://127.0.0.1:9"), Encoding.MU_LAW).speak(SAY)
