"""What kind of audio a file is, by its first bytes: names and content types are not to be trusted."""

import re

from speechcall.prompts.adapters.mpeg_frames import FAR_BEHIND_A_TAG_BYTES, FAR_BYTES, first_frame, leads_to

_KINDS: tuple[tuple[bytes, str], ...] = (
    (rb"(?s)RIFF....WAVE|RIFX....WAVE|RF64....WAVE|BW64....WAVE|riff\x2e\x91\xcf\x11", "wav"),
    (rb"(?s)FORM....AIF[FC]", "aiff"),
    (rb"fLaC", "flac"),
    (rb"OggS", "ogg"),
    (rb"(?s)....ftyp", "mov"),
    (rb"\x1aE\xdf\xa3", "matroska"),
    (rb"caff", "caf"),
    (rb"\.snd", "au"),
    (rb"#!AMR", "amr"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
)
"""Files that begin with a mark of their format."""
_STREAMS: tuple[tuple[bytes, str], ...] = (
    (rb"\xff[\xf0\xf1\xf8\xf9]", "aac"),
    (rb"\xff[\xe2-\xff]", "mp3"),
)
"""Streams without one: all there is to know them by is how their frames begin."""
_JUNK = re.compile(rb"(?:[\0\t\n\v\f\r ]|\xef\xbb\xbf|\xff\xfe(?!\xff)|\xfe\xff)*+")
"""What text editors, servers and tools put before a file: marks of byte order, line ends, zeros."""
_FIRST_BYTES_THAT_LOOK_LIKE_JUNK = 4


class Refused(Exception):
    """The file cannot become a prompt; the sentence says why."""


def kind_of(content: bytes) -> tuple[str, int]:
    """What a file is (a key of NAMES), and at which byte it begins.

    Tried in turn: the mark of a format at the beginning, behind tags and junk; two frames that agree; the same where a
    tag says a wrong size; a single frame; a tag alone. Raises Refused.
    """
    if not content:
        raise Refused("the file is empty")
    start = _after_tags(content)
    behind_junk = _behind_junk(content, start)
    # Up to four bytes that look like junk may belong to the file: MP4 begins with a size, which may begin with zeros.
    for at in (start, *range(behind_junk, max(start, behind_junk - _FIRST_BYTES_THAT_LOOK_LIKE_JUNK) - 1, -1)):
        if kind := _match(_KINDS, content, at):
            return kind, at
    if found := first_frame(content, start, FAR_BYTES + behind_junk - start):
        # A tag's size may be wrong, so that the sound begins within what it counts as the tag. Frames there that do not
        # lead to those behind it are chance, in a picture for instance.
        before = first_frame(content, 0, start) if start else None
        return before if before and leads_to(content, before[1], found[1]) else found
    if start and (found := first_frame(content, 0, FAR_BEHIND_A_TAG_BYTES)):
        return found  # no sound behind the tag: its size is wrong
    # A stream of one frame has no second that agrees with it.
    if kind := _match(_STREAMS, content, behind_junk):
        return kind, behind_junk
    if start:  # a tag is there, and then padding perhaps: it is what MP3 files begin with
        return "mp3", 0
    raise Refused("the file is no audio of a known format: WAV, MP3, OGG (Opus, Vorbis), FLAC, M4A (AAC), AIFF or WebM")


def _match(kinds: tuple[tuple[bytes, str], ...], content: bytes, at: int) -> str | None:
    head = content[at : at + 16]
    return next((kind for pattern, kind in kinds if re.match(pattern, head)), None)


def _behind_junk(content: bytes, start: int) -> int:
    match = _JUNK.match(content, start)
    return match.end() if match else start


def _after_tags(content: bytes) -> int:
    """Where the audio begins: ID3v2 tags (ten bytes, and the size in four times seven bits) are passed over."""
    at = 0
    while content[at : at + 3] == b"ID3" and at + 10 <= len(content):
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if content[at + 5] & 0x10 else 0)  # version 2.4 may have a footer
    return min(at, len(content))


NAMES = {  # as people call them
    **{kind: kind.upper() for _, kind in (*_KINDS, *_STREAMS)},
    "mov": "M4A/MP4",
    "matroska": "WebM",
    "asf": "WMA",
    "ogg": "OGG",
}
DEMUXERS = {  # as FFmpeg does, where it differs
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
}
