"""Spoken text: its table is Polly's, and it is stored as it was given."""

import boto3
import pytest

from local.cloud.polly import espeak_voice
from speechcall.menus.rules.menu import Menu, dump_menus, load_menus
from speechcall.menus.rules.speech import VOICES, Say, is_spoken
from speechcall.prompts.rules.prompt import is_uploaded

REQUEST = (
    boto3.client("polly", region_name="eu-central-1").meta.service_model.operation_model("SynthesizeSpeech").input_shape
)


def test_the_languages_and_voices_are_ones_that_polly_knows():
    assert set(VOICES) <= set(REQUEST.members["LanguageCode"].enum)
    assert {voice for voices in VOICES.values() for voice in voices} <= set(REQUEST.members["VoiceId"].enum)
    assert all(VOICES.values())
    assert not any(language.startswith("uk") for language in VOICES)


def test_the_formats_are_ones_that_polly_gives():
    assert {"mulaw", "pcm"} <= set(REQUEST.members["OutputFormat"].enum)


@pytest.mark.parametrize(
    ("language", "voice", "engine"),
    [("en-GB", "Amy", "neural"), ("is-IS", "Dora", "standard"), ("hi-IN", "Kajal", "neural")],
)
def test_the_engine_is_the_better_one_that_has_the_voice(language, voice, engine):
    assert Say("a", language, voice).engine == engine


def test_text_is_stored_with_its_menu():
    say = Say('Καλημέρα, "Anna"', "en-GB", "Amy")
    menus = (Menu(say.name, 10_000, {}, say), Menu("ivr_1", 10_000, {}))
    assert load_menus(dump_menus(menus)) == menus


def test_spoken_text_is_told_from_identifiers_and_urls():
    assert is_spoken(Say("a", "en-GB", "Amy").name)
    assert [is_uploaded(name) for name in ("say", "say_1", "https://a/", Say("a", "en-GB", "Amy").name)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("language", "voice"),
    [("arb", "ar"), ("en-GB-WLS", "en-gb"), ("en-US", "en-us"), ("en-AU", "en"), ("cmn-CN", "cmn"), ("pt-BR", "pt-br")],
)
def test_the_laptops_voices_are_those_of_the_languages(language, voice):
    assert espeak_voice(language) == voice
