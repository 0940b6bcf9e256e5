"""WAV files as a telephony plays them: 8 kHz, mono, in the encoding that the provider wants."""

import struct
from enum import Enum

from speechcall.domain.errors import PromptUnavailable

SAMPLE_RATE = 8000
MAX_SECONDS = 299.9
MAX_BYTES = 50_000_000 - 1
"""Amazon Connect plays less than 50 MB and less than five minutes (administrator guide, "Set up prompts to play from an
S3 bucket")."""


class Encoding(Enum):
    """How a provider wants its samples: the WAV format's number, and the bits of a sample.

    Amazon Connect plays µ-law from S3 and nothing else (administrator guide, as above); the Chime SDK's PlayAudio
    plays uncompressed PCM (developer guide, "PlayAudio").
    """

    MU_LAW = ("mulaw", 7, 8)
    PCM_16 = ("pcm16", 1, 16)

    def __init__(self, word: str, number: int, bits: int) -> None:
        self.word, self.number, self.bits = word, number, bits

    @classmethod
    def of(cls, word: str) -> "Encoding":
        """The encoding that a setting names: `mulaw` or `pcm16`. ValueError for another word."""
        for encoding in cls:
            if encoding.word == word:
                return encoding
        raise ValueError(f'there is no encoding "{word}"; mulaw and pcm16 are known')


def telephone_samples(content: bytes, encoding: Encoding) -> memoryview | None:
    """The sample bytes of a WAV file that is 8 kHz mono in this encoding already; None for any other content."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    form, audio = _chunk(content, b"fmt "), _chunk(content, b"data")
    if form is None or len(form) < 16 or audio is None:
        return None
    number, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if (number, channels, rate, bits) != (encoding.number, 1, SAMPLE_RATE, encoding.bits):
        return None
    return audio[: len(audio) - len(audio) % (encoding.bits // 8)]


def wav_file(samples: bytes, encoding: Encoding) -> bytes:
    """A WAV file of samples that are in this encoding, 8 kHz, mono. Its length is `seconds_of`."""
    width = encoding.bits // 8
    form = struct.pack("<HHIIHH", encoding.number, 1, SAMPLE_RATE, SAMPLE_RATE * width, width, encoding.bits)
    chunks = [(b"fmt ", form), (b"data", samples)]
    if encoding is not Encoding.PCM_16:  # every other format has its count of samples, and a size of extra parameters
        chunks = [(b"fmt ", form + b"\0\0"), (b"fact", struct.pack("<I", len(samples) // width)), (b"data", samples)]
    body = b"WAVE" + b"".join(
        name + struct.pack("<I", len(chunk)) + chunk + b"\0" * (len(chunk) % 2) for name, chunk in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def seconds_of(samples: int) -> float:
    """How long so many samples last. Raises PromptUnavailable for nothing, and for more than can be played."""
    seconds = samples / SAMPLE_RATE
    if not samples:
        raise PromptUnavailable("the audio is empty: it has no samples")
    if seconds > MAX_SECONDS:
        raise PromptUnavailable(f"the audio lasts {seconds:.1f} s; less than five minutes can be played")
    return seconds


def _chunk(content: bytes, name: bytes) -> memoryview | None:
    """The first RIFF chunk of that name; one that claims more bytes than there are is cut."""
    position = 12
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        if content[position : position + 4] == name:
            return memoryview(content)[position + 8 : position + 8 + size]
        position += 8 + size + size % 2  # chunks are padded to even length
    return None
