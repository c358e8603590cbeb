"""From a file name, or standard input, to unpacked bytes."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO

from jobscam.errors import InputError
from jobscam.io.packed import is_zip, open_member, unpack

HEAD = 64 * 1024
_IN_MEMORY = 32 * 1024 * 1024
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind, or one with a password: save it as .xlsx or CSV (UTF-8)"),
    (b"PAR1", "a Parquet file: give it the suffix .parquet"),
    (b"%PDF", "a PDF: save its table as CSV"),
)


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to read.

    Raises
    ------
    InputError
        If there is none, or it is a folder or cannot be opened.
    """
    file = Path(path)
    if file.is_dir():
        raise InputError(f"{file} is a folder; name the file with the ads in it")
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise InputError(f"{file} does not exist; check the name, the current folder is {Path.cwd()}") from None
    except OSError as error:
        raise InputError(f"{file} cannot be opened: {error.strerror or error}") from None


def spooled(stream: Any) -> IO[bytes]:
    """All that is left of a stream, on disk if it is long, so that it can be read more than once."""
    # Closed by whoever reads it.
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    while part := stream.read(1 << 20):
        file.write(part)
    file.seek(0)
    return file


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


def _prefixed(head: bytes, stream: Any) -> BinaryIO:
    return io.BufferedReader(_Prefixed(head, stream), 256 * 1024)


class Opened:
    """A text file, packed or not, or standard input, with its first bytes at hand.

    Parameters
    ----------
    path : str or Path
        ``-`` for standard input.
    again : binary stream, optional
        What standard input held, where that is kept.

    Attributes
    ----------
    name : str
        For messages.
    member : str
        Name of the table in an archive, else the path.
    head : bytes
        At most `HEAD` bytes, unpacked.
    stream : binary stream
        All unpacked bytes, those of `head` as well.
    size : int or None
        Bytes of the file, None for a stream.

    Raises
    ------
    InputError
        If it cannot be opened or unpacked, is of another kind, or empty.
    """

    def __init__(self, path: str | Path, again: IO[bytes] | None = None) -> None:
        self.path = path
        self.name = "standard input" if str(path) == "-" else str(path)
        self.member = str(path)
        self.size: int | None = None
        self._file: Any = again or (sys.stdin.buffer if str(path) == "-" else open_file(path))
        self._kept = again
        try:
            if str(path) != "-" and Path(path).is_file():
                self.size = os.fstat(self._file.fileno()).st_size
            counter = _Counting(self._file)
            self._counter = counter
            packed: Any = io.BufferedReader(counter, 256 * 1024)
            head = self._read_head(packed)
            if is_zip(head):
                unpacked, self.member = open_member(self._seekable(head, packed), self.name)
            else:
                unpacked = unpack(_prefixed(head, packed), head, self.name)
            self.head = self._read_head(unpacked)
            self._refuse_foreign()
            self.stream = _prefixed(self.head, unpacked)
        except BaseException:
            self.close()
            raise

    def _seekable(self, head: bytes, rest: Any) -> IO[bytes]:
        """The archive, for which one must be able to go to its end first."""
        if self.size is None and self._kept is None:
            self._keep(_prefixed(head, rest))
        self._file.seek(0)
        file: IO[bytes] = self._file
        return file

    def _read_head(self, stream: Any) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while size < HEAD and (part := stream.read(HEAD - size)):
                parts.append(part)
                size += len(part)
        except OSError as error:
            raise InputError(f"{self.name}: the file is damaged or cut off ({error}); get a complete copy") from None
        return b"".join(parts)

    def _refuse_foreign(self) -> None:
        for magic, what in _FOREIGN:
            if self.head.startswith(magic):
                raise InputError(f"{self.name} is {what}")
        if not self.head.strip(b"\r\n\t \xef\xbb\xbf\xff\xfe"):
            raise InputError(f"{self.name} is empty; it needs a header line and rows")

    def keep(self) -> None:
        """Have the content at hand twice: standard input, or a pipe, is kept on disk."""
        if self.size is None and self._kept is None:
            self.stream = _prefixed(b"", self._keep(self.stream))

    def _keep(self, stream: Any) -> IO[bytes]:
        kept = spooled(stream)
        self.close()
        self._file = self._kept = kept
        return kept

    def again(self) -> Opened:
        """The same from the start; this one is closed. Needs :meth:`keep` to have been called before anything was read."""
        if self._kept is None:
            self.close()
            return Opened(self.path)
        self._kept.seek(0)
        return Opened(self.path, self._kept)

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        if self.size is not None and self._counter.count < self.size:
            # An archive is read past the counter, and from its end.
            return max(self._counter.count, min(self._file.tell(), self.size)) if not self._file.closed else self.size
        return self._counter.count

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self._file is not sys.stdin.buffer:
            self._file.close()
