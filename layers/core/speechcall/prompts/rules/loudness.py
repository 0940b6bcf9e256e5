"""How loud a prompt is, and by how much it is made louder or softer, so that all sound alike on a telephone.

The level is that of the speech alone, without its pauses: blocks of 400 ms, of which those below an absolute and a
relative gate do not count (as ITU-R BS.1770-4 gates; without its weighting, which is for loudspeakers and a full band).
"""

import math
from array import array
from dataclasses import dataclass
from operator import mul

from speechcall.prompts.rules.wav import SAMPLE_RATE

TARGET_DB = -20.0
"""Of full scale: where speech lies comfortably on a telephone, with room for its peaks."""
PEAK_DB = -1.0
MOST_GAIN_DB = 20.0
"""More would make the noise of a bad recording the loudest thing in it."""
UNCHANGED_DB = 1.0
"""An inaudible difference changes nothing, and so a prompt that was levelled once stays as it is."""

_STEP = SAMPLE_RATE // 10
"""Samples: 100 ms."""
_STEPS = 4
"""Of a block."""
_ABSOLUTE_GATE_DB = -60.0
_RELATIVE_GATE_DB = -10.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """Level of what is heard and highest peak, in decibels of full scale (None: silence); seconds of silence.

    Silence has a peak where an offset leads beyond full scale.
    """

    level_db: float | None
    peak_db: float | None
    silent_at_start: float
    silent_at_end: float


def measure(samples: "array[float]") -> Loudness:
    """How loud samples (8 kHz, full scale is 1) are, and how much silence is around them; at least one sample."""
    steps = [_power(samples[start : start + _STEP]) for start in range(0, len(samples), _STEP)]
    heard = [index for index, power in enumerate(steps) if _db(power) > _ABSOLUTE_GATE_DB]
    # Of the samples as they are: where they lie off the middle, silence too may have a peak beyond full scale.
    highest = max(map(abs, samples))
    peak_db = 20 * math.log10(highest) if highest > 0 else -math.inf
    if not heard:
        seconds = len(samples) / SAMPLE_RATE
        return Loudness(None, peak_db if peak_db > 0 else None, seconds, seconds)
    # One block begins at each step; sound that is shorter than a block is one block.
    blocks = [
        sum(window) / len(window)
        for start in range(max(1, len(steps) - _STEPS + 1))
        if (window := steps[start : start + _STEPS])
    ]
    # Where no block is loud enough, the steps that are heard count.
    loud = [power for power in blocks if _db(power) > _ABSOLUTE_GATE_DB] or [steps[index] for index in heard]
    gate = _db(sum(loud) / len(loud)) + _RELATIVE_GATE_DB
    speech = [power for power in loud if _db(power) > gate]
    return Loudness(
        level_db=_db(sum(speech) / len(speech)),
        peak_db=peak_db,
        silent_at_start=heard[0] * _STEP / SAMPLE_RATE,
        silent_at_end=(len(steps) - 1 - heard[-1]) * _STEP / SAMPLE_RATE,
    )


def gain_db(found: Loudness) -> float:
    """By how many decibels the audio is made louder, or softer (below 0), so that its speech is at TARGET_DB.

    No peak is brought above PEAK_DB, and MOST_GAIN_DB is the most. 0: a difference that cannot be heard is left, and
    so is silence; but a peak beyond full scale always comes down to PEAK_DB.
    """
    if found.peak_db is None:
        return 0.0
    if found.level_db is None:
        return PEAK_DB - found.peak_db
    wanted = min(TARGET_DB - found.level_db, MOST_GAIN_DB, PEAK_DB - found.peak_db)
    return 0.0 if abs(wanted) < UNCHANGED_DB and found.peak_db <= 0 else wanted


def scaled(samples: "array[float]", decibels: float) -> "array[int]":
    """Samples (full scale is 1), made louder by so many decibels, as 16-bit numbers; what is too large is cut off."""
    factor = 32767 * 10 ** (decibels / 20)
    result = array("h")
    for start in range(0, len(samples), SAMPLE_RATE):  # in parts: a list of all would be many times their size
        result.extend([max(-32768, min(32767, round(x * factor))) for x in samples[start : start + SAMPLE_RATE]])
    return result


def _power(samples: "array[float]") -> float:
    """The mean power of what can be heard: an offset, which many a sound card leaves, makes no sound."""
    offset = float(sum(samples)) / len(samples)
    # Of the differences, and not of the squares less the offset's: that would lose a soft sound in rounding.
    changes = [sample - offset for sample in samples]
    return math.fsum(map(mul, changes, changes)) / len(samples)


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
