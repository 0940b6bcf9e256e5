"""Audio files of every kind become prompts that sound like them, or are refused with a reason."""

import random
import struct
import subprocess
import sys
import time
from array import array

import pytest

from speechcall.prompts.adapters import audio_sandbox
from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.loudness import MOST_GAIN_DB, PEAK_DB, TARGET_DB, measure
from speechcall.prompts.rules.wav import SAMPLE_RATE
from speechcall.shared.rules.errors import PromptUnavailable
from tests.kit.audio_files import (
    CORPUS,
    LOUDEST,
    SECONDS,
    Kind,
    encode,
    file_of,
    id3_tag,
    likeness,
    monotonous,
    sound,
)
from tests.kit.audio_prompts import decoded_here, prompt_of

ALIKE = 0.98
"""What the sound has to correlate with at least, after µ-law and, for lossy files, after their codec."""
LENGTH_SECONDS = 0.020
FUNCTION_MEMORY_MB = 1792


@pytest.mark.parametrize("kind", CORPUS, ids=str)
def test_every_kind_of_file_sounds_as_it_did(kind):
    audio, samples = prompt_of(file_of(kind))
    filling = kind.filling / kind.rate
    assert -LENGTH_SECONDS <= audio.seconds - SECONDS <= LENGTH_SECONDS + filling
    shift = round((LENGTH_SECONDS + filling) * SAMPLE_RATE)
    assert likeness(samples, shift) >= ALIKE
    assert audio.warnings == ()


@pytest.mark.parametrize("kind", [Kind("ipod", "aac", 44_100, 2), Kind("wav", "pcm_mulaw", 8000)], ids=str)
def test_for_another_telephony_it_becomes_16_bit_pcm(kind):
    audio, samples = prompt_of(file_of(kind), encoding=Encoding.PCM_16)
    assert struct.unpack("<HHIIHH", audio.content[20:36]) == (1, 1, 8000, 16_000, 2, 16)
    assert likeness(samples) >= ALIKE


@pytest.mark.parametrize("gain", [0.12, 0.5, 2.0])
def test_loud_and_soft_files_become_alike(gain):
    samples = array("f", (value * gain for value in sound(16_000)))
    _, found = prompt_of(encode(Kind("wav", "pcm_f32le", 16_000), samples))
    loudness = measure(found)
    assert loudness.level_db == pytest.approx(TARGET_DB, abs=1.1)
    assert loudness.peak_db <= PEAK_DB + 0.3


def test_the_noise_of_a_bad_recording_is_not_made_the_loudest_thing():
    samples = array("f", (value * 0.01 for value in sound(8000)))
    before = measure(samples).level_db
    _, found = prompt_of(encode(Kind("wav", "pcm_f32le", 8000), samples))
    assert measure(found).level_db - before == pytest.approx(MOST_GAIN_DB, abs=0.5)


@pytest.mark.parametrize("behind", [Kind("mp3", "libmp3lame", 44_100, 2), Kind("flac", "flac", 8000)], ids=str)
def test_tags_before_the_audio_are_passed_over(behind):
    for tags in (id3_tag(), id3_tag() + id3_tag(b"x" * 300)):
        audio, samples = prompt_of(tags + file_of(behind))
        assert abs(audio.seconds - SECONDS) <= LENGTH_SECONDS
        assert likeness(samples) >= ALIKE


def test_a_clipped_file_is_said_to_be():
    samples = array("f", (max(-1.0, min(1.0, value / LOUDEST * 2.5)) for value in sound(44_100)))
    audio, _ = prompt_of(encode(Kind("wav", "pcm_s16le", 44_100, 2), samples))
    assert [warning.code for warning in audio.warnings] == ["CLIPPED_AUDIO"]


@pytest.mark.parametrize(("rate", "code"), [(6000, "LOW_SAMPLE_RATE"), (37_000, "UNUSUAL_SAMPLE_RATE")])
def test_a_rate_that_is_low_or_odd_is_said(rate, code):
    audio, _ = prompt_of(encode(Kind("wav", "pcm_s16le", rate), sound(rate)))
    assert [warning.code for warning in audio.warnings] == [code]


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [(0, 0, []), (3, 0, ["LONG_SILENCE"]), (0, 3, ["LONG_SILENCE"]), (1, 1, [])],
)
def test_long_silence_around_the_sound_is_said(before, after, codes):
    samples = array("f", [0.0]) * (8000 * before) + sound(8000) + array("f", [0.0]) * (8000 * after)
    audio, _ = prompt_of(encode(Kind("flac", "flac", 8000), samples))
    assert [warning.code for warning in audio.warnings] == codes


def test_silence_is_a_prompt_with_a_warning():
    audio, samples = prompt_of(encode(Kind("flac", "flac", 16_000), array("f", [0.0]) * 16_000))
    assert audio.seconds == 1.0
    assert [warning.code for warning in audio.warnings] == ["SILENT_AUDIO"]
    assert max(samples) == 0


# ---------------------------------------------------------------------- damage
@pytest.mark.parametrize("kind", [kind for kind in CORPUS if kind.rate > 40_000 or kind.container == "wav"], ids=str)
@pytest.mark.parametrize("share", [0.6, 0.02])
def test_a_truncated_file_is_what_is_left_of_it_or_is_refused(kind, share):
    content = file_of(kind)
    try:
        audio, samples = prompt_of(content[: int(len(content) * share)])
    except PromptUnavailable:  # its reason is told in another test
        assert kind.container in ("ipod", "webm") or share < 0.1
        return
    assert audio.seconds <= SECONDS * share + 0.3
    assert share < 0.1 or likeness(samples, 160 + kind.filling * SAMPLE_RATE // kind.rate) >= ALIKE


def test_a_file_that_lacks_its_end_is_said_to():
    content = file_of(Kind("flac", "flac", 48_000, 2))
    audio, _ = prompt_of(content[: len(content) // 2])
    assert [warning.code for warning in audio.warnings] == ["DAMAGED_AUDIO"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"Press one for yes, press two for no.\n" * 20, "no audio of a known format"),
        (b"<!doctype html><title>404</title>", "no audio of a known format"),
        (b"#EXTM3U\nhttp://169.254.169.254/latest/meta-data/\n", "no audio of a known format"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "no audio of a known format"),
        (b"RIFF\0\0\0\0WAVE", "begins like WAV"),
        (file_of(Kind("wav", "pcm_s16le", 44_100, 2))[:30], "begins like WAV"),
        (file_of(Kind("wav", "pcm_s16le", 44_100, 2))[:44], r"no sound|begins like WAV"),
        (file_of(Kind("ipod", "aac", 44_100, 2))[:5000], "begins like M4A"),
        (id3_tag(), "begins like MP3"),
        (b"OggS" + b"\0" * 1000, "begins like OGG"),
        (b"\x1aE\xdf\xa3" + b"\0" * 1000, "begins like WebM"),
    ],
)
def test_what_is_no_audio_is_refused_with_the_reason(content, reason):
    with pytest.raises(PromptUnavailable, match=reason):
        prompt_of(content)


@pytest.mark.parametrize("rate", [1, 3999, 200_000, 0x7FFFFFFF])
def test_a_rate_that_would_make_much_of_little_is_refused(rate):
    content = bytearray(file_of(Kind("wav", "pcm_s16le", 8000, 2)))
    content[24:28] = struct.pack("<I", rate)
    with pytest.raises(PromptUnavailable, match=r"samples a second|begins like"):
        prompt_of(bytes(content))


@pytest.mark.parametrize(
    ("seconds", "fits"), [pytest.param(299.5, True, marks=pytest.mark.long), (300, False), (301, False)]
)
def test_less_than_five_minutes_can_be_played(seconds, fits):
    content = monotonous(8000, int(8000 * seconds), 0.1)
    if fits:
        assert prompt_of(content)[0].seconds == seconds
    else:
        with pytest.raises(PromptUnavailable, match="five minutes"):
            prompt_of(content)


# --------------------------------------------------------- in a process of its own
MEASURE = """
import resource, sys
from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.use_cases.make_audio import make_audio
from speechcall.shared.rules.errors import PromptUnavailable
from speechcall.prompts.rules.encoding import Encoding
try:
    print(make_audio(sys.stdin.buffer.read(), Encoding.MU_LAW, decode_audio).seconds)
except PromptUnavailable as refusal:
    print(refusal)
print(sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024)
"""


def made_apart(content):
    """What becomes of a file, and the most megabytes that this has taken: both processes together."""
    # A process that Linux starts from a large one counts the large one's memory as its own peak; a shell is small.
    through_a_shell = ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, MEASURE]
    run = subprocess.run(through_a_shell, input=content, capture_output=True, check=True)
    result, megabytes = run.stdout.decode().splitlines()
    return result, float(megabytes)


@pytest.mark.long
def test_the_largest_file_stays_far_below_the_functions_memory():
    noise = random.Random(1).randbytes(25 * 1024 * 1024 - 100)
    content = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 2, 22_050, 88_200, 4, 16)
    seconds, megabytes = made_apart(content + b"data" + struct.pack("<I", len(noise)) + noise)
    assert float(seconds) == pytest.approx(len(noise) / 88_200, abs=0.02)
    assert megabytes < FUNCTION_MEMORY_MB / 3


def test_a_decompression_bomb_is_refused_and_stays_small():
    # Given five hours of silence in a hundred kilobytes
    bomb = monotonous(8000, 8000 * 3600 * 5)
    assert len(bomb) < 100_000
    reason, megabytes = made_apart(bomb)
    assert "five minutes" in reason
    assert megabytes < FUNCTION_MEMORY_MB / 3


def test_the_process_of_its_own_gives_the_same(monkeypatch):
    content = file_of(Kind("mp3", "libmp3lame", 24_000, 2))
    assert decode_audio(content) == decoded_here(content)
    with pytest.raises(PromptUnavailable, match="no audio of a known format"):
        decode_audio(b"text")
    monkeypatch.setattr(audio_sandbox, "MAX_BYTES", 3)
    with pytest.raises(PromptUnavailable, match="4 bytes; at most 3"):
        decode_audio(b"text")


def test_one_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(audio_sandbox, "SECONDS", 0.001)
    with pytest.raises(PromptUnavailable, match=r"within 0\.001 s"):
        decode_audio(b"text")


PROBE = """
import os, sys
from speechcall.prompts.adapters import audio_decoder
audio_decoder.CPU_SECONDS, audio_decoder.MEMORY_BYTES = 1, 1 << 30
audio_decoder._limit()
what = sys.argv[1]
if what == "memory":
    bytearray(1 << 31)
elif what == "file":
    with open("written", "wb") as file:
        file.write(b"x")
else:
    while True:
        pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep these limits in other ways, or not at all")
@pytest.mark.parametrize(("what", "says"), [("memory", "MemoryError"), ("file", "File too large"), ("time", "")])
def test_the_decoder_has_limits(what, says, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROBE, what], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode != 0
    assert says in run.stderr


def test_the_decoder_is_given_no_credentials(monkeypatch):
    seen = {}
    real = subprocess.run
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", lambda *args, **more: seen.update(more) or real(*args, **more))
    decode_audio(file_of(Kind("flac", "flac", 8000)))
    assert set(seen["env"]) <= {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH"}


@pytest.mark.long
def test_files_with_bytes_changed_at_random_never_end_in_another_way():
    chance, began = random.Random(8), time.monotonic()
    tried = refused = 0
    while time.monotonic() - began < 60:
        content = bytearray(file_of(chance.choice(CORPUS)))
        for _ in range(chance.choice([1, 10, 300])):
            content[chance.randrange(len(content) if chance.random() < 0.5 else 400)] = chance.randrange(256)
        tried += 1
        try:
            decoded = decode_audio(bytes(content))
        except PromptUnavailable:
            refused += 1
        else:
            assert len(decoded.samples) <= 300 * 8000
    print(f"{tried} files, {refused} of them refused")
    assert 0 < refused < tried
