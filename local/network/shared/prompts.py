"""What a caller is played: sound files from S3, and text to speech of which only the length matters here."""

import re
from collections.abc import Callable
from dataclasses import dataclass

PCM, MULAW = 1, 7
_MAX_BYTES = 50 * 1024 * 1024
_MAX_SECONDS = 5 * 60
_BREAK = re.compile(r"<break\s+time\s*=\s*[\"']([0-9.]+)(ms|s)[\"']\s*/>")
_TAG = re.compile(r"<[^>]*>")
_CHARACTERS_PER_SECOND = 15


class PromptStore:
    """Where prompts come from, and which were asked for. `unplayable`: see the settings of the carriers."""

    def __init__(self, read: Callable[[str], bytes], unplayable: Callable[[str], bool] | None = None) -> None:
        self._read, self._unplayable = read, unplayable
        self._asked: set[str] = set()

    def read(self, uri: str) -> bytes:
        """The file that a call wants played. Raises what the source raises."""
        if self._unplayable is not None and self._unplayable(uri):
            raise PromptUnplayableError("Cannot access S3 bucket or audio file.")
        data = self._read(uri)
        self._asked.add(uri)
        return data

    def read_again(self, uri: str) -> bytes:
        """A file that some contact flow was given before; KeyError for any other."""
        if uri not in self._asked:
            raise KeyError(uri)
        return self._read(uri)


class PromptUnplayableError(ValueError):
    """The telephony would not play this file: the block's error branch is taken, or the action fails."""


@dataclass(frozen=True)
class WaveFormat:
    """The "fmt " chunk of a WAV file, and where its samples are."""

    encoding: int
    channels: int
    rate: int
    bits: int
    samples: bytes

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        frame = self.channels * self.bits // 8
        return len(self.samples) / (frame * self.rate) if frame and self.rate else 0.0


def read_wave(data: bytes) -> WaveFormat:
    """The parts of a WAV file (RIFF chunks). Raises PromptUnplayableError if it is none."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise PromptUnplayableError("not a WAV file")
    at, header = 12, b""
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunk = data[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            header = chunk
        elif kind == b"data" and len(header) >= 16:
            encoding, channels = int.from_bytes(header[0:2], "little"), int.from_bytes(header[2:4], "little")
            rate, bits = int.from_bytes(header[4:8], "little"), int.from_bytes(header[14:16], "little")
            return WaveFormat(encoding, channels, rate, bits, chunk)
        at += 8 + size + size % 2
    raise PromptUnplayableError("a WAV file without samples")


def file_seconds(data: bytes) -> float:
    """How long Connect plays this file. Raises PromptUnplayableError for what it refuses.

    Amazon Connect administrator guide, "Set up prompts to play from an S3 bucket": .wav, 8 kHz, mono,
    u-law, under 50 MB and under five minutes.
    """
    wave = read_wave(data)
    if (wave.encoding, wave.channels, wave.rate) != (MULAW, 1, 8000):
        found = f"encoding {wave.encoding}, {wave.channels} channels, {wave.rate} Hz"
        raise PromptUnplayableError(f"{found}: not 8 kHz mono u-law")
    if len(data) >= _MAX_BYTES or wave.seconds >= _MAX_SECONDS:
        raise PromptUnplayableError("50 MB or five minutes, or more")
    return wave.seconds


def pcm_seconds(data: bytes) -> float:
    """How long the Chime SDK plays this file. Raises PromptUnplayableError for what it refuses.

    Developer guide, "PlayAudio": uncompressed PCM WAV, at most 50 MB, 8 kHz mono recommended.
    """
    wave = read_wave(data)
    if (wave.encoding, wave.channels, wave.rate, wave.bits) != (PCM, 1, 8000, 16):
        found = f"encoding {wave.encoding}, {wave.channels} channels, {wave.rate} Hz, {wave.bits} bits"
        raise PromptUnplayableError(f"{found}: not 8 kHz mono 16-bit PCM")
    if len(data) > _MAX_BYTES:
        raise PromptUnplayableError("more than 50 MB")
    return wave.seconds


def speech_seconds(text: str) -> float:
    """How long text or SSML takes to say: its breaks exactly, its words roughly."""
    breaks = sum(float(number) * (0.001 if unit == "ms" else 1.0) for number, unit in _BREAK.findall(text))
    return breaks + len(" ".join(_TAG.sub(" ", text).split())) / _CHARACTERS_PER_SECOND
