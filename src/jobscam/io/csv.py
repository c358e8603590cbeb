"""Separated text, as people really send it: one reader that finds out the dialect, one writer that keeps to one."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from jobscam.errors import InputError
from jobscam.io.cells import header_notes
from jobscam.io.inert import is_marked, marked, unmarked
from jobscam.io.opened import Opened
from jobscam.io.quotes import tolerant
from jobscam.io.source import RECORD_LIMIT, Line, Lines, restore
from jobscam.io.table import Row
from jobscam.io.target import Target
from jobscam.values import Reject

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
# A character no decoder yields: with it, the text of a file of one column is never split.
_NO_SEPARATOR = "\udc1f"
_SAMPLE_LINES, _SAMPLE_SIZE = 50, 256 * 1024
_QUOTED = re.compile('"[^"]*+"')
_HINT = re.compile(r'"?sep=(.)"?\s*\Z', re.IGNORECASE)


_OPEN = "a quote opens here that is never closed"
# Cells cost far more memory than their characters do.
_MOST_SEPARATORS = 1_000_000


class _StillOpen(Exception):
    """A quoted cell reached the end of the input, or a record the size it may have; holds the reason of the reject."""


class _Feed:
    """Hands lines to the CSV parser and remembers which ones the current record took."""

    def __init__(self, lines: Lines, separator: str) -> None:
        self._lines = lines
        self._separator = separator
        self._separators = 0
        self._pending: Line | None = None
        self.taken: list[Line] = []
        self._size = 0
        # Lines of a record that failed are read again. What that may cost is bounded: by this credit, to which every
        # new line adds, so that no input makes the work more than linear in its length.
        self._credit = 2 * RECORD_LIMIT

    def begin(self, first: Line) -> None:
        self._pending = first
        self.taken = []
        self._size = 0
        self._separators = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line, self._pending = self._pending, None
        if line is None:
            line = self._lines.next()
            if line is None:
                raise _StillOpen(_OPEN)
            if line.cut or self._size + len(line.text) > min(RECORD_LIMIT, self._credit):
                self._lines.give_back([line])
                raise _StillOpen(_OPEN)
        self.taken.append(line)
        self._size += len(line.text)
        self._separators += line.text.count(self._separator)
        if self._separators > _MOST_SEPARATORS:
            raise _StillOpen(_OPEN if len(self.taken) > 1 else f"more than {_MOST_SEPARATORS} separators in a line")
        return line.text

    def from_start(self) -> Iterator[str]:
        """The lines of the current record again, then further ones."""
        yield from [line.text for line in self.taken]
        while True:
            yield next(self)

    def keep(self, count: int) -> None:
        """End the record after `count` of its lines; the others come again."""
        surplus = self.taken[count:]
        del self.taken[count:]
        self._lines.give_back(surplus)
        kept = sum(len(line.text) for line in self.taken)
        self._credit = min(self._credit + 4 * kept, 2 * RECORD_LIMIT) - sum(len(line.text) for line in surplus)


class CsvReader:
    """Streams a table of separated text; memory does not depend on its length.

    Parameters
    ----------
    path : str, Path or Opened
        File, packed or not, or ``-`` for standard input.

    Attributes
    ----------
    header : list of str
    separator : str
        Found in the header and the first records; empty for a single column.

    Raises
    ------
    InputError
        If there is no such file, or it is empty, damaged, or not text.
    """

    def __init__(self, path: str | Path | Opened) -> None:
        if csv.field_size_limit() < 2 * RECORD_LIMIT:
            csv.field_size_limit(2 * RECORD_LIMIT)
        self._lines = Lines(path)
        self.name = self._lines.name
        self._counts: Counter[str] = Counter()
        try:
            self.separator = self._sniff()
            self._split_at = self.separator or _NO_SEPARATOR
            self._feed = _Feed(self._lines, self._split_at)
            self._parser = csv.reader(self._feed, delimiter=self._split_at, strict=True)
            header = self._read_header()
            self._unmarked: Callable[[str], str] | None = unmarked if is_marked(header) else None
            self.header = list(map(self._unmarked, header)) if self._unmarked else header
        except BaseException:
            self._lines.close()
            raise

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._lines.position

    @property
    def size(self) -> int | None:
        """Bytes of the file, None for a stream."""
        return self._lines.size

    @property
    def notes(self) -> list[str]:
        """What was found and done about it; complete once all rows were read."""
        said = [
            f"separator: {SEPARATORS.get(self.separator, repr(self.separator)) if self.separator else 'none, a single column'}"
        ]
        said += [*self._lines.notes, *header_notes(self.header)]
        words = {
            "blank": "blank lines skipped",
            "short": "rows with too few cells, the missing ones read as empty",
            "trimmed": "rows with surplus empty cells, dropped",
            "quotes": "rows with stray quotes, kept as text",
        }
        return said + [f"{text}: {self._counts[key]}" for key, text in words.items() if self._counts[key]]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()

    def __iter__(self) -> Iterator[Row | Reject]:
        width = len(self.header)
        while (line := self._next_line()) is not None:
            if line.cut:
                yield Reject(line.number, f"longer than {RECORD_LIMIT >> 20} MiB; only its start is kept here", line.text)
                continue
            found = self._record(line, width)
            if isinstance(found, str):
                yield self._reject(found)
                continue
            cells = restore(found)
            if len(cells) > width:
                if any(cell.strip() for cell in cells[width:]):
                    yield self._reject(f"{len(cells)} cells where the header has {width}")
                    continue
                del cells[width:]
                self._counts["trimmed"] += 1
            elif len(cells) < width:
                cells += [""] * (width - len(cells))
                self._counts["short"] += 1
            yield Row(line.number, list(map(self._unmarked, cells)) if self._unmarked else cells)

    def _reject(self, reason: str) -> Reject:
        raw = "".join(line.text for line in self._feed.taken).rstrip("\r\n")
        return Reject(self._feed.taken[0].number, reason, restore([raw])[0])

    def _next_line(self) -> Line | None:
        while (line := self._lines.next()) is not None and not line.text.strip(" \r\n"):
            self._counts["blank"] += 1
        return line

    def _record(self, first: Line, width: int) -> list[str] | str:
        """Cells of the record that starts on `first`, or why there are none."""
        self._feed.begin(first)
        try:
            cells = next(self._parser)
            self._feed.keep(len(self._feed.taken))
            return cells
        except _StillOpen as error:
            self._feed.keep(1)
            return str(error)
        except csv.Error:
            return self._repair(width)

    def _repair(self, width: int) -> list[str] | str:
        """A quote inside a quoted cell: text that was not escaped, or the sign of a cell never closed."""
        one_line = len(self._feed.taken) == 1
        text = self._feed.taken[0].text
        tries = ["here", "lenient", "further"] if text.count('"') % 2 == 0 else ["here", "further", "lenient"]
        for attempt in tries if one_line else ["further"]:
            try:
                if attempt == "further":
                    cells = tolerant(self._feed.from_start(), self._split_at)
                elif attempt == "here":
                    cells = tolerant(_only(text), self._split_at)
                else:
                    cells = next(csv.reader(_only(text), delimiter=self._split_at))
            except (_StillOpen, csv.Error):
                cells = None
            if cells is not None and len(cells) == width:
                self._feed.keep(len(self._feed.taken) if attempt == "further" else 1)
                self._counts["quotes"] += 1
                return cells
        self._feed.keep(1)
        return "quotes do not match" if one_line else _OPEN

    def _read_header(self) -> list[str]:
        line = self._next_line()
        if line is None:
            raise InputError(f"{self.name} is empty; it needs a header line and rows")
        if line.cut:
            raise InputError(f"{self.name}: its first line is longer than {RECORD_LIMIT >> 20} MiB; is it a table?")
        self._counts.clear()
        self._feed.begin(line)
        try:
            cells = next(self._parser)
        except (_StillOpen, csv.Error):
            self._feed.keep(1)
            cells = [cell.strip('" ') for cell in line.text.rstrip("\r\n").split(self._split_at)]
        return restore(cells)

    def _sniff(self) -> str:
        sample: list[Line] = []
        size = 0
        while len(sample) < _SAMPLE_LINES and size < _SAMPLE_SIZE and (line := self._lines.next()) is not None:
            sample.append(line)
            size += len(line.text)
        hint = _HINT.match(sample[0].text) if sample else None
        if hint and hint[1] in SEPARATORS:
            self._lines.give_back(sample[1:])
            return hint[1]
        self._lines.give_back(sample)
        bare = _QUOTED.sub("", "".join(line.text for line in sample))
        records = [text for text in re.split(r"[\r\n]++", bare) if text.strip()]
        if not records:
            return ""
        counts = {s: [text.count(s) for text in records] for s in SEPARATORS if s in records[0]}
        # The header decides; where it holds several, the one that occurs equally often in the rows.
        return max(counts, key=lambda s: (sum(n == counts[s][0] for n in counts[s]), counts[s][0]), default="")


def _only(text: str) -> Iterator[str]:
    yield text
    raise _StillOpen(_OPEN)


class CsvWriter:
    """Writes UTF-8, LF and no more quotes than needed; the file gets its name when it is complete.

    Parameters
    ----------
    path : str or Path
        Target; ``.gz``, ``.zst`` and ``.zip`` pack it, always to the same bytes; ``-`` is standard output.
    separator : str
    raw_cells : bool
        Leave cells that a spreadsheet would run as they are; by default an apostrophe makes them inert, which reading
        takes away again.
    """

    notes: Sequence[str] = ()

    def __init__(self, path: str | Path, separator: str = ",", *, raw_cells: bool = False) -> None:
        self._separator = separator
        self._special = re.compile(f'[{re.escape(separator)}"\r\n]')
        self._other = re.compile('[,;|\t\ufeff"\r\n]')
        self._shown: Callable[[str], str] = str if raw_cells else marked
        self._first = True
        self._target = Target(path)

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record as it will stand in the file."""
        special = self._special
        texts = ['"' + cell.replace('"', '""') + '"' if special.search(cell) else cell for cell in map(self._shown, cells)]
        # A lone cell without a visible character would read back as a blank line.
        if len(texts) == 1 and not texts[0].strip():
            texts = [f'"{texts[0]}"']
        return (self._separator.join(texts) + "\n").encode("utf-8", "replace")

    def write(self, cells: Sequence[str]) -> None:
        """Append a record; the first one is the header."""
        if self._first:
            # Other separators in a header are quoted too, so that no reader has to guess.
            texts = map(self._shown, cells)
            quoted = ['"' + c.replace('"', '""') + '"' if self._other.search(c) or not c.strip() else c for c in texts]
            self.write_encoded((self._separator.join(quoted) + "\n").encode("utf-8", "replace"))
        else:
            self.write_encoded(self.encode(cells))

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""
        self._first = False
        self._target.write(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._target.__exit__(kind, error, trace)
