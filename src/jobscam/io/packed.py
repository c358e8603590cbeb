"""Packed bytes: gzip, Zstandard and zip archives of one table, to read by content and to write by suffix."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from jobscam.errors import InputError

PACKS = (".gz", ".zst", ".zip")
TEXTS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")
"""Suffixes of the tables that may lie in an archive."""
GZIP, ZSTD, ZIP, ZIP_EMPTY = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06"
_FAULTS = (EOFError, OSError, ValueError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile)
_SHOWN = 10
_WORKBOOK = "xl/workbook.xml"


def pyarrow(path: str) -> Any:
    """The library that reads and writes Parquet and Zstandard.

    Raises
    ------
    InputError
        Telling how to install it.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise InputError(f"{path}: this kind of file needs pyarrow; install it with: pip install 'jobscam[formats]'") from None
    return pa


def bare(name: str) -> str:
    """A file name without the suffix of its pack.

    Examples
    --------
    >>> bare("ads.csv.gz"), bare("ads.zip"), bare("ads.csv")
    ('ads.csv', 'ads', 'ads.csv')
    """
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in PACKS else name


class Unpacked(io.RawIOBase):
    """What comes out of a packed stream; whatever is wrong with it becomes an OSError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        try:
            data = self._stream.read(len(buffer))
        except _FAULTS as error:
            raise OSError(str(error) or type(error).__name__) from None
        buffer[: len(data)] = data
        return len(data)


def unpack(stream: BinaryIO, head: bytes, name: str) -> BinaryIO:
    """A stream unpacked according to its first bytes; itself if it is not packed by gzip or Zstandard."""
    if head.startswith(GZIP):
        return io.BufferedReader(Unpacked(gzip.GzipFile(fileobj=stream)), 256 * 1024)
    if head.startswith(ZSTD):
        pa = pyarrow(name)
        unpacked = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
        return io.BufferedReader(Unpacked(unpacked), 256 * 1024)
    return stream


def is_zip(head: bytes) -> bool:
    """Whether these first bytes are those of a zip archive."""
    return head.startswith((ZIP, ZIP_EMPTY))


def is_workbook(file: IO[bytes]) -> bool:
    """Whether an archive is an Excel workbook."""
    try:
        return _WORKBOOK in zipfile.ZipFile(file).namelist()
    except _FAULTS:
        return False


def open_member(file: IO[bytes], name: str) -> tuple[BinaryIO, str]:
    """The one table in an archive, and its name.

    Raises
    ------
    InputError
        If there is none, or more than one, or it cannot be unpacked.
    """
    try:
        archive = zipfile.ZipFile(file)
    except _FAULTS as error:
        raise InputError(f"{name}: the archive is damaged or cut off ({error}); get a complete copy") from None
    entries = [e for e in archive.infolist() if not e.is_dir()]
    if any(e.filename == _WORKBOOK for e in entries):
        raise InputError(f"{name} is an Excel workbook; give it the suffix .xlsx")
    visible = [e for e in entries if not PurePosixPath(e.filename).name.startswith(".") and "__MACOSX/" not in e.filename]
    tables = [e for e in visible if PurePosixPath(e.filename).suffix.lower() in TEXTS]
    if len(tables) != 1:
        found = [e.filename for e in tables or visible]
        said = ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
        if tables:
            raise InputError(f"{name} holds {len(tables)} tables: {said}. Unpack it and name one of them, or their folder")
        raise InputError(f"{name} holds no table ({', '.join(TEXTS)}), but: {said or 'nothing'}. Unpack it first")
    try:
        member = archive.open(tables[0])
    except _FAULTS as error:
        raise InputError(f"{name}: {tables[0].filename} cannot be unpacked ({error}); unpack it by hand") from None
    return io.BufferedReader(Unpacked(member), 256 * 1024), tables[0].filename


class Packer:
    """Packs what is written according to the suffix of a name, to the same bytes whenever it runs.

    Parameters
    ----------
    raw : binary stream
    name : str
    """

    def __init__(self, raw: BinaryIO, name: str) -> None:
        suffix = Path(name).suffix.lower()
        self._archive: zipfile.ZipFile | None = None
        self.stream: Any = raw
        if suffix == ".gz":
            self.stream = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6)
        elif suffix == ".zst":
            pa = pyarrow(name)
            self.stream = pa.CompressedOutputStream(pa.PythonFile(_Kept(raw), mode="w"), "zstd")
        elif suffix == ".zip":
            inner = bare(name)
            self._archive = zipfile.ZipFile(raw, "w")
            entry = zip_entry(inner if Path(inner).suffix.lower() in TEXTS else f"{inner}.csv")
            self.stream = self._archive.open(entry, "w", force_zip64=True)
        self._raw = raw

    def close(self) -> None:
        """Write what is still held; the stream below stays open."""
        if self.stream is not self._raw:
            self.stream.close()
        if self._archive is not None:
            self._archive.close()


class _Kept(io.RawIOBase):
    """Passes bytes on, and stays open below when it is closed above."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._raw.write(data)


def zip_entry(name: str) -> zipfile.ZipInfo:
    """An entry of an archive that knows no clock and no system."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry
