"""Rows by key: all of them, sorted on disk so that memory does not grow with their number, or the few that come first."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

Key = tuple[int, float, int]
Kept = TypeVar("Kept")
_HEAD = struct.Struct("<BdQI")
_FAN_IN = 64
_RUN_BYTES = 64 * 1024 * 1024
_OVERHEAD = 200


class Riskiest(Generic[Kept]):
    """The few that come first by key, whatever number is offered.

    Examples
    --------
    >>> best = Riskiest(2)
    >>> for number, word in enumerate(["low", "high", "medium"]):
    ...     best.offer((0, -float(len(word)), number), lambda word=word: word)
    >>> best.ranked(), best.offered
    (['medium', 'high'], 3)
    """

    def __init__(self, limit: int) -> None:
        self.offered = 0
        self._limit = limit
        self._heap: list[tuple[Key, Kept]] = []

    def offer(self, key: Key, make: Callable[[], Kept]) -> None:
        """Keep what `make` returns, if its key is among the first."""
        self.offered += 1
        turned = (-key[0], -key[1], -key[2])
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, (turned, make()))
        elif self._heap and turned > self._heap[0][0]:
            heapq.heapreplace(self._heap, (turned, make()))

    def ranked(self) -> list[Kept]:
        """What was kept, the first one first."""
        return [kept for _, kept in sorted(self._heap, key=lambda item: item[0], reverse=True)]


class ExternalSorter:
    """Collects keyed records and gives them back in the order of their keys.

    Parameters
    ----------
    folder : Path, optional
        Where runs are spilled to; the system's temporary folder by default. It should be on a disk with as much room as
        the records take.
    run_bytes : int
        Memory for records before they are spilled.
    """

    def __init__(self, folder: Path | None = None, run_bytes: int | None = None) -> None:
        self._folder = folder
        self._limit = run_bytes or _RUN_BYTES
        self._size = 0
        self._buffer: list[tuple[Key, bytes]] = []
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        # Runs by how often their records were merged: each record is rewritten once a level, not once a run.
        self._levels: list[list[Path]] = [[]]

    def add(self, key: Key, record: bytes) -> None:
        """Take a record; no two keys may be equal."""
        self._buffer.append((key, record))
        self._size += len(record) + _OVERHEAD
        if self._size > self._limit:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        self._buffer.sort()
        runs: list[Iterable[tuple[Key, bytes]]] = [self._buffer]
        files = [path.open("rb") for level in self._levels for path in level]
        try:
            runs += [_stored(file) for file in files]
            for _, record in heapq.merge(*runs):
                yield record
        finally:
            for file in files:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    def _spill(self) -> None:
        self._buffer.sort()
        self._levels[0].append(self._store(self._buffer))
        self._buffer = []
        self._size = 0
        for level, runs in enumerate(self._levels):
            if len(runs) < _FAN_IN:
                break
            files = [path.open("rb") for path in runs]
            merged = self._store(heapq.merge(*map(_stored, files)))
            for file, path in zip(files, runs, strict=True):
                file.close()
                path.unlink()
            runs.clear()
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(merged)

    def _store(self, records: Iterable[tuple[Key, bytes]]) -> Path:
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=".jobscam-sort-", dir=self._folder)
        self._count += 1
        path = Path(self._temporary.name) / f"{self._count}.run"
        with path.open("wb") as out:
            for key, record in records:
                out.write(_HEAD.pack(*key, len(record)))
                out.write(record)
        return path


def _stored(file: BinaryIO) -> Iterator[tuple[Key, bytes]]:
    while head := file.read(_HEAD.size):
        group, weight, index, size = _HEAD.unpack(head)
        yield (group, weight, index), file.read(size)
