"""From a file name to numbered physical lines: decompression, encoding and line ends."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from jobscam.errors import InputError

RECORD_LIMIT = 32 * 1024 * 1024
"""Characters of one record; memory is bounded by it."""
_HEAD = 64 * 1024
_KEPT = 100_000
# Lone surrogates never come out of a decoder other than as the escapes below, so they are free to mark a carriage
# return that belongs to a cell.
_CR = "\udc0d"
_ESCAPED = re.compile("[\udc80-\udcff]")
# Possessive, and begun only where a run begins: each is linear in the length of the text.
_LONE_CR = re.compile(r"(?<!\r)\r++(?!\n|\Z)")
_HEADER_END = re.compile(r'\s*+(?:[^"\r\n]|"[^"]*")++(\r++\n?|\n)')
_ANY_END = re.compile(r"(\r++\n?|\n)")
_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_FOREIGN = (
    (b"PK\x03\x04", "an Excel workbook or zip archive: open it and save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: open it and save it as CSV (UTF-8)"),
    (b"PAR1", "a Parquet file: convert it to CSV"),
    (b"%PDF", "a PDF: save its table as CSV"),
)


class Line(NamedTuple):
    """A physical line with its end; `cut` if it was longer than a record may be and only its start is kept."""

    number: int
    text: str
    cut: bool = False


def _detect(head: bytes) -> str:
    """Encoding of a text by its first bytes."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Latin letters in UTF-16 have a zero as every other byte. The first two characters, part of a header, must
    # show it, so that zeros inside the cells of a UTF-8 file are never taken for it.
    even, odd = head[0 : len(head) // 2 * 2 : 2], head[1::2]
    if len(odd) > 1:
        for low, high, name in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
            zeros = high.count(0) > 0.3 * len(high) and low.count(0) < 0.05 * len(low)
            if zeros and high[:2] == b"\0\0" and b"\0" not in low[:2]:
                return name
    return "utf-8"


def decode(data: bytes) -> str:
    """A whole text, with the same leniency as a table."""
    encoding = _detect(data[:_HEAD])
    if encoding.startswith("utf-16"):
        return data.decode(encoding, "replace")
    return data.decode(encoding, "surrogateescape").translate(_WINDOWS)


class _Counting(io.RawIOBase):
    """Passes bytes on and counts them, so that progress is measured on the file, not on what it unpacks to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read1(len(buffer)) if hasattr(self._stream, "read1") else self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Prefixed(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: Any) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._head:
            data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Lines:
    """The physical lines of a text file, numbered, with the possibility to give some back.

    Invalid UTF-8 bytes are read as Windows-1252, byte by byte; bytes that mean nothing there become U+FFFD. A file
    whose header ends in LF or CRLF has lines that end in LF, and a lone CR in it belongs to a cell; any other file is
    split at CR as well.

    Parameters
    ----------
    path : str or Path
        A file, packed by gzip or not, or ``-`` for standard input.

    Attributes
    ----------
    encoding : str
    replaced : int
        Bytes that were not valid in the encoding.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = "standard input" if str(path) == "-" else str(path)
        self.replaced = 0
        self.number = 0
        self.size: int | None = None
        self._back: list[Line] = []
        self._file = self._open(path)
        try:
            self._counter = _Counting(self._file)
            packed: BinaryIO = io.BufferedReader(self._counter, 256 * 1024)
            head = self._read_head(packed)
            if head.startswith(b"\x1f\x8b"):
                unpacked: Any = gzip.GzipFile(fileobj=io.BufferedReader(_Prefixed(head, packed), 256 * 1024))
                head = self._read_head(unpacked)
            else:
                unpacked = packed
            self._refuse_foreign(head)
            self.encoding = _detect(head)
            text = head.decode(self.encoding, "replace")
            ended = _HEADER_END.match(text) or _ANY_END.search(text)
            self._lf = ended is None or ended[1].endswith("\n")
            self._ends = ("\n",) if self._lf else ("\n", "\r")
            self._text = io.TextIOWrapper(
                io.BufferedReader(_Prefixed(head, unpacked), 256 * 1024),
                encoding=self.encoding,
                errors="surrogateescape" if self.encoding.startswith("utf-8") else "replace",
                newline="\n" if self._lf else "",
            )
        except BaseException:
            self.close()
            raise

    def _open(self, path: str | Path) -> Any:
        if str(path) == "-":
            return sys.stdin.buffer
        file = Path(path)
        if file.is_dir():
            raise InputError(f"{file} is a folder; name the file with the ads in it")
        try:
            stream = file.open("rb")
        except FileNotFoundError:
            raise InputError(f"{file} does not exist; check the name, the current folder is {Path.cwd()}") from None
        except OSError as error:
            raise InputError(f"{file} cannot be opened: {error.strerror or error}") from None
        if file.is_file():
            self.size = os.fstat(stream.fileno()).st_size
        return stream

    def _read_head(self, stream: Any) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while size < _HEAD and (part := stream.read(_HEAD - size)):
                parts.append(part)
                size += len(part)
        except (EOFError, OSError, zlib.error) as error:
            raise self._damaged(error) from None
        return b"".join(parts)

    def _refuse_foreign(self, head: bytes) -> None:
        for magic, what in _FOREIGN:
            if head.startswith(magic):
                raise InputError(f"{self.name} is {what}")
        if not head.strip(b"\r\n\t \xef\xbb\xbf\xff\xfe"):
            raise InputError(f"{self.name} is empty; it needs a header line and rows")

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._counter.count

    def next(self) -> Line | None:
        """The next line, or None at the end."""
        if self._back:
            return self._back.pop()
        try:
            text = self._text.readline(RECORD_LIMIT + 1)
            if not text:
                return None
            self.number += 1
            cut = len(text) > RECORD_LIMIT and not text.endswith(self._ends)
            if cut:
                while (part := self._text.readline(RECORD_LIMIT)) and not part.endswith(self._ends):
                    pass
                text = text[:_KEPT]
        except (EOFError, OSError, zlib.error) as error:
            raise self._damaged(error) from None
        if not text.isascii():
            text = self._mend(text)
        if self._lf and "\r" in text:
            text = _LONE_CR.sub(lambda run: _CR * len(run[0]), text)
        return Line(self.number, text, cut)

    def _mend(self, text: str) -> str:
        if self.encoding.startswith("utf-16"):
            self.replaced += text.count("\ufffd")
            return text
        found = len(_ESCAPED.findall(text))
        if found:
            self.replaced += found
            text = text.translate(_WINDOWS)
        return text

    def give_back(self, lines: Iterable[Line]) -> None:
        """Have these lines come next again."""
        self._back.extend(reversed(list(lines)))

    def _damaged(self, error: BaseException) -> InputError:
        return InputError(f"{self.name}, after line {self.number}: the file is damaged or cut off ({error}); get a complete copy")

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._file is not sys.stdin.buffer:
            self._file.close()


def restore(cells: list[str]) -> list[str]:
    """Cells with the carriage returns that were set aside for the parser."""
    return [cell.replace(_CR, "\r") for cell in cells]
