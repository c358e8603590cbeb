"""Files in and out: one reader and one writer a format.

A new format is a module with a :class:`~jobscam.io.table.TableReader` and a :class:`~jobscam.io.table.TableWriter`,
and its line in ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jobscam.errors import InputError
from jobscam.io.csv import CsvReader, CsvWriter
from jobscam.io.table import Row, TableReader, TableWriter


class Format(NamedTuple):
    """How files of one suffix are read and written."""

    reader: Callable[[str | Path], TableReader]
    writer: Callable[[str | Path], TableWriter]


_COMMA = Format(CsvReader, CsvWriter)
_TAB = Format(CsvReader, partial(CsvWriter, separator="\t"))
# Packed and plain files share a reader that goes by content. `.txt` is what spreadsheets call tab-separated text.
FORMATS: dict[str, Format] = {
    ".csv": _COMMA,
    ".csv.gz": _COMMA,
    ".tsv": _TAB,
    ".tsv.gz": _TAB,
    ".txt": _TAB,
    ".txt.gz": _TAB,
}


def format_of(path: str | Path) -> Format:
    """Format of a file by its suffix; standard streams and names without one are CSV.

    Raises
    ------
    InputError
        Naming the suffixes that are known.
    """
    name = Path(path).name.lower()
    for suffix, found in FORMATS.items():
        if name.endswith(suffix):
            return found
    if str(path) == "-" or "." not in name.removesuffix(".gz"):
        return _COMMA
    raise InputError(f"{path}: files of this kind are not known. Use one of {', '.join(FORMATS)}, or - for a stream of CSV.")


def open_table(path: str | Path) -> TableReader:
    """Open a table to read, ``-`` for standard input."""
    return format_of(path).reader(path)


def refuse_overwrite(source: str | Path, target: str | Path) -> None:
    """Refuse to write over the input.

    Raises
    ------
    InputError
        If source and target are one file.
    """
    paths = [Path(source), Path(target)]
    if "-" not in map(str, paths) and all(path.exists() for path in paths) and paths[0].samefile(paths[1]):
        raise InputError(f"{target} is the input itself; name another file to write to")


def create_table(path: str | Path) -> TableWriter:
    """Open a table to write, ``-`` for standard output."""
    return format_of(path).writer(path)


__all__ = [
    "FORMATS",
    "Format",
    "Row",
    "TableReader",
    "TableWriter",
    "create_table",
    "format_of",
    "open_table",
    "refuse_overwrite",
]
