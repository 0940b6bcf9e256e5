"""Runs the decoder on one file, in a process of its own that is ended if it takes too long."""

import json
import math
import os
import subprocess
import sys
from array import array

from speechcall.prompts.use_cases.make_audio import Decoded
from speechcall.shared.rules.errors import PromptUnavailable

SECONDS = 25
MAX_BYTES = 25 * 1024 * 1024

_BEYOND = "the audio could not be decoded within the limits of time and memory, or is damaged"
_LARGEST = 2.0**31
"""As the decoder bounds its samples; it is not believed."""


def decode_audio(content: bytes, seconds: float | None = None) -> Decoded:
    """The sound of a file of at most 25 MiB, whatever its format. Raises PromptUnavailable with the reason.

    Raises RuntimeError where the decoder itself is missing. `seconds`: how long it may take, 25 at most; None: 25.
    The decoder's own limits are 20 s of processor time and 1.5 GiB of address space, at most five minutes of sound.
    Of the environment it is given the search paths alone: no credentials, no settings.
    """
    if len(content) > MAX_BYTES:
        raise PromptUnavailable(f"the audio has {len(content)} bytes; at most {MAX_BYTES} can be taken")
    limit = SECONDS if seconds is None else min(seconds, SECONDS)
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "speechcall.prompts.adapters.audio_decoder"],
            input=content,
            capture_output=True,
            timeout=limit,
            check=False,
            env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired as error:
        raise PromptUnavailable(f"the audio could not be decoded within {round(limit, 3):g} s") from error
    if done.returncode != 0:
        if b"ModuleNotFoundError" in done.stderr or b"ImportError" in done.stderr:  # ours, not the file's
            raise RuntimeError("the decoder (PyAV) is not installed, or for another architecture")
        raise PromptUnavailable(_BEYOND)
    try:
        return _read(done.stdout)
    except (ValueError, KeyError, TypeError) as error:  # a decoder that a file has led astray says anything
        raise PromptUnavailable(_BEYOND) from error


def _read(answer: bytes) -> Decoded:
    """The decoder's answer: a line of JSON with the facts, then the samples. Raises PromptUnavailable for a refusal;
    ValueError, KeyError or TypeError for what is no such answer.
    """
    line, _, content = answer.partition(b"\n")
    facts = json.loads(line)
    if "refused" in facts:
        raise PromptUnavailable(str(facts["refused"]))
    samples = array("f", content)
    if not (
        math.isfinite(sum(samples)) and -_LARGEST <= min(samples, default=0.0) <= max(samples, default=0.0) <= _LARGEST
    ):
        raise ValueError("the decoder gave what is no sample")
    expected = facts["expected_seconds"]
    return Decoded(
        samples=samples,
        rate=int(facts["rate"]),
        clipped=float(facts["clipped"]),
        damaged=int(facts["damaged"]),
        expected_seconds=None if expected is None else float(expected),
        missing_seconds=float(facts["missing_seconds"]),
    )
