"""Content codings of HTTP (RFC 9110, 8.4): most say something that changes no byte of a file, and the bytes decide.

`aws-chunked`, `utf-8`, `binary` and the like are left in Content-Encoding by uploads and servers; the file is as it
was. A few compress it, and of these the common ones are undone, up to a bound.
"""

import zlib

from speechcall.prompts.adapters.audio_kind import Refused, kind_of

_ZLIB = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
CHANGING = {*_ZLIB, "br", "compress", "x-compress", "zstd", "dcb", "dcz"}
"""Those of the IANA registry that change bytes."""
MOST_CODINGS = 3


class TooMuch(Exception):
    """There is more than may be taken."""


class StillCoded(Exception):
    """The bytes are those of a coding that is not undone here. The text names the codings."""


class Damaged(StillCoded):
    """The coding could be undone, if the bytes were whole."""


def decoded(content: bytes, header: str, most: int) -> bytes:
    """A file without the codings that a Content-Encoding header names; as it is, if it is audio all the same.

    Raises TooMuch for more than `most` bytes; StillCoded, of which Damaged is one.
    """
    codings = [name for part in header.lower().split(",") if (name := part.partition(";")[0].strip()) in CHANGING]
    if not codings or _is_audio(content):
        return content
    if len(codings) > MOST_CODINGS:
        raise StillCoded(", ".join((*codings[:MOST_CODINGS], "…")))
    for name in reversed(codings):
        if name not in _ZLIB:
            raise StillCoded(name)
        try:
            content = _inflated(content, _ZLIB[name], most)
        except zlib.error:
            try:
                content = _inflated(content, -zlib.MAX_WBITS, most)  # "deflate" without zlib's header is common
            except zlib.error:
                raise Damaged(name) from None
    return content


def _is_audio(content: bytes) -> bool:
    try:
        kind_of(content)
    except Refused:
        return False
    return True


def _inflated(content: bytes, window: int, most: int) -> bytes:
    """What was deflated: all members, one behind the other (RFC 1952, 2.2). Raises TooMuch for more than `most` bytes,
    zlib.error. `window`: which of zlib's formats it is, as `decompressobj` takes it.
    """
    whole = bytearray()
    while content:
        stream = zlib.decompressobj(window)
        # One byte more than may be taken is enough to see that there is too much.
        whole += stream.decompress(content, most + 1 - len(whole))
        if len(whole) > most:
            raise TooMuch
        if not stream.eof:
            raise zlib.error("it ends too early")
        content = stream.unused_data.lstrip(b"\0")
        if window < zlib.MAX_WBITS | 16:  # only gzip has members
            break
    return bytes(whole)
