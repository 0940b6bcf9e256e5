"""The frames of MP3 and AAC (ADTS) files, which have no header of their own: a stream is known by its frames.

A frame's header says how long the frame is, so the next header is where it has to be. That two agree happens by
chance in no other file. Sources: ISO/IEC 11172-3 and 13818-3 (header of an MPEG audio frame), 13818-7 (ADTS).
"""

import re
from dataclasses import dataclass

FAR_BYTES = 4096
"""How much may come before the first frame."""
FAR_BEHIND_A_TAG_BYTES = 4 * 1024 * 1024
"""… where the file begins with a tag, whose size may be wrong: it has a picture, mostly."""

_SYNC = re.compile(rb"\xff[\xe2-\xff]")
_BIT_RATES = {  # kbit/s by the header's four bits, for (MPEG 1?, layer); free format has none
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_INFORMATION = {(True, False): 36, (True, True): 21, (False, False): 21, (False, True): 13}
"""Where the first frame has LAME's or Xing's information, for (MPEG 1?, mono?)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's header. `same` is what all frames of a stream have in common; `seconds` 0: not known."""

    kind: str
    size: int
    same: tuple[object, ...]
    seconds: float = 0.0
    information: int = 0


def first_frame(content: bytes, begin: int, far: int) -> tuple[str, int] | None:
    """`mp3` or `aac`, and where its first frame begins; None: no two in a row agree within `far` bytes of `begin`."""
    for match in _SYNC.finditer(content, begin, min(len(content), begin + far + 2)):
        frame = frame_at(content, match.start())
        if frame is not None:
            following = frame_at(content, match.start() + frame.size)
            if following is not None and following.same == frame.same:
                return frame.kind, match.start()
    return None


def leads_to(content: bytes, begin: int, end: int) -> bool:
    """Whether frames follow one another from `begin`, and one ends exactly at `end`."""
    while begin < end and (frame := frame_at(content, begin)):
        begin += frame.size
    return begin == end


def frame_at(content: bytes, at: int) -> Frame | None:
    """The frame whose header is at `at`; None if there is none."""
    head = content[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] < 0xE2:
        return None
    return _adts(head) if head[1] & 0xF6 == 0xF0 else _mpeg(head)


def stated_seconds(content: bytes) -> float | None:
    """How many seconds long an MP3 file says that it is: in its first frame, if that has the information of Xing, LAME
    or VBRI. None: it does not say.
    """
    frame = frame_at(content, 0)
    if frame is None or frame.kind != "mp3" or not frame.seconds:
        return None
    count = 0
    tag = content[frame.information : frame.information + 12]
    if tag[:4] in (b"Xing", b"Info") and tag[7:8] and tag[7] & 1:
        count = int.from_bytes(tag[8:12], "big")
    elif content[36:40] == b"VBRI":
        count = int.from_bytes(content[50:54], "big")
    return count * frame.seconds if count else None


def _adts(head: bytes) -> Frame | None:
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    rate = head[2] >> 2 & 0xF
    if size < 7 or rate > 12:
        return None
    return Frame("aac", size, ("aac", head[1], head[2] & 0xFC))


def _mpeg(head: bytes) -> Frame | None:
    """A frame of MPEG audio by its header; None for values that are reserved, and for free format."""
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    kilobits = _BIT_RATES[first, layer][bits - 1]
    samples = 384 if layer == 1 else 1152 if first or layer == 2 else 576
    size = (12_000 * kilobits // hertz + padding) * 4 if layer == 1 else samples * 125 * kilobits // hertz + padding
    mono = head[3] >> 6 == 3
    return Frame("mp3", size, (version, layer, rate), samples / hertz, _INFORMATION[first, mono])
