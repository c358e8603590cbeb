"""Several files as one table: a folder, or a pattern such as ``ads/*.csv``."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

from jobscam.errors import InputError
from jobscam.io.table import Row, TableReader
from jobscam.values import Reject

FILE, LINE = "jobscam_file", "jobscam_line"
"""Columns that tell where each row came from."""
_OWN = (".scored.", ".rejects.", ".queue.", ".campaigns.", ".members.", ".unique.")
_MAGIC = "*?["
_SHOWN = 5


def is_many(path: str | Path) -> bool:
    """Whether a name stands for several files."""
    name = str(path)
    return name != "-" and not Path(name).is_file() and (Path(name).is_dir() or any(c in name for c in _MAGIC))


def stem(path: str | Path) -> Path:
    """The name that what is made from several files is given: that of their folder, beside it.

    Examples
    --------
    >>> stem("data/ads/*.csv").as_posix(), stem("data/ads/").as_posix(), stem("*.csv").as_posix()
    ('data/ads', 'data/ads', 'all')
    """
    plain = takewhile(lambda part: not any(c in part for c in _MAGIC), Path(path).parts)
    folder = Path(*plain)
    return folder if folder.name not in ("", "..") else folder / "all"


def files_of(path: str | Path, suffixes: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Files that a name stands for, sorted, and those that were passed over.

    Hidden files, other kinds of files, sub-folders and, unless the pattern names their kind, what jobscam itself wrote are
    passed over.
    """
    name = str(path)
    if Path(name).is_dir():
        found, pattern = list(Path(name).iterdir()), ""
    else:
        found, pattern = [Path(hit) for hit in glob.glob(name, recursive=True)], Path(name).name.lower()
    found = sorted((p for p in found if not p.name.startswith(".")), key=lambda p: p.as_posix())
    used = [p for p in found if p.is_file() and p.name.lower().endswith(tuple(suffixes)) and not _is_own(p, pattern)]
    taken = set(used)
    return used, [p for p in found if p not in taken]


def _is_own(path: Path, pattern: str) -> bool:
    return any(mark in path.name.lower() and mark not in pattern for mark in _OWN)


class ManyReader:
    """Reads several files, in the order of their names, as one table.

    The columns are those of all files, missing ones are empty, and two more tell file and line. Rows are numbered
    through. A file that cannot be read, or not to its end, is a reject, and the others are read all the same.

    Parameters
    ----------
    path : str or Path
        Folder or pattern.
    opener : callable
        Opens one file.
    suffixes : sequence of str
        Kinds of files that are tables.

    Raises
    ------
    InputError
        If there are none, or none can be read.
    """

    def __init__(self, path: str | Path, opener: Callable[[Path], TableReader], suffixes: Sequence[str]) -> None:
        self.name = str(path)
        self._opener = opener
        self._files, self._aside = files_of(path, suffixes)
        if not self._files:
            raise InputError(self._nothing(path))
        self.size: int | None = sum(file.stat().st_size for file in self._files)
        self._done = 0
        self._open: TableReader | None = None
        self._said: dict[str, list[str]] = {}
        self._broken = 0
        # Of a column that several times has one name, each is one of its own.
        self._columns: dict[tuple[str, int], int] = {}
        faults = []
        for file in self._files:
            try:
                with opener(file) as table:
                    for key in _keys(table.header):
                        self._columns.setdefault(key, len(self._columns))
            except InputError as error:
                faults.append(str(error))
        if len(faults) == len(self._files):
            raise InputError(f"{self.name}: none of its {len(faults)} files can be read: {'; '.join(faults[:_SHOWN])}")
        self._places = [self._columns.setdefault((name, 0), len(self._columns)) for name in (FILE, LINE)]
        self.header = [name for name, _ in self._columns]

    def _nothing(self, path: str | Path) -> str:
        if not self._aside and Path(path).is_dir():
            return f"{path} is a folder without a table in it"
        if not self._aside:
            return f"{path}: there are no such files; check the name, the current folder is {Path.cwd()}"
        return (
            f"{path} holds no table to read, only {_some([p.name for p in self._aside])}. Name a file, or its kind "
            "in a pattern, such as 'ads/*.scored.csv'"
        )

    @property
    def position(self) -> int:
        """Bytes of the files read so far."""
        return self._done + (self._open.position if self._open is not None else 0)

    @property
    def notes(self) -> list[str]:
        """What was found and done about it, with the files concerned; complete once all rows were read."""
        said = [f"{len(self._files)} files read as one table; {FILE} and {LINE} tell where each row stands"]
        if self._aside:
            said.append(f"not read: {_some([p.name for p in self._aside])}")
        if self._broken:
            said.append(f"files that could not be read to their end, see the rejected rows: {self._broken}")
        for note, files in self._said.items():
            where = f"all {len(files)} files" if len(files) == len(self._files) > 1 else _some(files)
            said.append(f"{where}: {note}")
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._open is not None:
            self._open.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Row | Reject]:
        number = 0
        for file in self._files:
            line = 0
            try:
                with self._opener(file) as table:
                    self._open = table
                    targets = [self._columns[key] for key in _keys(table.header)]
                    for item in table:
                        number += 1
                        line = item.line
                        place = f"{file}, line {line}"
                        if isinstance(item, Reject):
                            yield Reject(number, item.reason, item.raw, place)
                            continue
                        cells = [""] * len(self._columns)
                        for target, cell in zip(targets, item.cells, strict=True):
                            cells[target] = cell
                        # What an earlier run said of the row is kept.
                        for target, said in zip(self._places, (str(file), str(line)), strict=True):
                            cells[target] = cells[target] or said
                        yield Row(number, cells, place)
                    for note in table.notes:
                        self._said.setdefault(note, []).append(file.name)
            except (InputError, KeyError) as error:
                number += 1
                self._broken += 1
                reason = "its columns changed while it was read" if isinstance(error, KeyError) else str(error)
                yield Reject(number, f"not read {f'beyond line {line}' if line else 'at all'}: {reason}", "", str(file))
            self._open = None
            self._done += file.stat().st_size if file.exists() else 0


def _keys(header: Sequence[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    keys = []
    for name in header:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
