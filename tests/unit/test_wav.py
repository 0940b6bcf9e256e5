"""WAV files as a telephony plays them."""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.riff import read_wav
from speechcall.prompts.rules.wav import seconds_of, telephone_samples, wav_file
from speechcall.shared.rules.errors import PromptUnavailable


def chunk(name, content, size=None):
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def form(encoding=7, channels=1, rate=8000, bits=8, more=b""):
    return chunk(b"fmt ", struct.pack("<HHIIHH", encoding, channels, rate, rate, channels, bits) + more)


def riff(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def audio(samples=8000, size=None):
    return chunk(b"data", b"\xff" * samples, size)


@given(st.binary(min_size=1, max_size=500), st.sampled_from(list(Encoding)))
def test_what_is_written_is_read_again(samples, encoding):
    whole = samples * 2
    assert telephone_samples(wav_file(whole, encoding), encoding) == whole


@pytest.mark.parametrize(
    "content",
    [
        riff(form(), chunk(b"LIST", b"odd"), audio()),
        riff(chunk(b"fact", b"\0" * 4), form(more=b"\0\0"), audio(), chunk(b"id3 ", b"x" * 9)),
        riff(audio(), form()),
        riff(form(), audio(8000, 9000)),
        riff(form(), audio(8000, 0xFFFFFFFF)),
    ],
    ids=["an odd chunk is padded", "unknown chunks are passed over", "data before format", "cut off", "of a stream"],
)
def test_chunks_may_stand_in_any_order_among_others(content):
    assert telephone_samples(content, Encoding.MU_LAW) == b"\xff" * 8000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3\x04" + b"\0" * 100,
        b"RIFF\0\0\0\0AVI " + form(),
        b"RIFX\0\0\0\0WAVE" + form() + audio(),
        riff(),
        riff(form()),
        riff(audio()),
        riff(chunk(b"fmt ", b"\x07\0"), audio()),
        riff(form(), b"data\x01"),
        riff(form(encoding=1, bits=16), audio()),
        riff(form(encoding=6), audio()),
        riff(form(channels=2), audio()),
        riff(form(rate=44_100), audio()),
    ],
)
def test_other_content_is_none(content):
    assert telephone_samples(content, Encoding.MU_LAW) is None


def test_half_a_sample_at_the_end_is_dropped():
    content = riff(form(encoding=1, bits=16), audio(7))
    assert len(telephone_samples(content, Encoding.PCM_16)) == 6


@pytest.mark.parametrize("samples", [1, 8000 * 299, 8000 * 300 - 400, 8000 * 300 - 1])
def test_all_that_is_less_than_five_minutes_can_be_played(samples):
    assert seconds_of(samples) == samples / 8000


@pytest.mark.parametrize(("samples", "says"), [(0, "empty"), (8000 * 300, "300.0 s"), (8000 * 301, "five minutes")])
def test_nothing_and_too_much_cannot_be_played(samples, says):
    with pytest.raises(PromptUnavailable, match=says):
        seconds_of(samples)


def test_a_second_has_8000_samples():
    assert seconds_of(20_000) == 2.5
    assert seconds_of(1) == 1 / 8000


def test_settings_name_the_encodings():
    assert [Encoding.of(word) for word in ("mulaw", "pcm16")] == [Encoding.MU_LAW, Encoding.PCM_16]
    with pytest.raises(ValueError, match="mulaw and pcm16 are known"):
        Encoding.of("mp3")


def test_a_file_of_countless_chunks_does_not_fill_the_memory():
    # Given thousands of empty chunks, each of another name
    names = b"".join(b"%04x\0\0\0\0" % number for number in range(0x3FFF))
    tracemalloc.start()
    # When it is read
    assert telephone_samples(riff(names), Encoding.MU_LAW) is None
    # Then hardly anything is kept of it
    assert tracemalloc.get_traced_memory()[1] < 4 * len(names)
    tracemalloc.stop()


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(content):
    for given_bytes in (content, b"RIFF\0\0\0\0WAVE" + content, riff(form(), content)):
        telephone_samples(given_bytes, Encoding.MU_LAW)


SIZES = st.one_of(st.integers(0, 64), st.sampled_from([0x7FFFF000, 0x80000000, 0xFFFFFFFF]))


@given(st.binary(max_size=40), SIZES, SIZES, st.binary(max_size=20))
def test_whatever_size_is_stated_the_sound_is_what_is_there(sound, size, whole, behind):
    content = b"RIFF" + struct.pack("<I", whole) + b"WAVE" + form() + b"data" + struct.pack("<I", size) + sound + behind
    wav = read_wav(content)
    assert wav is not None
    assert (sound + behind).startswith(bytes(wav.data))
    assert wav.stated is None or wav.missing == max(0, wav.stated - len(sound + behind))
    # What is made of it has true sizes, and the same sound
    again = read_wav(wav.file())
    assert again is not None
    assert again.data == wav.data
    assert again.is_true is True
    assert again.missing == 0
