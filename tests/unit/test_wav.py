"""WAV files as a telephony plays them."""

import struct
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.domain import wav
from speechcall.domain.errors import PromptUnavailable
from speechcall.domain.wav import mu_law_seconds


def chunk(name, content, size=None):
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def form(encoding=7, channels=1, rate=8000, bits=8, more=b""):
    return chunk(b"fmt ", struct.pack("<HHIIHH", encoding, channels, rate, rate, channels, bits) + more)


def riff(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def audio(samples=8000, size=None):
    return chunk(b"data", b"\xff" * samples, size)


@given(st.integers(1, 20_000))
def test_the_length_is_one_second_for_8000_samples(samples):
    assert mu_law_seconds(riff(form(), audio(samples))) == samples / 8000


@pytest.mark.parametrize(
    "content",
    [
        riff(form(), chunk(b"LIST", b"odd"), audio()),
        riff(chunk(b"fact", b"\0" * 4), form(more=b"\0\0"), audio(), chunk(b"id3 ", b"x" * 9)),
        riff(audio(), form()),
    ],
    ids=["an odd chunk is padded", "unknown chunks are passed over", "data before format"],
)
def test_chunks_may_stand_in_any_order_among_others(content):
    assert mu_law_seconds(content) == 1


@pytest.mark.parametrize("claimed", [9000, 0xFFFFFFFF])
def test_a_data_chunk_that_claims_more_than_there_is_is_cut(claimed):
    assert mu_law_seconds(riff(form(), audio(8000, claimed))) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a WAV file"),
        (b"ID3\x04" + b"\0" * 100, "not a WAV file"),
        (b"RIFF\0\0\0\0AVI " + form(), "not a WAV file"),
        (b"RIFX\0\0\0\0WAVE" + form() + audio(), "not a WAV file"),
        (riff(), "no format or no data"),
        (riff(form()), "no format or no data"),
        (riff(audio()), "no format or no data"),
        (riff(chunk(b"fmt ", b"\x07\0"), audio()), "no format or no data"),
        (riff(form(), b"data\x01"), "no format or no data"),
        (riff(form(encoding=1, bits=16), audio()), "format 1, 1 channels, 8000 Hz, 16 bits"),
        (riff(form(encoding=6), audio()), "format 6"),
        (riff(form(channels=2), audio()), "2 channels"),
        (riff(form(rate=44_100), audio()), "44100 Hz"),
        (riff(form(), audio(0)), "lasts 0.0 s"),
        (riff(form(), audio(300 * 8000 + 1)), "at most 300 s"),
    ],
)
def test_other_audio_is_refused_with_what_was_found(content, says):
    with pytest.raises(PromptUnavailable, match=says):
        mu_law_seconds(content)


def test_a_file_over_50_megabytes_is_refused(monkeypatch):
    monkeypatch.setattr(wav, "MAX_BYTES", 100)
    with pytest.raises(PromptUnavailable, match="at most 100"):
        mu_law_seconds(riff(form(), audio()))


def test_a_file_of_countless_chunks_does_not_fill_the_memory():
    # Given thousands of empty chunks, each of another name
    names = b"".join(b"%04x\0\0\0\0" % number for number in range(0x3FFF))
    tracemalloc.start()
    # When it is read
    with pytest.raises(PromptUnavailable):
        mu_law_seconds(riff(names))
    # Then hardly anything is kept of it
    assert tracemalloc.get_traced_memory()[1] < 4 * len(names)
    tracemalloc.stop()


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_in_another_way(content):
    for given_bytes in (content, b"RIFF\0\0\0\0WAVE" + content, riff(form(), content)):
        with suppress(PromptUnavailable):
            assert mu_law_seconds(given_bytes) > 0
