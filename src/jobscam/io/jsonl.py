"""JSON objects, one a line: keys are columns."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobscam.errors import InputError
from jobscam.io.cells import NUMBERS, CellError, as_number, distinct, header_notes, text_of
from jobscam.io.opened import Opened
from jobscam.io.source import RECORD_LIMIT, Line, Lines, restore
from jobscam.io.table import Row
from jobscam.io.target import Target
from jobscam.values import Reject

_MOST_KEYS = 1000
_MOST_DIGITS = 4000
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


class JsonlReader:
    """Streams a table of JSON objects. The file is read twice, since any line may bring a new column.

    Parameters
    ----------
    path : str, Path or Opened
        File, packed or not, or ``-`` for standard input, which is kept on disk meanwhile.

    Attributes
    ----------
    header : list of str
        All keys, in the order in which they occur.

    Raises
    ------
    InputError
        If there is no such file, or no line of it holds an object.
    """

    def __init__(self, path: str | Path | Opened) -> None:
        opened = path if isinstance(path, Opened) else Opened(path)
        self._counts: Counter[str] = Counter()
        try:
            opened.keep()
            self._lines = Lines(opened)
            self.header = self._read_keys()
            self._known = dict.fromkeys(self.header, "")
            opened = opened.again()
            self._lines = Lines(opened)
        except BaseException:
            opened.close()
            raise
        self._counts.clear()
        self.name = self._lines.name

    def _read_keys(self) -> list[str]:
        keys: dict[str, None] = {}
        while (line := self._lines.next()) is not None:
            found = self._object(line)
            if isinstance(found, dict) and len(keys | dict.fromkeys(found)) <= _MOST_KEYS:
                keys.update(dict.fromkeys(found))
        if not keys:
            raise InputError(f"{self._lines.name}: no line of it is a JSON object; one object a line is needed")
        return list(keys)

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
        words = {
            "blank": "blank lines skipped",
            "nan": "NaN and Infinity, read as empty",
            "surrogate": "cells with half a character, replaced",
        }
        said = [f"{text}: {self._counts[key]}" for key, text in words.items() if self._counts[key]]
        return [*self._lines.notes, *header_notes(self.header), *said]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lines.close()

    def __iter__(self) -> Iterator[Row | Reject]:
        while (line := self._lines.next()) is not None:
            found = self._object(line)
            if found is None:
                continue
            if isinstance(found, str):
                yield self._reject(line, found)
            elif not found.keys() <= self._known.keys():
                yield self._reject(line, f"more than {_MOST_KEYS} different keys in the file")
            else:
                try:
                    cells = [self._cell(found[key]) if key in found else "" for key in self.header]
                except CellError as error:
                    yield self._reject(line, str(error))
                    continue
                yield Row(line.number, cells)

    def _reject(self, line: Line, reason: str) -> Reject:
        return Reject(line.number, reason, restore([line.text.rstrip("\r\n")])[0])

    def _object(self, line: Line) -> dict[str, Any] | str | None:
        """The object on a line, why there is none, or None for a blank line."""
        if line.cut:
            return f"longer than {RECORD_LIMIT >> 20} MiB; only its start is kept here"
        text = restore([line.text])[0].strip("\r\n\t ")
        if not text:
            self._counts["blank"] += 1
            return None
        try:
            found = json.loads(
                text, object_pairs_hook=_unique, parse_int=_whole, parse_float=_finite, parse_constant=self._constant
            )
        except json.JSONDecodeError as error:
            return f"broken JSON: {error.msg}, character {error.pos + 1}"
        except CellError as error:
            return str(error)
        except RecursionError:
            return "nested too deeply"
        if not isinstance(found, dict):
            return "a JSON value, but not an object with keys and values"
        return {self._mended(key): value for key, value in found.items()}

    def _constant(self, name: str) -> None:
        self._counts["nan"] += 1

    def _cell(self, value: Any) -> str:
        return self._mended(text_of(value))

    def _mended(self, text: str) -> str:
        if text.isascii() or not _SURROGATE.search(text):
            return text
        self._counts["surrogate"] += 1
        return _SURROGATE.sub("\ufffd", text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise CellError(f"key '{twice[:80]}' is there more than once")
    return found


def _whole(digits: str) -> int | str:
    # Longer ones are no numbers to anybody, and costly to read.
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def _finite(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


class JsonlWriter:
    """Writes a JSON object a line, every column in each, empty cells as null; the file gets its name when it is complete.

    Parameters
    ----------
    path : str or Path
        Target; ``.gz``, ``.zst`` and ``.zip`` pack it.
    numbers : collection of str
        Columns that are numbers.
    """

    notes: Sequence[str] = ()

    def __init__(self, path: str | Path, *, numbers: frozenset[str] = NUMBERS) -> None:
        self._numbers = numbers
        self._columns: list[tuple[str, str | None]] | None = None
        self._target = Target(path)

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record as it will stand in the file."""
        values = [f"{key}:{self._value(number, cell)}" for (key, number), cell in zip(self._columns or (), cells, strict=True)]
        return ("{" + ",".join(values) + "}\n").encode("utf-8", "replace")

    def _value(self, number: str | None, cell: str) -> str:
        if not cell:
            return "null"
        if number is not None:
            if not cell.strip():
                return "null"
            if _NUMBER.fullmatch(cell):
                return cell
            value = as_number(cell)
            if value is not None:
                return json.dumps(value)
        return json.dumps(cell, ensure_ascii=False)

    def write(self, cells: Sequence[str]) -> None:
        """Append a record; the first one is the header."""
        if self._columns is not None:
            self.write_encoded(self.encode(cells))
            return
        keys = [json.dumps(name, ensure_ascii=False) for name in distinct(cells)]
        self._columns = [(key, name if name in self._numbers else None) for key, name in zip(keys, cells, strict=True)]

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""
        self._target.write(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._target.__exit__(kind, error, trace)
