"""Reads an answer to a webhook off a connection: its status line decides, and the rest only has to end (RFC 9112).

A library that reads strictly refuses a whole answer for one odd header line, long after the receiver has said 200.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import httpcore

MAX_HEAD_BYTES = 100 * 1024
MAX_BODY_BYTES = 20 * 1024
MAX_INTERIM = 16
"""Answers of the kind "100 Continue" before the one that counts."""

_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: .*)?", re.DOTALL)
_BEGINS = b"HTTP/1."
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)
_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = {_SWITCHING_PROTOCOLS, 204, 304}

Read = Callable[[], bytes]
"""More bytes; none: the other side has ended. Raises httpcore's errors."""


class BodyTooLong(httpcore.RemoteProtocolError):
    """An answer's body has more bytes than are read."""


class _Broken(Exception):
    """What came is not what HTTP has there."""


@dataclass(frozen=True, slots=True)
class Head:
    """An answer without its body. `fields`: by name in lower case, in their order."""

    status: int
    fields: tuple[tuple[str, str], ...]
    may_keep: bool
    """Whether the connection may be used again, once the body has been read to its end."""
    length: int | None
    """Of the body; None: in chunks, or until the connection is closed."""
    chunked: bool
    body: bytes = b""
    """Where it was asked for."""

    def first(self, name: str) -> str | None:
        """The first field of a name."""
        return next((value for known, value in self.fields if known == name), None)


@dataclass
class AnswerReader:
    """What has come on one connection, and what of it has not been looked at yet."""

    read: Read
    unread: bytearray = field(default_factory=bytearray)
    _left: int = MAX_HEAD_BYTES
    """How many bytes may still be read of the head, or of a body and what is around it."""

    def head(self) -> Head:
        """The head of the answer that counts. Raises httpcore.RemoteProtocolError, ReadError, ReadTimeout.

        Interim answers (1xx) before it are skipped. If the connection closes within the head, what came is enough where
        the status is 2xx.
        """
        self._left = MAX_HEAD_BYTES
        try:
            for _ in range(MAX_INTERIM + 1):
                status, minor = self._status_line()
                lines, is_whole = self._lines(is_good=200 <= status < 300)
                if status >= 200 or status == _SWITCHING_PROTOCOLS:
                    return _head(status, minor, lines, is_whole)
        except _Broken as error:
            raise httpcore.RemoteProtocolError(str(error)) from error
        raise httpcore.RemoteProtocolError("interim answers without end")

    def drop_body(self, head: Head) -> bool:
        """Reads the body and drops it, MAX_BODY_BYTES at most.

        True: it was read to its end, and the connection stands at the next answer. False: it was too long, broken, or
        ended by closing, so the connection is spent. Raises httpcore's read errors.
        """
        self._left = MAX_BODY_BYTES
        try:
            if head.chunked:
                return self._drop_chunks()
            if head.length is not None:
                return self._skip(head.length)
            self._skip(self._left)  # until the connection is closed: then there is nothing to keep
        except _Broken:
            pass
        return False

    def body(self, head: Head, most: int) -> bytes:
        """The body, to its end. Raises BodyTooLong for more than `most` bytes.

        And httpcore.RemoteProtocolError for a broken one, or for chunks with too much around them, and its read errors.
        """
        self._left = MAX_BODY_BYTES
        found = bytearray()
        try:
            if head.chunked:
                while size := self._chunk_size():
                    found += self._taken(size, most - len(found))
                    if self._line():
                        raise _Broken("a chunk is longer than it says")
                while self._line():  # fields behind the last chunk
                    pass
            elif head.length is not None:
                found += self._taken(head.length, most)
            else:
                found += self._until_closed(most)
        except _Broken as error:
            raise httpcore.RemoteProtocolError(str(error)) from error
        return bytes(found)

    def _taken(self, count: int, most: int) -> bytes:
        """The next `count` bytes. Raises BodyTooLong where that is more than `most`; _Ended."""
        if count > most:
            raise BodyTooLong("the body is too long")
        while len(self.unread) < count:
            self._fill()
        found = bytes(self.unread[:count])
        del self.unread[:count]
        return found

    def _until_closed(self, most: int) -> bytes:
        """All that comes until the connection is closed. Raises BodyTooLong for more than `most`."""
        while len(self.unread) <= most:
            try:
                self._fill()
            except _Ended:
                return self._taken(len(self.unread), most)
        raise BodyTooLong("the body is too long")

    def _status_line(self) -> tuple[int, int]:
        line = self._line(_BEGINS)
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise _Broken("not an HTTP answer")
        return int(found[2]), int(found[1])

    def _lines(self, *, is_good: bool) -> tuple[list[bytes], bool]:
        """The header lines, and whether their end has come.

        `is_good`: the status is a 2xx; then it is no error if the connection breaks before their end.
        """
        lines: list[bytes] = []
        try:
            while line := self._line():
                lines.append(line)
        except (EOFError, httpcore.ReadError):
            if not is_good:
                raise
            return lines, False
        return lines, True

    def _line(self, begins: bytes = b"") -> bytes:
        """The next line without its end; `begins`: with what it must begin. LF alone ends one too (RFC 9112, 2.2).

        Raises _Broken, also where it is longer than may be read; _Ended where the connection closes within it.
        """
        seen = 0
        while (end := self.unread.find(b"\n", seen)) < 0:
            seen = len(self.unread)
            # Refused as soon as it cannot begin so any more, and not at its end.
            if not begins.startswith(bytes(self.unread[: len(begins)])):
                raise _Broken("not an HTTP answer")
            if seen > self._left:
                raise _Broken("too long")
            self._fill()
        self._spend(end + 1)
        line = bytes(self.unread[:end])
        del self.unread[: end + 1]
        return line.removesuffix(b"\r")

    def _drop_chunks(self) -> bool:
        """Reads and drops a body in chunks. False: a chunk is longer than it says, or than may be read.

        Raises _Broken, and the errors of `read`.
        """
        while size := self._chunk_size():
            if not self._skip(size) or self._line():
                return False
        while self._line():  # fields behind the last chunk
            pass
        return True

    def _chunk_size(self) -> int:
        found = _CHUNK.fullmatch(self._line())
        if found is None:
            raise _Broken("not a chunk")
        return int(found[1], 16)

    def _skip(self, count: int) -> bool:
        """Drops so many bytes. False: that is more than may be read, and none is dropped."""
        if count > self._left:
            return False
        self._spend(count)
        while len(self.unread) < count:
            self._fill()
        del self.unread[:count]
        return True

    def _fill(self) -> None:
        more = self.read()
        if not more:
            raise _Ended("the connection was closed")
        self.unread += more

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _Broken("too long")


class _Ended(_Broken, EOFError):
    """The other side has closed the connection."""


def _head(status: int, minor: int, lines: list[bytes], is_whole: bool) -> Head:
    """The head of an answer of HTTP/1.`minor`. `is_whole`: the end of its `lines` has come.

    Raises _Broken for a Content-Length that cannot be read; any other odd line only spends the connection.
    """
    fields, is_well_formed = _fields(lines)
    codings = ",".join(value for name, value in fields if name == "transfer-encoding").lower()
    chunked = codings.rpartition(",")[2].strip() == "chunked"
    length = 0 if status in _WITHOUT_BODY else None
    if length is None and not codings:
        length = _length(fields)
    wishes = {wish.strip() for name, value in fields if name == "connection" for wish in value.lower().split(",")}
    may_keep = is_whole and is_well_formed and minor >= 1 and "close" not in wishes and status != _SWITCHING_PROTOCOLS
    if codings and any(name == "content-length" for name, _ in fields):  # one of the two is a lie (RFC 9112, 6.3)
        may_keep = False
    return Head(status, fields, may_keep, length, chunked and status not in _WITHOUT_BODY)


def _fields(lines: list[bytes]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """The header fields, names in lower case, and whether every line was one.

    A line that begins with a space continues the one before.
    """
    found: list[tuple[str, str]] = []
    is_well_formed = True
    for line in lines:
        name, colon, value = line.partition(b":")
        if line[:1] in b" \t" and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip().decode('latin-1')}")
        elif colon and _TOKEN.fullmatch(name):
            found.append((name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")))
        else:
            is_well_formed = False
    return tuple(found), is_well_formed


def _length(fields: tuple[tuple[str, str], ...]) -> int | None:
    """The length that the answer states; None if it states none. Raises _Broken for what is no length, or two."""
    stated = {part.strip() for name, value in fields if name == "content-length" for part in value.split(",")}
    if not stated:
        return None
    text = stated.pop()
    if stated or not (text.isascii() and text.isdigit()):
        raise _Broken("its length cannot be read")
    return int(text[:18])  # a longer one is far too long in any case
