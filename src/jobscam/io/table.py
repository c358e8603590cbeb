"""What every file format gives and takes: rows with their line, rejects, and the two protocols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from jobscam.values import Reject


class Row(NamedTuple):
    """One record of a table.

    Attributes
    ----------
    line : int
        Where the record starts: the physical line of a text file, the row of a sheet, the number of a row of Parquet, each
        counted from 1. In a table of several files the number of the row in all of them.
    cells : list of str
        As many as the header has.
    place : str
        File and line, in a table of several files.
    """

    line: int
    cells: list[str]
    place: str = ""


class TableReader(Protocol):
    """Rows of a table, one after the other, with those that cannot be read among them as rejects."""

    name: str
    header: list[str]

    @property
    def notes(self) -> list[str]:
        """What was found and done about it, as sentences; complete once all rows were read."""

    @property
    def position(self) -> int:
        """Bytes of the file that were read so far."""

    @property
    def size(self) -> int | None:
        """Bytes of the file, None if it cannot be known."""

    def __iter__(self) -> Iterator[Row | Reject]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class TableWriter(Protocol):
    """Takes rows; the file appears under its name only when the ``with`` block ended well."""

    @property
    def notes(self) -> Sequence[str]:
        """What the format could not hold and was changed, as sentences; complete once all rows were written."""

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record as it will stand in the file."""

    def write(self, cells: Sequence[str]) -> None:
        """Append a record."""

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
