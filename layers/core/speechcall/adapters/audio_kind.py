"""What kind of audio a file is, by its first bytes: names and content types are not to be trusted."""

import re

_KINDS: tuple[tuple[bytes, str], ...] = (
    (rb"(?s)RIFF....WAVE|RIFX....WAVE|RF64....WAVE", "wav"),
    (rb"(?s)FORM....AIF[FC]", "aiff"),
    (rb"fLaC", "flac"),
    (rb"OggS", "ogg"),
    (rb"(?s)....ftyp", "mov"),
    (rb"\x1aE\xdf\xa3", "matroska"),
    (rb"caff", "caf"),
    (rb"\.snd", "au"),
    (rb"#!AMR", "amr"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", "aac"),
    (rb"\xff[\xe2-\xff]", "mp3"),
)


class Refused(Exception):
    """The file cannot become a prompt; the sentence says why."""


def kind_of(content: bytes) -> str:
    """What a file is, by its first bytes (behind an ID3 tag); nothing else is asked. Raises Refused."""
    if not content:
        raise Refused("the file is empty")
    start = _after_tags(content)
    head = content[start : start + 16]
    for pattern, kind in _KINDS:
        if re.match(pattern, head):
            return kind
    if start:  # a tag is there, and then padding perhaps: it is what MP3 files begin with
        return "mp3"
    raise Refused("the file is no audio of a known format: WAV, MP3, OGG (Opus, Vorbis), FLAC, M4A (AAC), AIFF or WebM")


def _after_tags(content: bytes) -> int:
    """Where the audio begins: ID3v2 tags (ten bytes, and the size in four times seven bits) are passed over."""
    at = 0
    while content[at : at + 3] == b"ID3" and at + 10 <= len(content):
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size
    return at


NAMES = {  # as people call them
    **{kind: kind.upper() for _, kind in _KINDS},
    "mov": "M4A/MP4",
    "matroska": "WebM",
    "asf": "WMA",
    "ogg": "OGG",
}
DEMUXERS = {  # as FFmpeg does, where it differs
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska": "matroska,webm",
}
