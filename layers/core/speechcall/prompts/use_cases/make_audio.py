"""A customer's audio file as a telephone prompt: decoded, levelled, encoded; and what is odd about it."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.loudness import Loudness, gain_db, measure, scaled
from speechcall.prompts.rules.mu_law import linear, mu_law
from speechcall.prompts.rules.prompt import AudioWarning
from speechcall.prompts.rules.riff import Wav
from speechcall.prompts.rules.wav import MAX_BYTES, SAMPLE_RATE, seconds_of, telephone_wav, wav_file
from speechcall.shared.rules.errors import PromptUnavailable

MOST_CLIPPED = 0.0002
"""A larger share of samples in rows at the end of the scale can be heard as distortion."""
LONG_SILENCE_SECONDS = 2.0
MISSING_SECONDS = 0.5
"""A length in seconds that a file states may be that much off; the bytes that it states are exact."""
MISSING_BYTES_SECONDS = 0.02
KEPT_DB = 3.0
"""A file that is a telephone prompt already is kept as it is, unless it is louder or softer than others by more."""

_USUAL_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000}


@dataclass(frozen=True, slots=True)
class Decoded:
    """The sound of a file: 8 kHz, mono, full scale is 1. `rate`: the file's own samples a second.

    `clipped`: the share of samples in rows at the end of the scale. `damaged`: how many parts could not be decoded.
    `expected_seconds`: how long the file says it is, if it does. `missing_seconds`: how much of the sound that it says
    it has is not there, by the count of bytes.
    """

    samples: "array[float]"
    rate: int
    clipped: float = 0.0
    damaged: int = 0
    expected_seconds: float | None = None
    missing_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Audio:
    """A telephone prompt: a WAV file, its length, the SHA-256 of what it was made of, and warnings."""

    content: bytes
    seconds: float
    source_sha256: str
    warnings: tuple[AudioWarning, ...] = ()


Decode = Callable[[bytes], Decoded]


def make_audio(content: bytes, encoding: Encoding, decode: Decode) -> Audio:
    """The prompt that a file becomes. Raises PromptUnavailable with the reason, if it can be none.

    `decode` is called for everything but a file that is a telephone prompt already.
    """
    if len(content) > MAX_BYTES:
        raise PromptUnavailable(f"the audio has {len(content)} bytes; at most {MAX_BYTES} can be played")
    source = sha256(content).hexdigest()
    ready = telephone_wav(content, encoding)
    decoded = decode(content) if ready is None else _expanded(ready, encoding)
    seconds = seconds_of(len(decoded.samples))
    found = measure(decoded.samples)
    gain = gain_db(found)
    warnings = tuple(_warnings(decoded, found, seconds))
    if ready is not None and abs(gain) <= KEPT_DB:
        kept = content if ready.is_true else wav_file(ready.data, encoding)
        return Audio(kept, seconds, source, warnings)
    pcm = scaled(decoded.samples, gain)
    return Audio(wav_file(_encoded(pcm, encoding), encoding), seconds, source, warnings)


def _expanded(ready: Wav, encoding: Encoding) -> Decoded:
    """The sound of a file that is a telephone prompt already, as `decode` would give it.

    Raises PromptUnavailable for one that is empty, or too long.
    """
    width = encoding.bits // 8
    seconds_of(len(ready.data) // width)  # before any work: what is too long may have fifty megabytes
    missing = ready.missing // width / SAMPLE_RATE
    if encoding is Encoding.MU_LAW:
        samples = linear(ready.data)
    else:
        samples = array("f", (value / 32768 for value in array("h", bytes(ready.data))))
    return Decoded(samples, SAMPLE_RATE, missing_seconds=missing)


def _encoded(pcm: "array[int]", encoding: Encoding) -> bytes:
    return mu_law(pcm) if encoding is Encoding.MU_LAW else pcm.tobytes()


def _warnings(decoded: Decoded, found: Loudness, seconds: float) -> list[AudioWarning]:
    """What its owner should hear about audio that can be played: silence, clipping, an odd rate, missing parts.

    `found`: how loud it is; `seconds`: how much of it is there.
    """
    warnings = []
    if found.level_db is None:
        warnings.append(AudioWarning("SILENT_AUDIO", "nothing can be heard in the audio: it is silent throughout"))
    elif found.silent_at_start >= LONG_SILENCE_SECONDS:
        text = f"the audio begins with {found.silent_at_start:.1f} s of silence: a callee may hang up meanwhile"
        warnings.append(AudioWarning("LONG_SILENCE", text))
    elif found.silent_at_end >= LONG_SILENCE_SECONDS:
        text = f"the audio ends with {found.silent_at_end:.1f} s of silence: the idle timeout begins only behind it"
        warnings.append(AudioWarning("LONG_SILENCE", text))
    if decoded.clipped > MOST_CLIPPED:
        text = f"{decoded.clipped:.2%} of the audio is clipped (louder than its format can hold) and sounds distorted"
        warnings.append(AudioWarning("CLIPPED_AUDIO", text))
    if decoded.rate < SAMPLE_RATE:
        text = f"the audio has {decoded.rate} samples a second; below {SAMPLE_RATE} it sounds dull on a telephone"
        warnings.append(AudioWarning("LOW_SAMPLE_RATE", text))
    elif decoded.rate not in _USUAL_RATES:
        text = f"the audio says that it has {decoded.rate} samples a second, which is unusual: listen to its speed"
        warnings.append(AudioWarning("UNUSUAL_SAMPLE_RATE", text))
    stated = max(decoded.expected_seconds or 0.0, seconds + decoded.missing_seconds)
    if stated - seconds > MISSING_SECONDS or decoded.missing_seconds > MISSING_BYTES_SECONDS:
        text = f"the file says that it lasts {stated:.1f} s, and {stated - seconds:.1f} s of that are missing"
        warnings.append(AudioWarning("DAMAGED_AUDIO", text))
    elif decoded.damaged:
        warnings.append(AudioWarning("DAMAGED_AUDIO", f"{decoded.damaged} parts of the audio could not be decoded"))
    return warnings
