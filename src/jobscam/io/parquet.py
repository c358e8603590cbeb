"""Parquet, a batch of rows at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from jobscam.errors import InputError
from jobscam.io.cells import NUMBERS, CellError, as_number, bytes_text, distinct, header_notes, text_of
from jobscam.io.opened import open_file
from jobscam.io.packed import pyarrow
from jobscam.io.source import RECORD_LIMIT
from jobscam.io.table import Row
from jobscam.io.target import Target
from jobscam.values import Reject

_BATCH = 256
_GROUP_ROWS, _GROUP_SIZE = 50_000, 16 * 1024 * 1024


class _Unreadable(str):
    """In place of a cell: why it cannot be read."""


class ParquetReader:
    """Streams a Parquet file; memory holds what a batch of rows unpacks to.

    Parameters
    ----------
    path : str or Path
    stream : binary file, optional
        Its content, where that is not in the file system.

    Attributes
    ----------
    header : list of str

    Raises
    ------
    InputError
        If there is no such file, it is no Parquet file, or pyarrow is missing.
    """

    def __init__(self, path: str | Path, stream: IO[bytes] | None = None) -> None:
        self.name = "standard input" if str(path) == "-" else str(path)
        pyarrow(self.name)
        import pyarrow.parquet as pq

        self._file = stream or open_file(path)
        self._rows = 0
        self._counts: Counter[str] = Counter()
        try:
            self._table = pq.ParquetFile(self._file, pre_buffer=False)
            self.header = list(map(str, self._table.schema_arrow.names))
        except Exception as error:
            self._file.close()
            raise self._damaged(error) from None
        if not self.header:
            self._file.close()
            raise InputError(f"{self.name} has no columns")

    def _damaged(self, error: Exception) -> InputError:
        # The library reports damage in a dozen ways, of OSError, ValueError and NotImplementedError among others.
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        where = f", after row {self._rows}" if self._rows else ""
        return InputError(f"{self.name}{where}: cannot be read as Parquet ({said}); get a complete copy")

    @property
    def position(self) -> int:
        """Share of the rows read so far, as bytes of the file."""
        total: int = self._table.metadata.num_rows
        return (self.size or 0) * self._rows // total if total > 0 else 0

    @property
    def size(self) -> int | None:
        """Bytes of the file, None for a stream."""
        return Path(self.name).stat().st_size if Path(self.name).is_file() else None

    @property
    def notes(self) -> list[str]:
        """What was found and done about it; complete once all rows were read."""
        bad = self._counts["bytes"]
        return [*header_notes(self.header), *([f"cells that are not UTF-8, read as Windows-1252: {bad}"] if bad else [])]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._table.close(force=True)
        self._file.close()

    def __iter__(self) -> Iterator[Row | Reject]:
        batches = self._table.iter_batches(batch_size=_BATCH)
        while True:
            try:
                batch = next(batches, None)
            except Exception as error:
                raise self._damaged(error) from None
            if batch is None:
                return
            columns = [self._texts(batch.column(i)) for i in range(batch.num_columns)]
            for cells in zip(*columns, strict=True):
                self._rows += 1
                yield self._row(list(cells))

    def _row(self, cells: list[str]) -> Row | Reject:
        for name, cell in zip(self.header, cells, strict=True):
            if isinstance(cell, _Unreadable):
                return Reject(self._rows, f"column '{name}': {cell}", json.dumps(cells, ensure_ascii=False))
        if sum(map(len, cells)) > RECORD_LIMIT:
            return Reject(
                self._rows, f"longer than {RECORD_LIMIT >> 20} MiB; only its start is kept here", max(cells, key=len)[:100_000]
            )
        return Row(self._rows, cells)

    def _texts(self, column: Any) -> list[str]:
        """Cells of a column of a batch."""
        try:
            return [text_of(value) for value in column.to_pylist()]
        except (ValueError, OverflowError, RecursionError):
            return [self._text(value) for value in column]

    def _text(self, scalar: Any) -> str:
        """A cell of a column in which not all cells can be read."""
        try:
            return text_of(scalar.as_py())
        except UnicodeDecodeError:
            if not hasattr(scalar, "as_buffer"):
                return _Unreadable("nested text that is not UTF-8")
            self._counts["bytes"] += 1
            return bytes_text(scalar.as_buffer().to_pybytes())
        except CellError as error:
            return _Unreadable(str(error))
        except (ValueError, OverflowError, RecursionError):
            return _Unreadable(f"a {scalar.type} that is out of range")


class ParquetWriter:
    """Writes text columns, and numbers where `numbers` says so, a row group at a time; empty cells are null.

    Parameters
    ----------
    path : str or Path
    numbers : collection of str
        Columns that are numbers.

    Raises
    ------
    InputError
        If nothing can be written there, or pyarrow is missing.
    """

    notes: Sequence[str] = ()

    def __init__(self, path: str | Path, *, numbers: frozenset[str] = NUMBERS) -> None:
        self._pa = pyarrow(str(path))
        self._numbers = numbers
        self._names: list[str] = []
        self._rows: list[list[str]] = []
        self._size = self._written = 0
        self._out: Any = None
        self._target = Target(path, self._finish)

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record, to be handed to :meth:`write_encoded`."""
        return json.dumps(list(cells)).encode()

    def write(self, cells: Sequence[str]) -> None:
        """Append a record; the first one is the header."""
        if self._out is None:
            self._begin(cells)
            return
        self._rows.append(list(cells))
        self._size += sum(map(len, cells))
        if len(self._rows) >= _GROUP_ROWS or self._size > _GROUP_SIZE:
            self._flush()

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""
        self.write(json.loads(record))

    def _begin(self, header: Sequence[str]) -> None:
        import pyarrow.parquet as pq

        pa = self._pa
        self._names = list(header)
        types = [pa.float64() if name in self._numbers else pa.string() for name in header]
        names = [_utf8(name) for name in distinct(header)]
        self._schema = pa.schema(list(zip(names, types, strict=True)))
        self._out = pq.ParquetWriter(pa.PythonFile(self._target.stream, mode="w"), self._schema, compression="zstd")

    def _flush(self) -> None:
        columns = []
        for at, (name, field) in enumerate(zip(self._names, self._schema, strict=True)):
            cells = [row[at] for row in self._rows]
            if name in self._numbers:
                columns.append(self._pa.array(self._floats(name, cells), field.type))
            else:
                columns.append(self._pa.array([_utf8(cell) if cell else None for cell in cells], field.type))
        self._out.write_table(self._pa.Table.from_arrays(columns, schema=self._schema))
        self._written += len(self._rows)
        self._rows, self._size = [], 0

    def _floats(self, name: str, cells: Sequence[str]) -> list[float | None]:
        values = [as_number(cell) for cell in cells]
        for number, (value, cell) in enumerate(zip(values, cells, strict=True), self._written + 1):
            if value is None and cell.strip():
                raise InputError(
                    f"column {name} of a Parquet file holds numbers, but row {number} of the output has '{cell[:40]}' there; "
                    "mend that cell of the input, or write CSV, JSONL or XLSX"
                )
        return values

    def _finish(self) -> None:
        if self._out is None:
            return
        if self._rows:
            self._flush()
        self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._target.__exit__(kind, error, trace)
        finally:
            if self._out is not None:
                # If it was not completed, it would write its end when it is forgotten, into a file that is closed by then.
                self._out.is_open = False


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
