"""Audio files: the container as we read it ourselves, what a file is, and what the decoder makes of it."""

import json
import math
import struct
from array import array

from speechcall.prompts.adapters.audio_decoder import MAX_SECONDS, decode
from speechcall.prompts.adapters.audio_kind import NAMES, Refused, kind_of
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.loudness import gain_db, measure, scaled
from speechcall.prompts.rules.wav import MAX_SECONDS as PLAYED_SECONDS
from speechcall.prompts.rules.wav import SAMPLE_RATE, telephone_samples, wav_file
from speechcall.prompts.use_cases.make_audio import Audio, Decoded, make_audio
from speechcall.shared.rules.errors import PromptUnavailable
from tests.fuzzing.choices import Choices
from tests.fuzzing.target import Target, holds
from tests.kit.audio_files import CORPUS, encode, sound


def wav(data: bytes) -> None:
    """A file that is played as it is can be read by whoever plays it; every other one is refused in a sentence."""
    for encoding in Encoding:
        samples = telephone_samples(data, encoding)
        holds(samples is None or len(samples) <= len(data), "more samples than bytes")
        try:
            audio = make_audio(data, encoding, _nothing)
        except (PromptUnavailable, _NotDecodedError):
            continue
        _playable(audio, encoding)


class _NotDecodedError(Exception):
    """The file is none that could be played as it is."""


def _nothing(_content: bytes) -> Decoded:
    raise _NotDecodedError


def _playable(audio: Audio, encoding: Encoding) -> None:
    """The WAV file that is stored, read without our own code: true sizes, one format, as long as it says."""
    content = audio.content
    holds(content[:4] == b"RIFF" and content[8:12] == b"WAVE", "no WAV file")
    (size,) = struct.unpack("<I", content[4:8])
    holds(size + 8 == len(content), f"the file says {size + 8} bytes and has {len(content)}")
    chunks, at = {}, 12
    while at + 8 <= len(content):
        name, (long,) = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])
        chunks.setdefault(name, content[at + 8 : at + 8 + long])
        holds(at + 8 + long <= len(content), f"the chunk {name!r} is longer than the file")
        at += 8 + long + long % 2
    number, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    holds((number, channels, rate, bits) == (encoding.number, 1, SAMPLE_RATE, encoding.bits), "another format")
    seconds = len(chunks[b"data"]) * 8 // bits / SAMPLE_RATE
    holds(abs(seconds - audio.seconds) < 0.001, f"{seconds} s are told as {audio.seconds}")
    holds(0 < audio.seconds < PLAYED_SECONDS, "longer than can be played")
    json.dumps([[one.code, one.message] for one in audio.warnings]).encode()


def kind(data: bytes) -> None:
    """One of the formats that are known, or a refusal, in the time that the file's length lets expect."""
    choices = Choices(data)
    tags = choices.chunk() * (1 << choices.below(14))
    for content in (data, tags + choices.rest()):
        try:
            name, start = kind_of(content)
            holds(name in NAMES, "a format that has no name")
            holds(0 <= start < len(content), "a file that begins where none is")
        except Refused as refusal:
            holds(len(str(refusal)) < 300, "a refusal is short")


def decoder(data: bytes) -> None:
    """The decoder as it runs in its own process: sound within the bounds, or a refusal; and a prompt of it."""
    try:
        facts, samples = decode(data)
    except Refused as refusal:
        json.dumps({"refused": str(refusal)})
        return
    told = json.loads(json.dumps(facts, allow_nan=False))
    holds(len(samples) % 4 == 0, "a part of a sample")
    holds(len(samples) <= (MAX_SECONDS + 1) * SAMPLE_RATE * 4, "longer than the decoder allows")
    found = array("f", samples)
    holds(all(map(math.isfinite, found)), "a sample that is no number")
    fields = {name: told[name] for name in ("rate", "clipped", "damaged", "expected_seconds", "missing_seconds")}
    _prompt_of(Decoded(samples=found, **fields))


def samples(data: bytes) -> None:
    """What a decoder may give, however odd its numbers: a prompt in either encoding, or a refusal."""
    choices = Choices(data)
    repeats, rate = 1 << choices.below(12), choices.one_of((8000, 4000, 44_100, 11_111, 192_000))
    damaged, clipped = choices.below(3), choices.below(256) / 255
    expected = choices.one_of((None, 0.0, 1.5, 299.0, 1e9))
    raw = choices.rest()
    raw = raw[: len(raw) - len(raw) % 4] * repeats
    given = array("f", raw[:400_000])
    if all(map(math.isfinite, given)):  # the decoder's own promise
        _prompt_of(Decoded(given, rate, clipped, damaged, expected))
        loud = gain_db(measure(given)) if given else 0.0
        holds(math.isfinite(loud), "an endless gain")
        holds(not given or max(scaled(given, loud)) <= 32767, "a sample that does not fit")


def _prompt_of(decoded: Decoded) -> None:
    for encoding in Encoding:
        try:
            audio = make_audio(b"no telephone prompt", encoding, lambda _content: decoded)
        except PromptUnavailable as refusal:
            holds(len(str(refusal)) < 300, "a refusal is short")
            continue
        _playable(audio, encoding)


def _wav_seeds() -> list[bytes]:
    quiet, tone = bytes([255] * 400), bytes(range(256)) * 8
    made = [wav_file(quiet, Encoding.MU_LAW), wav_file(tone, Encoding.MU_LAW), wav_file(tone, Encoding.PCM_16)]
    return [*made, made[1][:60], made[1].replace(b"fact", b"LIST")]


def _file_seeds() -> list[bytes]:
    """A sixth of a second in each format."""
    return [encode(one, sound(one.rate, 0.16)) for one in CORPUS]


def _sample_seeds() -> list[bytes]:
    tone = array("f", (math.sin(n / 3) * 0.5 for n in range(64)))
    return [
        b"\x06\x00\x00\x00\x00" + tone.tobytes(),
        b"\x00\x01\x01\x80\x02" + array("f", [1e30, -1e30, 1e-40]).tobytes(),
    ]


def _kind_seeds() -> list[bytes]:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x00"
    return [*(one[:64] for one in _file_seeds()), tag, b"\x0a" + tag + b"\x0d"]


_WORDS = (
    "RIFF",
    "RIFX",
    "RF64",
    "WAVE",
    "fmt ",
    "data",
    "fact",
    "LIST",
    "ftyp",
    "OggS",
    "fLaC",
    "ID3",
    "#!AMR",
    ".snd",
)

TARGETS = (
    Target("wav", wav, _wav_seeds, words=_WORDS),
    Target("kind", kind, _kind_seeds, most_bytes=512, words=_WORDS),
    Target("decoder", decoder, _file_seeds, most_bytes=20_000, most_seconds=10.0, words=_WORDS),
    Target("samples", samples, _sample_seeds, most_bytes=2048),
)
