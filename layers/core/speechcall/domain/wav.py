"""WAV files as a telephony plays them."""

import struct

from speechcall.domain.errors import PromptUnavailable

SAMPLE_RATE = 8000
MU_LAW = 7
MAX_SECONDS = 300
MAX_BYTES = 50 * 1024 * 1024


def mu_law_seconds(content: bytes) -> float:
    """The length of a telephone prompt: WAV, 8 kHz, mono, µ-law, at most 5 minutes and 50 MB.

    Amazon Connect plays nothing else from S3 (administrator guide, "Set up prompts to play from an
    S3 bucket"). Raises PromptUnavailable with what was found instead.
    """
    if len(content) > MAX_BYTES:
        raise PromptUnavailable(f"the audio has {len(content)} bytes; at most {MAX_BYTES} can be played")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise PromptUnavailable("the audio is not a WAV file; 8 kHz mono µ-law WAV is needed")
    found, audio = _chunk(content, b"fmt "), _chunk(content, b"data")
    if found is None or len(found) < 16 or audio is None:
        raise PromptUnavailable("the WAV file has no format or no data chunk")
    encoding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", found[:16])
    if (encoding, channels, rate, bits) != (MU_LAW, 1, SAMPLE_RATE, 8):
        raise PromptUnavailable(
            f"the WAV file has format {encoding}, {channels} channels, {rate} Hz, {bits} bits; "
            "8 kHz mono µ-law (format 7, 8 bits) is needed"
        )
    seconds = len(audio) / SAMPLE_RATE
    if not 0 < seconds <= MAX_SECONDS:
        raise PromptUnavailable(
            f"the audio lasts {seconds:.1f} s; more than 0 and at most {MAX_SECONDS} s can be played"
        )
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
