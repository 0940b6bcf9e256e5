"""What Amazon Connect would play, and for how long."""

import pytest

from local.network.shared.prompts import PromptStore, PromptUnplayableError, file_seconds, read_wave, speech_seconds
from tests.kit.carrier_bench import mulaw_wav


def test_the_length_of_a_file() -> None:
    assert file_seconds(mulaw_wav(1.5)) == 1.5


def test_chunks_before_the_samples_are_passed_over() -> None:
    plain = mulaw_wav(0.25)
    noted = plain[:12] + b"LIST\x03\x00\x00\x00abc\x00" + plain[12:]
    assert file_seconds(noted) == 0.25
    assert read_wave(noted).samples == b"\xff" * 2000


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a WAV"),
        (b"ID3 not a wave at all", "not a WAV"),
        (mulaw_wav(1)[:40], "without samples"),
        (mulaw_wav(1, encoding=1), "not 8 kHz mono u-law"),
        (mulaw_wav(300), "five minutes"),
    ],
)
def test_what_connect_refuses_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(PromptUnplayableError, match=problem):
        file_seconds(data)


def test_speech_lasts_as_long_as_its_breaks_and_words() -> None:
    assert speech_seconds('<speak><break time="1s"/></speak>') == 1.0
    assert speech_seconds('<speak><break time="250ms"/><break time="1s"/></speak>') == 1.25
    assert speech_seconds("x" * 30) == 2.0


def test_only_what_was_played_is_given_out_again() -> None:
    store = PromptStore({"played": b"1", "other": b"2"}.__getitem__)
    assert store.read("played") == b"1"
    assert store.read_again("played") == b"1"
    with pytest.raises(KeyError):
        store.read_again("other")
