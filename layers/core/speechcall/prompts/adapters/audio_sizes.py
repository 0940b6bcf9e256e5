"""Audio files whose sizes are true, made of those whose sizes may not be; and how long a file says that it is.

FFmpeg believes most sizes that a header states, or refuses the file for them; that less is there than stated it does
not tell; and where a format states no length it gives an estimate. What is compared with the sound must be the file's
own statement. Sources: Audio Interchange File Format (Apple, 1989) and its AIFF-C draft; Core Audio Format
Specification 1.0; AU (Sun's audio(5)); Advanced Systems Format Specification, 3.2 (file properties); Matroska's Info.
"""

from collections.abc import Callable
from dataclasses import dataclass

from speechcall.prompts.adapters.mpeg_frames import stated_seconds
from speechcall.prompts.rules.riff import NO_TRUE_SIZE, NamedContent, chunks_of, form_file, is_true_size, read_wav

MOST_STATED_SECONDS = 24 * 3600
"""More than that is no statement of a file of 25 MiB, but a mistake in it."""

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


@dataclass(frozen=True, slots=True)
class Sized:
    """A file; and in `times` the sound that it says it has by the sound that is there: 1 where none is missing."""

    content: bytes
    times: float = 1.0


def with_true_sizes(content: bytes, kind: str) -> Sized:
    """The file, with sizes that a demuxer can believe."""
    measure = _MEASURES.get(kind)
    return measure(content) if measure else Sized(content)


def stated_length(content: bytes, kind: str, found: float | None) -> float | None:
    """How many seconds a file itself says that it lasts; None: it does not, or says what cannot be.

    `found`: what FFmpeg found or estimated; None: nothing.
    """
    if kind == "mp3":
        found = stated_seconds(content)
    elif kind == "asf":
        found = _asf_seconds(content)
    elif not _states_it(content, kind):
        return None
    return found if found is not None and 0 < found <= MOST_STATED_SECONDS else None


def _states_it(content: bytes, kind: str) -> bool:
    """Whether the length that FFmpeg found is in the file."""
    match kind:
        case "flac":  # 36 bits of STREAMINFO; zero is "not known"
            return content[4] & 0x7F == 0 and (content[21] & 0xF or any(content[22:26])) > 0
        case "mov":  # a fragmented file has it in each fragment, if at all
            return b"moof" not in content
        case "matroska":  # the element Duration, a number of four or eight bytes
            return any(mark in content[:65_536] for mark in (b"\x44\x89\x84", b"\x44\x89\x88"))
        case _:
            return False


def _asf_seconds(content: bytes) -> float | None:
    """The play duration, less the time of loading before it that it includes; None: not stated, as in a live stream."""
    at = content.find(_ASF_FILE_PROPERTIES, 0, 65_536)
    if at < 0 or content[at + 88 : at + 89] == b"\x01":
        return None
    units, msec = (int.from_bytes(content[begin : begin + 8], "little") for begin in (at + 64, at + 80))
    return units / 10_000_000 - msec / 1000


def _measured(stated: int, there: int) -> float:
    return stated / there if stated > there > 0 else 1.0


def _wav(content: bytes) -> Sized:
    wav = read_wav(content)
    if wav is None:
        return Sized(content)
    return Sized(wav.file(), _measured(wav.stated or 0, len(wav.data)))


def _aiff(content: bytes) -> Sized:
    """An AIFF file of its two chunks that matter, with their true sizes; as it is where one of them is missing."""
    chunks = chunks_of(content, "big")
    common, sound = chunks.get(b"COMM"), chunks.get(b"SSND")
    if common is None or sound is None:
        return Sized(content)
    # The chunk of sound has eight bytes of its own before the samples.
    true = sound.size > 8 and is_true_size(sound.size, content, sound.begin, "big")
    data = content[sound.begin : sound.begin + sound.size] if true else content[sound.begin :]
    description = bytearray(content[common.begin : common.begin + common.size])
    channels, frames, bits = (int.from_bytes(description[at:to], "big") for at, to in ((0, 2), (2, 6), (6, 8)))
    if frames * channels * -(-bits // 8) > len(data):
        description[2:6] = bytes(4)  # a count of samples that is wrong, or of another size than stated
    parts: list[NamedContent] = [(b"COMM", bytes(description)), (b"SSND", data)]
    return Sized(form_file(b"FORM", content[8:12], parts, "big"), _measured(sound.size if true else 0, len(data)))


def _au(content: bytes) -> Sized:
    begin, stated = int.from_bytes(content[4:8], "big"), int.from_bytes(content[8:12], "big")
    return Sized(content, _measured(stated, len(content) - begin) if stated < NO_TRUE_SIZE else 1.0)


def _caf(content: bytes) -> Sized:
    """The file as it is, and how much sound its chunk `data` states, which begins with a count of four bytes."""
    at = 8
    while at + 12 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 12], "big")
        if name == b"data":
            return Sized(content, _measured(size - 4, len(content) - at - 16) if size < NO_TRUE_SIZE else 1.0)
        at += 12 + size
    return Sized(content)


_MEASURES: dict[str, Callable[[bytes], Sized]] = {"wav": _wav, "aiff": _aiff, "au": _au, "caf": _caf}
