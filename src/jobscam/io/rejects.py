"""Rows that could not be read, in a file of their own that exists only if there are any."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from jobscam.io.csv import CsvWriter
from jobscam.io.many import is_many, stem
from jobscam.io.packed import bare
from jobscam.io.place import is_replaceable, put
from jobscam.io.table import Row
from jobscam.values import Reject

HEADER = ("line", "reason", "raw")


class RejectFile:
    """Collects rejects under `path`.

    Parameters
    ----------
    path : Path
        Written when the block ends well and something was rejected. A file that an earlier run left there is removed
        otherwise: it would tell of rows that are no longer rejected.
    folder : Path, optional
        Where it is written, if not beside its place; :meth:`put` then gives it its name.
    raw_cells : bool
        Leave cells as they are, see :func:`jobscam.io.create_table`.

    Attributes
    ----------
    count : int
    """

    def __init__(self, path: str | Path, folder: Path | None = None, *, raw_cells: bool = False) -> None:
        self.path = Path(path)
        self.count = 0
        self._made = folder / self.path.name if folder is not None and is_replaceable(path) else None
        self._raw_cells = raw_cells
        self._writer: CsvWriter | None = None

    def add(self, reject: Reject) -> None:
        """Append one."""
        if self._writer is None:
            self._writer = CsvWriter(self._made or self.path, raw_cells=self._raw_cells)
            self._writer.write(HEADER)
        self._writer.write((str(reject.line), reject.said, reject.raw))
        self.count += 1

    def put(self) -> None:
        """Give a file that was made in a folder its name, or remove an earlier one; after the block."""
        if self._writer is None:
            if self._is_ours():
                self.path.unlink()
        elif self._made is not None:
            put(self._made, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)
        if kind is None and self._made is None:
            self.put()

    def _is_ours(self) -> bool:
        if not self.path.is_file():
            return False
        with self.path.open("rb") as stream:
            return stream.readline(100) == (",".join(HEADER) + "\n").encode()


def rejected(row: Row, reason: str) -> Reject:
    """The reject of a row that was read, its cells written as a table writes them."""
    quoted = ['"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') else cell for cell in row.cells]
    return Reject(row.line, reason, ",".join(quoted), row.place)


def rejects_path(source: str | Path, target: str | Path) -> Path:
    """Where the rejects of a run go: beside the target, or named after the source if that is a stream or device.

    Examples
    --------
    >>> rejects_path("ads.csv", "out/scored.csv.gz").as_posix()
    'out/scored.rejects.csv'
    """
    if is_replaceable(target) or Path(target).is_dir():
        path = Path(target)
    elif str(source) != "-":
        path = Path((stem(source) if is_many(source) else Path(source)).name)
    else:
        path = Path("stdin")
    name = bare(path.name)
    return path.with_name(f"{name.rpartition('.')[0] or name}.rejects.csv")
