"""Prompts joined to one: each keeps its samples, and no step is heard where two of them meet."""

from array import array
from collections.abc import Iterable, Sequence

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.mu_law import linear, mu_law
from speechcall.prompts.rules.wav import SAMPLE_RATE, telephone_samples, wav_file
from speechcall.shared.rules.errors import PromptUnavailable

RAMP_SAMPLES = SAMPLE_RATE * 5 // 1000
"""At both ends of each prompt: five milliseconds, in which it comes up from silence, or goes down to it."""


def join(pieces: Sequence[bytes | int], encoding: Encoding) -> bytes:
    """One WAV file of prompts in this encoding and of silences in milliseconds. Raises PromptUnavailable."""
    return wav_file(b"".join(_samples(piece, encoding) for piece in pieces), encoding)


def _samples(piece: bytes | int, encoding: Encoding) -> bytes:
    """The samples of a prompt, with ramps at its ends, or of silence (a number: milliseconds). Raises PromptUnavailable
    for a file that is no prompt in this encoding.
    """
    if isinstance(piece, int):
        return _silence(encoding) * (piece * SAMPLE_RATE // 1000)
    samples = telephone_samples(piece, encoding)
    if samples is None:
        raise PromptUnavailable("a part of the prompt is not in the encoding of this telephony")
    return _ramped(bytes(samples), encoding)


def _silence(encoding: Encoding) -> bytes:
    match encoding:
        case Encoding.MU_LAW:
            return mu_law(array("h", [0]))
        case Encoding.PCM_16:
            return b"\0\0"


def _ramped(samples: bytes, encoding: Encoding) -> bytes:
    """The samples, with a ramp at both ends; of a prompt that is shorter than two ramps, each takes half."""
    width = encoding.bits // 8
    length = min(RAMP_SAMPLES, len(samples) // width // 2)
    if not length:
        return samples
    up = [(index + 1) / (length + 1) for index in range(length)]
    head, tail = samples[: length * width], samples[len(samples) - length * width :]
    middle = samples[length * width : len(samples) - length * width]
    return _scaled(head, up, encoding) + middle + _scaled(tail, up[::-1], encoding)


def _scaled(samples: bytes, factors: Sequence[float], encoding: Encoding) -> bytes:
    match encoding:
        case Encoding.MU_LAW:
            return mu_law(_times((value * 32768 for value in linear(samples)), factors))
        case Encoding.PCM_16:
            return _times(array("h", samples), factors).tobytes()


def _times(values: Iterable[float], factors: Sequence[float]) -> "array[int]":
    return array("h", [round(value * factor) for value, factor in zip(values, factors, strict=True)])
