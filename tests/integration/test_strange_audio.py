"""Audio files as other programs write them, cut off, put behind something, or full of what are no samples."""

import math
import random
import re
import struct
from array import array
from operator import sub

import pytest

from speechcall.prompts.adapters import audio_codecs
from speechcall.prompts.adapters.audio_decoder import decode
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.mu_law import mu_law
from speechcall.prompts.rules.wav import wav_file
from speechcall.shared.rules.errors import PromptUnavailable
from tests.kit import audio_containers as made
from tests.kit.audio_files import WITHOUT_TAGS, Kind, encode, file_of, id3_tag, likeness, sound
from tests.kit.audio_mutations import mutated
from tests.kit.audio_prompts import codes, prompt_of

SECONDS = 0.75
SOUND = sound(8000, SECONDS, high=False)
PCM, PCM_BIG = made.pcm(SOUND), made.pcm(SOUND, "big")
HALF = len(PCM) // 2
PLAIN, _ = prompt_of(made.wav(PCM))


def brief(kind: Kind) -> bytes:
    """A short file of a kind."""
    return file_of(kind, SECONDS)


# ------------------------------------------------------------------ sizes
NOTE = b"LIST" + struct.pack("<I", 18) + b"INFOISFT" + struct.pack("<I", 6) + b"Lavf6\0"
ODD = b"LIST" + struct.pack("<I", 5) + b"INFOx"
NOT_STATED = {
    "wav, zeros": made.wav(PCM, 0, 0),
    "wav, all ones": made.wav(PCM, made.NONE, made.NONE),
    "wav, SoX": made.wav(PCM, 0x7FFFF000, 0x7FFFF024),
    "wav, arecord": made.wav(PCM, 0x80000000, 0x80000024),
    "wav, zero in a file of the right size": made.wav(PCM, 0),
    "wav, ones in a file of the right size": made.wav(PCM, made.NONE),
    "wav, zero, and a note at the end": made.wav(PCM, 0, after=NOTE),
    "wav, less than there is": made.wav(PCM, HALF),
    "wav, a size of the file that is wrong": made.wav(PCM, None, 7),
    "wav, odd chunk, padded": made.wav(PCM, before=ODD + b"\0"),
    "wav, odd chunk, not padded": made.wav(PCM, before=ODD),
    "wav, a chunk before it that is too large": made.wav(PCM, before=b"LIST" + struct.pack("<I", 1 << 29) + b"INFO"),
    "rf64": made.rf64(PCM, len(PCM)),
    "rf64, zero": made.rf64(PCM, 0),
    "rf64, all ones": made.rf64(PCM, (1 << 64) - 1),
    "rf64, without the long size": made.rf64(PCM, None),
    "rf64, the size at its old place": made.rf64(PCM, 0, len(PCM)),
    "bw64": made.rf64(PCM, len(PCM), magic=b"BW64"),
    "wave64": made.wave64(PCM),
    "wave64, zero": made.wave64(PCM, 0),
    "wave64, empty": made.wave64(PCM, 24),
    "wave64, all ones": made.wave64(PCM, (1 << 64) - 1),
    "au": made.au(PCM_BIG),
    "au, zero": made.au(PCM_BIG, 0),
    "au, all ones": made.au(PCM_BIG, made.NONE, b"a note\0\0"),
    "aiff": made.aiff(PCM_BIG),
    "aiff, zeros": made.aiff(PCM_BIG, 0, 0, 0),
    "aiff, empty": made.aiff(PCM_BIG, 8, 0),
    "aiff, all ones": made.aiff(PCM_BIG, made.NONE, made.NONE, made.NONE),
    "aiff, SoX": made.aiff(PCM_BIG, 0x7F000008, 0x3F800000, 0x7F00002E),
    "aiff, more samples than there are": made.aiff(PCM_BIG, None, made.NONE),
    "aiff, a size of the file that is wrong": made.aiff(PCM_BIG, whole=0),
    "aifc": made.aiff(PCM_BIG, kind=b"AIFC"),
    "caf": made.caf(PCM_BIG),
    "caf, not known": made.caf(PCM_BIG, -1),
    "caf, zero": made.caf(PCM_BIG, 0),
    "caf, huge": made.caf(PCM_BIG, 1 << 62),
}


@pytest.mark.parametrize("name", NOT_STATED)
def test_what_a_size_does_not_say_is_played_whole(name):
    audio, _ = prompt_of(NOT_STATED[name])
    assert audio.content == PLAIN.content
    assert codes(audio) == []


CUT = {
    "wav": made.wav(PCM),
    "wav, stereo": made.wav(PCM, fmt=made.form(channels=2)),
    "mu-law": wav_file(mu_law(array("h", PCM)), Encoding.MU_LAW),
    "pcm for the telephone": wav_file(PCM, Encoding.PCM_16),
    "adpcm": brief(Kind("wav", "adpcm_ima_wav", 32_000)),
    "rf64": made.rf64(PCM, len(PCM)),
    "wave64": made.wave64(PCM),
    "au": made.au(PCM_BIG),
    "aiff": made.aiff(PCM_BIG),
    "caf": made.caf(PCM_BIG),
    "flac": file_of(Kind("flac", "flac", 8000)),
    "mp3": file_of(Kind("mp3", "libmp3lame", 24_000, 2)),
    "asf": file_of(Kind("asf", "wmav2", 16_000)),
}


@pytest.mark.parametrize("name", CUT)
def test_what_lacks_its_end_is_said_to(name):
    whole, _ = prompt_of(CUT[name])
    assert codes(whole) == []
    for share in (0.5, 0.9):
        audio, _ = prompt_of(CUT[name][: int(len(CUT[name]) * share)])
        assert audio.seconds < whole.seconds
        if share == 0.9 and name in (
            "flac",
            "mp3",
            "asf",
        ):  # half a second may be missing of what is a length in seconds
            continue
        assert codes(audio) == ["DAMAGED_AUDIO"]
        (missing,) = re.findall(r", and ([0-9.]+) s of that are missing", audio.warnings[0].message)
        assert float(missing) == pytest.approx(whole.seconds - audio.seconds, abs=0.12)


def test_what_lacks_its_end_and_is_a_prompt_already_too():
    content = wav_file(PCM, Encoding.PCM_16)
    audio, _ = prompt_of(content[: len(content) // 2], encoding=Encoding.PCM_16)
    assert codes(audio) == ["DAMAGED_AUDIO"]


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("stated", [0, made.NONE, 0x7FFFF000, 20_000])
def test_what_is_stored_states_true_sizes(encoding, stated):
    # Given a telephone prompt, as a pipe gives it, or cut off
    content = wav_file(mu_law(array("h", PCM)) if encoding is Encoding.MU_LAW else PCM, encoding)
    audio, _ = prompt_of(content, encoding=encoding)
    assert audio.content == content
    at = content.index(b"data") + 4
    piped = content[:4] + struct.pack("<I", stated) + content[8:at] + struct.pack("<I", stated) + content[at + 4 :]
    assert prompt_of(piped, encoding=encoding)[0].content == content


def test_a_form_of_sound_that_nobody_decodes_is_said_to_be_one():
    with pytest.raises(PromptUnavailable, match="in a form that cannot be decoded"):
        prompt_of(made.wav(PCM, fmt=made.form(3, bits=16)))


def test_an_empty_file_is_not_taken_for_one_of_unknown_size():
    with pytest.raises(PromptUnavailable, match="empty"):
        prompt_of(made.wav(b"", after=NOTE, fmt=made.form(7, bits=8)))
    with pytest.raises(PromptUnavailable, match="no sound"):
        prompt_of(made.wav(b"", after=NOTE))


@pytest.mark.parametrize(
    "content",
    [
        encode(Kind("adts", "aac", 16_000), array("f", [0.0]) * 48_000 + sound(16_000, 1.0)),
        encode(Kind("adts", "aac", 16_000), sound(16_000, 1.0) + array("f", [0.0]) * 96_000),
        encode(Kind("mp3", "libmp3lame", 16_000, 1, WITHOUT_TAGS), array("f", [0.0]) * 48_000 + sound(16_000, 1.0)),
        encode(Kind("ogg", "libopus", 8000), array("f", [0.0]) * 24_000 + SOUND),
        made.encoded("libopencore_amrnb", "amr", array("f", [0.0]) * 24_000 + SOUND, 8000, 160, dtx="1"),
    ],
    ids=["aac, silence first", "aac, silence last", "mp3", "opus", "amr"],
)
def test_an_estimate_is_not_what_the_file_says(content):
    assert codes(prompt_of(content)[0]) == ["LONG_SILENCE"]


def test_but_an_mp3_that_counts_its_frames_says_it():
    assert decode(brief(Kind("mp3", "libmp3lame", 8000)))[0]["expected_seconds"] == pytest.approx(SECONDS, abs=0.2)
    assert decode(brief(Kind("mp3", "libmp3lame", 8000, 1, WITHOUT_TAGS)))[0]["expected_seconds"] is None


# --------------------------------------------------------------- what is before it
BEFORE = (b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n", bytes(700), b"\xef\xbb\xbf\r\n \r\n" + bytes(64))
MP3 = Kind("mp3", "libmp3lame", 8000, 1, WITHOUT_TAGS)
BEHIND = [
    MP3,
    Kind("mp3", "libmp3lame", 44_100, 2, WITHOUT_TAGS),
    Kind("wav", "pcm_s16le", 8000),
    Kind("ogg", "libopus", 8000),
    Kind("flac", "flac", 8000),
    Kind("ipod", "aac", 16_000),
    Kind("webm", "libopus", 48_000),
    Kind("adts", "aac", 16_000),
]


@pytest.mark.parametrize("kind", BEHIND, ids=str)
def test_what_stands_before_a_file_is_passed_over(kind):
    alone, _ = prompt_of(brief(kind))
    for before in BEFORE:
        audio, _ = prompt_of(before + brief(kind))
        assert audio.content == alone.content
        assert codes(audio) == codes(alone)


@pytest.mark.parametrize(
    "before",
    [
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(30),
        b"ID3" + b"\xff" * 20,
        id3_tag()[:-100],
        id3_tag() + b"TAG" + b"a title".ljust(125, b"\0"),
        b"APETAGEX" + bytes(120),
        b"--boundary\r\nContent-Type: audio/mpeg\r\n\r\n",
    ],
    ids=["a tag too large", "no tag", "a tag cut off", "a tag of another kind", "APE", "a part of a form"],
)
def test_an_mp3_is_known_by_two_frames_that_agree(before):
    alone, _ = prompt_of(brief(MP3))
    assert prompt_of(before + brief(MP3))[0].content == alone.content


@pytest.mark.parametrize(
    "content",
    [
        "Press one for yes.".encode("utf-16"),
        b"\xff\xfb\x90\x00" + b"no frame follows" * 1000,
        b"text " * 400 + b"\xff\xfb\x90\x00" + b"text" * 400,
        bytes(5000),
        b"\xef\xbb\xbf",
        b"ID3",
    ],
)
def test_and_nothing_else_is_taken_for_one(content):
    with pytest.raises(PromptUnavailable, match=r"no audio of a known format|begins like MP3|no sound"):
        prompt_of(content)


# ------------------------------------------------------------------------ pauses
PAUSE_SECONDS = 6
PAUSED = SOUND + array("f", [0.0]) * (8000 * PAUSE_SECONDS) + SOUND


@pytest.mark.parametrize("whole", [True, False], ids=["with a decoder of all", "with one that lacks pauses"])
@pytest.mark.parametrize("container", ["amr", "3gp"])
def test_a_pause_that_a_recorder_left_out_is_a_pause(container, whole, monkeypatch):
    content = made.encoded("libopencore_amrnb", container, PAUSED, 8000, 160, dtx="1")
    if not whole:
        monkeypatch.setattr(audio_codecs, "_WHOLE", {})
    audio, samples = prompt_of(content)
    assert abs(audio.seconds - PAUSE_SECONDS - 2 * SECONDS) < 0.05
    assert codes(audio) == []
    assert max(samples[8000 * 3 : 8000 * 6]) < 0.02 < max(samples[-2000:])


AMR_WB = b"#!AMR-WB\n" + b"".join([b"\x14" + bytes(32)] * 50 + [b"\x4c" + bytes(5)] + [b"\x7c"] * 99 + [b"\x74"] * 50)
"""Wide band: a second of speech frames, a pause of two seconds, and a second of frames that were lost on the way."""


@pytest.mark.parametrize("whole", [True, False])
def test_wide_band_too(whole, monkeypatch):
    if not whole:
        monkeypatch.setattr(audio_codecs, "_WHOLE", {})
    facts, samples = decode(AMR_WB)
    assert abs(len(samples) / 32_000 - 4.0) < 0.03
    assert facts["damaged"] == 0


# ---------------------------------------------------------------------- channels
MASKS = {3: (0x7, 0xB, 0), 4: (0x33, 0x107, 0x3), 5: (0x37, 0x607), 6: (0x3F, 0x60F, 0), 7: (0x70F,), 8: (0xFF, 0x63F)}


@pytest.mark.parametrize("channels", range(1, 9))
def test_every_channel_of_every_layout_is_heard(channels):
    forms = [
        made.form(channels=channels),
        *(made.masked(channels, mask) for mask in MASKS.get(channels, (0, 0x80000000))),
    ]
    for index in range(channels):
        one = array("f", bytes(4 * 800 * channels))
        one[index::channels] = SOUND[:800]
        for fmt in forms:
            facts, samples = decode(made.wav(made.pcm(one), fmt=fmt))
            assert facts["channels"] == channels
            assert max(map(abs, map(sub, heard(samples), (value / channels for value in SOUND)))) < 0.001


def heard(samples: bytes) -> "array[float]":
    return array("f", samples)


# ------------------------------------------------------------------- no samples
ODD_NUMBERS = [math.nan, math.inf, -math.inf, 1e30, -1e37, 100.0]


def floats(letter, samples, order="<"):
    """A WAV or, with the bytes in the other order, a RIFX file of floating-point numbers."""
    numbers = array(letter, samples)
    if order == ">":
        numbers.byteswap()
    fmt = made.form(3, bits=numbers.itemsize * 8, order=order)
    parts = b"WAVEfmt " + struct.pack(f"{order}I", 16) + fmt
    parts += b"data" + struct.pack(f"{order}I", len(numbers) * numbers.itemsize) + numbers.tobytes()
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", len(parts)) + parts


def with_some(value, step=2000):
    numbers = array("d", SOUND)
    numbers[step // 2 :: step] = array("d", [value]) * len(numbers[step // 2 :: step])
    return numbers


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("letter", "fd")
@pytest.mark.parametrize("value", ODD_NUMBERS, ids=str)
def test_a_sample_that_is_no_number_is_silence_and_told(value, letter, order):
    audio, _ = prompt_of(floats(letter, with_some(value), order))
    assert audio.seconds == SECONDS
    assert codes(audio) == ["DAMAGED_AUDIO"]
    assert audio.content == prompt_of(floats(letter, with_some(0.0), order))[0].content


@pytest.mark.parametrize("codec", ["pcm_f32be", "pcm_f64be"])
@pytest.mark.parametrize("container", ["au", "caf", "aiff"])
def test_whatever_the_container(container, codec):
    kind = Kind(container, codec, 8000)
    if container == "aiff" and codec == "pcm_f64be":
        kind = Kind("mov", "pcm_f64be", 8000)
    audio, _ = prompt_of(encode(kind, array("f", with_some(math.nan))))
    assert codes(audio) == ["DAMAGED_AUDIO"]
    assert audio.content == prompt_of(encode(kind, array("f", with_some(0.0))))[0].content


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e38])
@pytest.mark.parametrize("letter", "fd")
def test_a_file_of_nothing_else_is_refused(letter, value):
    with pytest.raises(PromptUnavailable, match="no numbers that can be played"):
        prompt_of(floats(letter, [value] * 8000))
    with pytest.raises(PromptUnavailable, match="no numbers that can be played"):
        prompt_of(floats(letter, with_some(value, 20)))


@pytest.mark.parametrize("value", [1e-40, -1e-45, 5e-324])
def test_numbers_next_to_nothing_are_silence(value):
    audio, samples = prompt_of(floats("d", [value] * 8000))
    assert codes(audio) == ["SILENT_AUDIO"]
    assert max(samples) == 0.0
    assert codes(prompt_of(floats("f", with_some(value)))[0]) == []


def test_numbers_of_another_scale_are_brought_to_the_usual_one():
    audio, samples = prompt_of(floats("f", [value * 32768 for value in SOUND]))
    assert likeness(samples) >= 0.98
    assert codes(audio) == ["CLIPPED_AUDIO"]


# ------------------------------------------------------------------ changed bytes
def test_a_file_with_changed_bytes_is_a_prompt_or_refused_with_a_reason():
    files = [
        content[:8000] for content in (*NOT_STATED.values(), *CUT.values(), floats("f", SOUND), floats("d", SOUND))
    ]
    files += [brief(kind) for kind in BEHIND] + [AMR_WB, made.encoded("libopencore_amrnb", "3gp", SOUND, 8000, 160)]
    chance = random.Random(15)
    refused = 0
    for _ in range(100):
        try:
            _, samples = prompt_of(mutated(chance, files), encoding=chance.choice(list(Encoding)))
        except PromptUnavailable:
            refused += 1
        else:
            assert -1 <= min(samples) <= max(samples) <= 1
    assert 10 < refused < 90
