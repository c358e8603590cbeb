"""Excel workbooks, read row by row with the XML parser of the standard library, whatever their size."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from jobscam.errors import InputError
from jobscam.io.cells import header_notes
from jobscam.io.opened import open_file
from jobscam.io.source import RECORD_LIMIT
from jobscam.io.table import Row
from jobscam.io.workbook import Sheet, Workbook, shown_number, unescaped
from jobscam.io.xml import Pieces, XmlError
from jobscam.posting import field_of
from jobscam.values import Reject

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
_FAULTS = (XmlError, OSError, KeyError, ValueError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile)
_REFERENCE = re.compile("([A-Z]{1,3})[0-9]*")
_SAMPLE = 50
_OLD = b"\xd0\xcf\x11\xe0"

_Cells = dict[int, str]


class _Sheet:
    """Handles the XML of a sheet; finished rows gather in `rows`, as number, cells by column, and whether they are whole."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._texts = book.texts()
        self._columns: dict[str, int] = {}
        self.rows: list[tuple[int, _Cells, bool]] = []
        self.counts: Counter[str] = Counter()
        self._number = 0
        self._cells: _Cells = {}
        self._size = 0
        self._column = -1
        self._kind = self._style = ""
        self._parts: list[str] = []
        self._inside = self._aside = self._formula = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._column = self._column_of(attributes.get("r", ""))
            self._parts = []
            self._formula = False
        elif tag in ("v", "t"):
            self._inside = not self._aside
        elif tag == "rPh":
            self._aside = True
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self._cells, self._size, self._column = {}, 0, -1
        elif tag == "mergeCell":
            self.counts["merged"] += 1

    def text(self, data: str) -> None:
        if self._inside:
            self._size += len(data)
            if self._size <= RECORD_LIMIT:
                self._parts.append(data)

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self._inside = False
        elif tag == "rPh":
            self._aside = False
        elif tag == "c":
            value = self._value("".join(self._parts))
            if value:
                self._cells[self._column] = value
        elif tag == "row":
            self.rows.append((self._number, self._cells, self._size <= RECORD_LIMIT))
            self._cells = {}

    def close(self) -> None:
        self._texts.close()

    def _column_of(self, reference: str) -> int:
        if not reference:
            column = self._column + 1
        else:
            found = _REFERENCE.fullmatch(reference)
            if found is None:
                raise XmlError(f"a cell without a place: {reference[:20]}")
            column = self._columns.get(found[1], -1)
            if column < 0:
                for letter in found[1]:
                    column = (column + 1) * 26 + ord(letter) - ord("A")
                self._columns[found[1]] = column
        if column >= MOST_COLUMNS:
            raise XmlError(f"more than {MOST_COLUMNS} columns")
        return column

    def _value(self, written: str) -> str:
        if self._size > RECORD_LIMIT:
            return ""
        if not written:
            self.counts["formulas"] += self._formula
            return ""
        if self._kind == "s":
            text = self._texts.get(int(written), RECORD_LIMIT)
            self._size += len(text)
            return text if self._size <= RECORD_LIMIT else ""
        if self._kind == "n":
            style = int(self._style or 0)
            meaning = self._book.styles[style] if 0 <= style < len(self._book.styles) else ""
            return shown_number(written, meaning, self._book.from_1904)
        if self._kind == "b":
            return "true" if written.strip() in ("1", "true") else "false"
        if self._kind == "e":
            self.counts["errors"] += 1
            return ""
        if self._kind == "d":
            return written.removesuffix("T00:00:00").replace("T", " ")
        return unescaped(written)


class XlsxReader:
    """Streams the first visible sheet of a workbook.

    Titles above the header (a single cell that names no column) are passed over. Numbers become text as a person would
    write them, dates as ``2024-01-31``; formulas are read as the value that was stored with them.

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
        If there is no such file, or it is no workbook, damaged, or without rows.
    """

    def __init__(self, path: str | Path, stream: IO[bytes] | None = None) -> None:
        self.name = "standard input" if str(path) == "-" else str(path)
        self._file: Any = stream or open_file(path)
        self.size = None if stream else Path(path).stat().st_size
        self._line = 0
        self._titles: list[int] = []
        self._handler: _Sheet | None = None
        self._counts: Counter[str] = Counter()
        try:
            self._begin()
        except InputError:
            self.close()
            raise
        except _FAULTS as error:
            self.close()
            raise self._damaged(error) from None

    def _begin(self) -> None:
        self._file.seek(0)
        if self._file.read(4) == _OLD:
            raise InputError(f"{self.name} is an Excel workbook of the old kind, or one with a password: save it as .xlsx or CSV")
        book = Workbook(self._file)
        if not book.sheets:
            raise InputError(f"{self.name} holds no sheet with rows")
        self._sheet: Sheet = next((sheet for sheet in book.sheets if sheet.visible), book.sheets[0])
        self._others = [sheet.name for sheet in book.sheets if sheet is not self._sheet]
        self._handler = _Sheet(book)
        self._pieces = Pieces(book.open(self._sheet.part), self._handler.start, self._handler.end, self._handler.text)
        rows = self._rows(self._handler)
        sample = list(islice(rows, _SAMPLE))
        while len(sample) > 1 and _is_title(sample[0][1], sample[1][1]):
            self._titles.append(sample.pop(0)[0])
        if not sample:
            raise InputError(f"{self.name}, sheet '{self._sheet.name}' is empty; it needs a header and rows")
        self._line, names, whole = sample[0]
        if not whole:
            raise InputError(f"{self.name}: its header is longer than {RECORD_LIMIT >> 20} MiB; is it a table?")
        # Columns without a name are columns all the same, if the first rows fill them; a stray cell makes none.
        filled = Counter(column for _, cells, _ in sample[1:] for column in cells)
        width = 1 + max((column for column in filled if 2 * filled[column] >= len(sample) - 1), default=0)
        width = max(width, 1 + max(names, default=0))
        self.header = [names.get(column, "") for column in range(width)]
        self._waiting = chain(sample[1:], rows)

    def _rows(self, handler: _Sheet) -> Iterator[tuple[int, _Cells, bool]]:
        more = True
        while more:
            more = self._pieces.next()
            rows, handler.rows = handler.rows, []
            for row in rows:
                if row[2] and not any(cell.strip() for cell in row[1].values()):
                    self._counts["blank"] += 1
                else:
                    yield row

    def _damaged(self, error: Exception) -> InputError:
        where = f", after row {self._line}" if self._line else ""
        said = str(error.args[0] if isinstance(error, KeyError) and error.args else error)[:200]
        return InputError(f"{self.name}{where}: cannot be read as an Excel workbook ({said}); get a complete copy")

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._file.tell() if not self._file.closed else self.size or 0

    @property
    def notes(self) -> list[str]:
        """What was found and done about it; complete once all rows were read."""
        said = [f"sheet: {self._sheet.name}"]
        if self._others:
            said.append(f"other sheets, not read: {', '.join(self._others)}")
        if self._titles:
            said.append(f"titles above the header, passed over: row {', '.join(map(str, self._titles))}")
        counts = self._counts + (self._handler.counts if self._handler else Counter())
        words = {
            "blank": "blank rows skipped",
            "errors": "cells with an error such as #N/A, read as empty",
            "formulas": "formulas without a stored value, read as empty",
            "merged": "merged cells, of which the first holds the text",
        }
        return said + header_notes(self.header) + [f"{text}: {counts[key]}" for key, text in words.items() if counts[key]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._handler is not None:
            self._handler.close()
        self._file.close()

    def __iter__(self) -> Iterator[Row | Reject]:
        width = len(self.header)
        while True:
            try:
                row = next(self._waiting, None)
            except _FAULTS as error:
                raise self._damaged(error) from None
            if row is None:
                return
            self._line, cells, whole = row
            texts = [cells.get(column, "") for column in range(max(width, 1 + max(cells, default=0)))]
            if not whole:
                raw = "\t".join(texts)[:100_000]
                yield Reject(self._line, f"longer than {RECORD_LIMIT >> 20} MiB; only its start is kept here", raw)
            elif any(text.strip() for text in texts[width:]):
                yield Reject(self._line, f"{len(texts)} cells where the header has {width}", "\t".join(texts))
            else:
                yield Row(self._line, texts[:width])


def _is_title(first: _Cells, second: _Cells) -> bool:
    return len(first) == 1 and len(second) > 1 and field_of(next(iter(first.values()))) is None
