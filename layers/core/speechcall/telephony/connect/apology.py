"""What a callee hears when the contact flow cannot reach our function for good: "Sorry, something went wrong. Goodbye."

The file was spoken by espeak-ng, in English, and made a telephone prompt like any other. It is carried by the stack,
for the flow that plays it can ask no function; a callee who is simply cut off calls back, or calls it a nuisance.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

_FILE = Path(__file__).with_name("apology.wav")


def apology() -> bytes:
    """A WAV file as Amazon Connect plays it (8 kHz, mono, µ-law)."""
    return _FILE.read_bytes()


@cache
def apology_key() -> str:
    """The key under which `S3Audio.put` stores the apology in the bucket."""
    return f"prompts/{sha256(apology()).hexdigest()}.wav"
