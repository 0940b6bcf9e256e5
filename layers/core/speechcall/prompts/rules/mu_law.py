"""µ-law (ITU-T G.711): a sample of 14 bits in one byte, with the same relative error whether loud or soft."""

from array import array
from functools import cache

_BIAS = 132
_CLIP = 32635


def mu_law(samples: "array[int]") -> bytes:
    """16-bit samples as µ-law, a byte each."""
    table = _encoding()
    return bytes(map(table.__getitem__, array("H", samples.tobytes())))


def linear(encoded: bytes | memoryview) -> "array[float]":
    """µ-law bytes as samples between -1 and 1."""
    return array("f", map(_decoding().__getitem__, bytes(encoded)))


@cache
def _encoding() -> bytes:
    """The byte of every 16-bit sample, by its value as an unsigned number."""
    return bytes(_byte(value - 65536 if value > 32767 else value) for value in range(65536))


@cache
def _decoding() -> tuple[float, ...]:
    return tuple(_value(byte) / 32768 for byte in range(256))


def _byte(sample: int) -> int:
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF


def _value(byte: int) -> int:
    inverted = ~byte & 0xFF
    magnitude = (((inverted & 0x0F) << 3) + _BIAS << ((inverted >> 4) & 7)) - _BIAS
    return -magnitude if inverted & 0x80 else magnitude
