"""A file that is only ever appended to, and of which each whole record can be read again whatever happened to its end."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from jobscam.io.place import sync

_MAGIC = b"jobscam journal 1\n"
_HEAD = struct.Struct("<III")
_SYNC_SECONDS = 10.0
"""What a power cut may cost. A record reaches the system at once, so that a killed process loses none; to have it reach
the disk takes milliseconds, which is too much for every record and nothing every ten seconds."""


class Record(NamedTuple):
    """One record: how many rows it tells of (0 for the first, which describes the run), and what it holds."""

    rows: int
    data: bytes


class Journal:
    """Appends records to a new file, or to what is sound of an old one.

    Parameters
    ----------
    path : Path
    end : int, optional
        Where the last whole record of an old file ends; what stands behind it is cut off. None begins anew.

    Attributes
    ----------
    rows : int
        Rows that were appended.
    """

    def __init__(self, path: Path, end: int | None = None) -> None:
        self.path = path
        self.rows = 0
        self._file = FileIO(path, "r+" if end is not None else "w")
        self._synced = time.monotonic()
        self._unnamed = True
        if end is None:
            self._write(_MAGIC)
        else:
            self._file.truncate(end)
            self._file.seek(end)

    def append(self, data: bytes, rows: int = 0) -> None:
        """Append a record.

        Raises
        ------
        OSError
            If the disk is full. The part that was written counts for nothing when the file is read.
        """
        checked = zlib.crc32(data, zlib.crc32(struct.pack("<I", rows)))
        self._write(_HEAD.pack(len(data), rows, checked) + data)
        self.rows += rows
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._file.fileno())
            if self._unnamed:
                sync(self.path.parent)
                sync(self.path.parent.parent)
                self._unnamed = False
            self._synced = time.monotonic()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


class Reading:
    """The whole records of a journal, from its start to the first that is torn or damaged.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    end : int
        Where the last record that was given ended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = 0

    def __iter__(self) -> Iterator[Record]:
        self.end = 0
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            left = os.fstat(file.fileno()).st_size - len(_MAGIC)
            if file.read(len(_MAGIC)) != _MAGIC:
                return
            self.end = len(_MAGIC)
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                size, rows, checked = _HEAD.unpack(head)
                left -= _HEAD.size
                # A torn head may promise gigabytes.
                if size > left:
                    return
                data = file.read(size)
                if zlib.crc32(data, zlib.crc32(struct.pack("<I", rows))) != checked:
                    return
                left -= size
                self.end += _HEAD.size + size
                yield Record(rows, data)
