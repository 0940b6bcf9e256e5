"""WAV files and their relatives, read with doubt: what a file says of its sizes is held against the bytes there are.

A program that writes into a pipe cannot go back to fill a size in, so it leaves 0, all ones or another huge number
there; a download that broke off has less than it says; and some leave out the byte that pads a chunk of odd size.
RIFF, RIFX, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) have chunks with a name and a size of 32 bits. Sony's Wave64
has them with a GUID and a size of 64 bits, which counts the chunk's header and is padded to eight bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

NO_TRUE_SIZE = 1 << 30
"""A size from here on is a placeholder: no file that can be taken is nearly as large."""
MOST_CHUNKS = 10_000
"""More are not looked at: a file can be nothing but chunks."""

ByteOrder = Literal["little", "big"]
NamedContent = tuple[bytes, bytes | memoryview]

_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_HEADER = 24
_FORM_FIELDS = (2, 2, 4, 4, 2, 2, 2, 2, 4)
"""Bytes of the fields of a `fmt ` chunk, those of WAVE_FORMAT_EXTENSIBLE included."""
_AT_THE_END = (b"LIST", b"id3 ", b"ID3 ")
_COMMON = {b"fmt ", b"data", b"fact", b"LIST", b"ds64", b"bext", b"cue ", b"id3 ", b"JUNK", b"PEAK", b"COMM", b"SSND"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, where its content begins, and how many bytes it says that it has."""

    name: bytes
    begin: int
    size: int


@dataclass(frozen=True, slots=True)
class Wav:
    """What matters of a WAV file.

    `form`: the content of its `fmt ` chunk; `fact`: of that chunk, where there is one; `stated`: how many bytes of
    sound it says that it has, None if it does not say. `is_true`: it is a RIFF file, and every size in it is right.
    """

    form: bytes
    fact: bytes | None
    data: memoryview
    stated: int | None
    order: ByteOrder
    is_true: bool

    @property
    def missing(self) -> int:
        """How many bytes of sound it lacks of what it says it has."""
        return max(0, (self.stated or 0) - len(self.data))

    def file(self) -> bytes:
        """The same sound as a plain RIFF file, whose sizes are true and whose bytes are in the usual order."""
        form, data = self.form, self.data
        if self.order == "big":
            form, data = _turned_form(form), _turned(data, int.from_bytes(form[14:16], "big") // 8)
        chunks: list[NamedContent] = [(b"fmt ", form), (b"data", data)]
        # `fact` counts the samples: it is kept only where all of them are there, and if its bytes are not to be turned.
        if self.fact and self.order == "little" and self.stated is not None and not self.missing:
            chunks.insert(1, (b"fact", self.fact))
        return form_file(b"RIFF", b"WAVE", chunks, "little")


def _turned_form(form: bytes) -> bytes:
    """A `fmt ` chunk in the other order of bytes; its GUID, if it has one, is in the same order everywhere."""
    fields, at = [], 0
    for size in _FORM_FIELDS:
        fields.append(form[at : at + size][::-1])
        at += size
    return b"".join(fields) + form[at:]


def _turned(data: memoryview, width: int) -> memoryview:
    """Samples of so many bytes in the other order of bytes."""
    whole = len(data) // width * width if width > 1 else 0
    turned = bytearray(data)
    for index in range(width if whole else 0):
        turned[index:whole:width] = data[width - 1 - index : whole : width]
    return memoryview(turned)


def form_file(magic: bytes, kind: bytes, chunks: list[NamedContent], order: ByteOrder) -> bytes:
    """A file of chunks: the name `magic` (such as RIFF), the size, `kind`, then each chunk, padded to an even size."""
    parts: list[bytes | memoryview] = [kind]
    for name, chunk in chunks:
        parts += [name, len(chunk).to_bytes(4, order), chunk, b"\0" * (len(chunk) % 2)]
    body = b"".join(parts)
    return magic + len(body).to_bytes(4, order) + body


def read_wav(content: bytes) -> Wav | None:
    """What matters of a WAV file; None for any other content, and for one without a format or without sound."""
    order: ByteOrder = "big" if content[:4] == b"RIFX" else "little"
    if content[:16] == _W64_RIFF:
        chunks = _first_of(_wave64_chunks(content))
    elif content[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and content[8:12] == b"WAVE":
        chunks = chunks_of(content, order)
    else:
        return None
    form, data, fact = chunks.get(b"fmt "), chunks.get(b"data"), chunks.get(b"fact")
    if form is None or data is None:
        return None
    # All ones: RF64 and BW64 state the size in their chunk ds64.
    stated = _long_size(content, chunks.get(b"ds64")) if data.size == 0xFFFFFFFF else data.size
    there = len(content) - data.begin
    if stated is not None and not is_true_size(stated, content, data.begin, order):
        stated = None
    size = _sound_before_chunks(content, data.begin, order) if stated is None else min(stated, there)
    return Wav(
        form=content[form.begin : form.begin + form.size],
        fact=content[fact.begin : fact.begin + fact.size] if fact else None,
        data=memoryview(content)[data.begin : data.begin + size],
        stated=stated,
        order=order,
        is_true=content[:4] == b"RIFF" and stated == size == data.size and _adds_up(content, order),
    )


def chunks_of(content: bytes, order: ByteOrder) -> dict[bytes, Chunk]:
    """The first chunk of each name that matters, in a RIFF, RIFX, RF64 or IFF file."""
    return _first_of(_chunks(content, 12, order))


def _first_of(chunks: Iterable[Chunk]) -> dict[bytes, Chunk]:
    """The first chunk of each name in _COMMON."""
    first: dict[bytes, Chunk] = {}
    for chunk in islice(chunks, MOST_CHUNKS):
        if chunk.name in _COMMON:
            first.setdefault(chunk.name, chunk)
    return first


def is_true_size(stated: int, content: bytes, begin: int, order: ByteOrder) -> bool:
    """Whether the chunk of sound whose content begins at `begin` can have the size that it states (`stated`).

    A program that writes into a pipe states 0 or the largest number; a file may also be cut off, which is no lie.
    """
    end = begin + stated
    if stated >= NO_TRUE_SIZE:
        return False
    if end >= len(content):  # cut off, or just whole; 0 is true only where there is nothing
        return stated > 0 or begin >= len(content)
    if stated == 0:
        return _are_chunks(content, begin, order)
    # Bytes follow the stated end. RIFF's own size (bytes 4 to 7) may count them in: then they must be chunks,
    # else they are sound. Fewer than 8 bytes are no chunk, but padding. Where these bytes are not the file's size
    # (in Wave64, mostly in RF64), whatever follows is let pass.
    counts_them = int.from_bytes(content[4:8], order) + 8 == len(content)
    return not counts_them or len(content) - end < 8 or _are_chunks(content, _next(content, end, stated), order)


def _sound_before_chunks(content: bytes, begin: int, order: ByteOrder) -> int:
    """How many bytes of sound of unknown size there are from `begin` on: all, but for chunks of text or pictures at the
    end.
    """
    ends = [at for name in _AT_THE_END if (at := content.rfind(name, begin)) >= 0 and _are_chunks(content, at, order)]
    return min(ends, default=len(content)) - begin


def _chunks(content: bytes, at: int, order: ByteOrder) -> Iterator[Chunk]:
    """The chunks from `at` on, each found by the size of the one before.

    Where a size leads beyond the file before any sound was met, the next `data` is looked for.
    """
    has_sound = False
    while at + 8 <= len(content):
        chunk = Chunk(content[at : at + 4], at + 8, int.from_bytes(content[at + 4 : at + 8], order))
        has_sound = has_sound or chunk.name in (b"data", b"SSND")
        yield chunk
        end = chunk.begin + chunk.size
        if end > len(content) and not has_sound:  # its size is wrong, or there is no sound
            sound = content.find(b"data", chunk.begin)
            at = sound if sound >= 0 else end
        else:
            at = _next(content, end, chunk.size)


def _next(content: bytes, end: int, size: int) -> int:
    """Where the next chunk begins: after the byte that pads an odd `size`, unless a name shows that it was left out."""
    if size % 2 == 0 or (content[end : end + 4] in _COMMON and content[end + 1 : end + 5] not in _COMMON):
        return end
    return end + 1


def _are_chunks(content: bytes, at: int, order: ByteOrder) -> bool:
    """Whether what begins here are whole chunks, and nothing else, to the end of the file."""
    for _ in range(MOST_CHUNKS):
        if at + 8 > len(content):
            break
        if not all(0x20 <= byte < 0x7F for byte in content[at : at + 4]):
            return False
        size = int.from_bytes(content[at + 4 : at + 8], order)
        at = _next(content, at + 8 + size, size)
    return at in (len(content), len(content) + 1)  # the last chunk may lack the byte that pads it


def _adds_up(content: bytes, order: ByteOrder) -> bool:
    """Whether the file has the size that it states, and so has each chunk, padded as it should be."""
    at = 12
    for _ in range(MOST_CHUNKS):
        if at + 8 > len(content):
            break
        size = int.from_bytes(content[at + 4 : at + 8], order)
        at += 8 + size + size % 2
    return at == len(content) == int.from_bytes(content[4:8], order) + 8


def _long_size(content: bytes, ds64: Chunk | None) -> int | None:
    """The size of the sound as RF64 states it, in addition to the chunk of 32 bits."""
    return int.from_bytes(content[ds64.begin + 8 : ds64.begin + 16], "little") if ds64 and ds64.size >= 16 else None


def _wave64_chunks(content: bytes) -> Iterator[Chunk]:
    """The chunks of a Wave64 file whose GUIDs are of its usual family; `size`: without their headers."""
    at = 40  # behind the GUID riff, the size of the file, and the GUID wave
    while at + _W64_HEADER <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 16 : at + 24], "little")
        if content[at + 4 : at + 16] == _W64_TAIL:
            yield Chunk(name, at + _W64_HEADER, max(0, size - _W64_HEADER))
        at += max(_W64_HEADER, size + -size % 8)
