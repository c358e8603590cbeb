"""Separated text, as people really send it: one reader that finds out the dialect, one writer that keeps to one."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from jobscam.errors import InputError
from jobscam.io.quotes import tolerant
from jobscam.io.source import RECORD_LIMIT, Line, Lines, restore
from jobscam.io.table import Row
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
    path : str or Path
        File (``.gz`` or not), or ``-`` for standard input.

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

    def __init__(self, path: str | Path) -> None:
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
            self.header = self._read_header()
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
        if self._lines.encoding != "utf-8":
            said.append(f"encoding: {self._lines.encoding.upper()}")
        if self._lines.replaced:
            how = "could not be decoded" if self._lines.encoding.startswith("utf-16") else "not UTF-8, read as Windows-1252"
            said.append(f"characters {how}: {self._lines.replaced}")
        doubled = sorted(name for name, n in Counter(self.header).items() if n > 1 and name)
        if doubled:
            said.append(f"column names used more than once: {', '.join(doubled)}")
        if not all(name.strip() for name in self.header):
            said.append(f"columns without a name: {sum(not name.strip() for name in self.header)}")
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
            yield Row(line.number, cells)

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
        Target; ``.gz`` packs it, always to the same bytes; ``-`` is standard output.
    separator : str
    """

    def __init__(self, path: str | Path, separator: str = ",") -> None:
        self._separator = separator
        self._special = re.compile(f'[{re.escape(separator)}"\r\n]')
        self._other = re.compile('[,;|\t\ufeff"\r\n]')
        self._first = True
        self._temporary: str | None = None
        # A link keeps pointing where it did; a pipe or device is written to and never replaced by a file.
        self._target = None if str(path) == "-" else Path(path).resolve()
        self._raw = self._open()
        self._out: Any = self._raw
        if str(path).endswith(".gz"):
            self._out = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0, compresslevel=6)

    def _open(self) -> BinaryIO:
        target = self._target
        if target is None:
            return sys.stdout.buffer
        if target.is_dir():
            raise InputError(f"{target} is a folder; name a file to write to")
        try:
            if target.exists() and not target.is_file():
                return target.open("wb")
            handle, self._temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        except OSError as error:
            raise InputError(f"{target} cannot be written: {error.strerror or error}") from None
        # Temporary files are private; what takes the target's place gets the rights any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(self._temporary, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~mask)
        return io.BufferedWriter(io.FileIO(handle, "wb"), 256 * 1024)

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record as it will stand in the file."""
        special = self._special
        texts = ['"' + cell.replace('"', '""') + '"' if special.search(cell) else cell for cell in cells]
        # A lone cell without a visible character would read back as a blank line.
        if len(texts) == 1 and not texts[0].strip():
            texts = [f'"{texts[0]}"']
        return (self._separator.join(texts) + "\n").encode("utf-8", "replace")

    def write(self, cells: Sequence[str]) -> None:
        """Append a record; the first one is the header."""
        if self._first:
            # Other separators in a header are quoted too, so that no reader has to guess.
            quoted = ['"' + c.replace('"', '""') + '"' if self._other.search(c) or not c.strip() else c for c in cells]
            self.write_encoded((self._separator.join(quoted) + "\n").encode("utf-8", "replace"))
        else:
            self.write_encoded(self.encode(cells))

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""
        self._first = False
        self._out.write(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self._out is not self._raw and kind is None:
                self._out.close()
            if self._target is None:
                self._raw.flush()
                return
            self._raw.close()
            if kind is None and self._temporary is not None:
                os.replace(self._temporary, self._target)
                self._temporary = None
        finally:
            if self._temporary is not None:
                Path(self._temporary).unlink(missing_ok=True)
