"""The two prompts of a simulated call: a low beep and a high one, so that one is not taken for the other."""

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.wav import wav_file

_UP, _DOWN = 0x9E, 0x1E
"""µ-law for a quarter of full scale, and its negative (ITU-T G.711)."""
_RATE = 8000
SECONDS = 1.0


def beep(hertz: int) -> bytes:
    """A second of a square wave, as Amazon Connect plays it."""
    half = _RATE // hertz // 2
    wave = bytes([_UP] * half + [_DOWN] * half)
    return wav_file(wave * round(_RATE * SECONDS / len(wave)), Encoding.MU_LAW)


LOW, HIGH = 400, 800
