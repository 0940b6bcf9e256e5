"""The prompts that the stack itself carries, and puts into the bucket that the telephony plays from.

`wait.wav` of each provider is what a callee hears while a receiver is asked which menu follows: two soft notes, one
second, in the encoding that the provider plays. A provider names it by its key in the bucket (`WAIT_KEY`).
`silence.wav` is a tenth of a second in which nothing is heard, for what cannot listen without playing (`SILENCE_KEY`).
"""

from pathlib import Path

from speechcall.telephony.connect.apology import apology

_PROVIDERS = ("connect", "chime")


def wait_prompt(provider: str) -> bytes:
    """The notes of a provider, as a WAV file."""
    return _file(provider, "wait.wav")


def silence_prompt(provider: str) -> bytes:
    """The silence of a provider, as a WAV file."""
    return _file(provider, "silence.wav")


def _file(provider: str, name: str) -> bytes:
    return (Path(__file__).with_name(provider) / name).read_bytes()


def carried() -> tuple[bytes, ...]:
    """All prompts that the stack carries; the apology is the first."""
    return (apology(), *map(wait_prompt, _PROVIDERS), *map(silence_prompt, _PROVIDERS))
