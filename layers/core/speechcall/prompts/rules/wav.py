"""WAV files as a telephony plays them: 8 kHz, mono, in the encoding that the provider wants."""

import struct
from dataclasses import replace

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.riff import NamedContent, Wav, form_file, read_wav
from speechcall.shared.rules.errors import PromptUnavailable

SAMPLE_RATE = 8000
MAX_SECONDS = 300
"""Less than these can be played."""
MAX_BYTES = 50_000_000 - 1
"""Amazon Connect plays less than 50 MB and less than five minutes (administrator guide, "Set up prompts to play from an
S3 bucket")."""


def telephone_samples(content: bytes, encoding: Encoding) -> memoryview | None:
    """The sample bytes of a WAV file that is 8 kHz mono in this encoding already; None for any other content."""
    wav = telephone_wav(content, encoding)
    return wav.data if wav else None


def telephone_wav(content: bytes, encoding: Encoding) -> Wav | None:
    """A WAV file that is 8 kHz mono in this encoding already, in whole samples; None for any other content."""
    wav = read_wav(content)
    if wav is None or wav.order == "big" or len(wav.form) < 16:
        return None
    number, channels, rate, _, _, bits = struct.unpack("<HHIIHH", wav.form[:16])
    if (number, channels, rate, bits) != (encoding.number, 1, SAMPLE_RATE, encoding.bits):
        return None
    return replace(wav, data=wav.data[: len(wav.data) - len(wav.data) % (encoding.bits // 8)])


def wav_file(samples: bytes | memoryview, encoding: Encoding) -> bytes:
    """A WAV file of samples that are in this encoding, 8 kHz, mono. `seconds_of` says how long it lasts."""
    width = encoding.bits // 8
    form = struct.pack("<HHIIHH", encoding.number, 1, SAMPLE_RATE, SAMPLE_RATE * width, width, encoding.bits)
    chunks: list[NamedContent] = [(b"fmt ", form), (b"data", samples)]
    if encoding is not Encoding.PCM_16:  # every other format has its count of samples, and a size of extra parameters
        chunks = [(b"fmt ", form + b"\0\0"), (b"fact", struct.pack("<I", len(samples) // width)), (b"data", samples)]
    return form_file(b"RIFF", b"WAVE", chunks, "little")


def seconds_of(samples: int) -> float:
    """How long so many samples last. Raises PromptUnavailable for nothing, and for more than can be played."""
    seconds = samples / SAMPLE_RATE
    if not samples:
        raise PromptUnavailable("the audio is empty: it has no samples")
    if seconds >= MAX_SECONDS:
        raise PromptUnavailable(f"the audio lasts {seconds:.1f} s; less than five minutes can be played")
    return seconds
