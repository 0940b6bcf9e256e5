"""Runs the decoder on one file, in a process of its own that is ended if it takes too long."""

import json
import os
import subprocess
import sys
from array import array

from speechcall.application.make_audio import Decoded
from speechcall.domain.errors import PromptUnavailable

SECONDS = 25
MAX_BYTES = 25 * 1024 * 1024


def decode_audio(content: bytes) -> Decoded:
    """The sound of a file of at most 25 MiB, whatever its format. Raises PromptUnavailable with the reason.

    The decoder's own limits are 20 s of processor time and 1.5 GiB of address space, at most five minutes of sound.
    It is given no environment but Python's path: no credentials, no settings.
    """
    if len(content) > MAX_BYTES:
        raise PromptUnavailable(f"the audio has {len(content)} bytes; at most {MAX_BYTES} can be taken")
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "speechcall.adapters.audio_decoder"],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except subprocess.TimeoutExpired as error:
        raise PromptUnavailable(f"the audio could not be decoded within {SECONDS} s") from error
    line, _, samples = done.stdout.partition(b"\n")
    if done.returncode != 0:
        if b"ModuleNotFoundError" in done.stderr or b"ImportError" in done.stderr:  # ours, not the file's
            raise RuntimeError("the decoder (PyAV) is not installed, or for another architecture")
        raise PromptUnavailable("the audio could not be decoded within the limits of time and memory, or is damaged")
    facts = json.loads(line)
    if "refused" in facts:
        raise PromptUnavailable(facts["refused"])
    return Decoded(
        samples=array("f", samples),
        rate=facts["rate"],
        clipped=facts["clipped"],
        damaged=facts["damaged"],
        expected_seconds=facts["expected_seconds"],
    )
