"""The folder in which a run works until its files are complete; what it holds when a run is killed can be gone on with."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from jobscam.errors import InputError
from jobscam.journal import Journal, Reading

fcntl: Any
try:
    import fcntl
except ImportError:  # there two runs on one target are not told apart
    fcntl = None

WORTH_KEEPING = 1000
"""Rows. A run that fails with less leaves nothing behind: to do them again takes a moment."""
_JOURNAL, _NEW, _LOCK = "journal", "journal.new", "lock"


class Unfinished(NamedTuple):
    """What a killed run left: its folder, and how many rows are scored in there."""

    folder: Path
    rows: int


def folder_of(target: str | Path) -> Path:
    """The folder in which a run on this target works.

    Examples
    --------
    >>> folder_of("out/scored.csv").name
    '.scored.csv.jobscam'
    """
    file = Path(target).resolve()
    return file.with_name(f".{file.name}.jobscam")


def unfinished(target: str | Path) -> Unfinished | None:
    """What an earlier run on this target left to go on with; None if there is nothing."""
    if str(target) == "-":
        return None
    folder = folder_of(target)
    records = [record.rows for record in Reading(folder / _JOURNAL)]
    return Unfinished(folder, sum(records)) if records else None


class WorkFolder:
    """Holds the journal, the runs of the sort and the unfinished files of one run, and keeps others away from its target.

    Parameters
    ----------
    target : str or Path

    Raises
    ------
    InputError
        On entering: if the folder cannot be made, or another run works in it.
    """

    def __init__(self, target: str | Path) -> None:
        self.target = Path(target)
        self.path = folder_of(target)
        self.journal: Journal | None = None
        self._lock: IO[bytes] | None = None
        self._replaces = False

    def __enter__(self) -> Self:
        if self.target.is_dir():
            raise InputError(f"{self.target} is a folder; name a file to write to")
        try:
            self._lock = self._locked()
            self._clear({_JOURNAL, _LOCK})
        except OSError as error:
            self._release()
            raise InputError(f"{self.target} cannot be written: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        rows = self.journal.rows if self.journal is not None else 0
        if self.journal is not None:
            self.journal.close()
        # An interrupted run leaves what cost time: its own work, or that of the run before it that it did not yet outdo.
        kept = self._replaces or rows >= WORTH_KEEPING or (self.journal is None and (self.path / _JOURNAL).exists())
        try:
            self._clear({_JOURNAL, _LOCK} if kind is not None and kept else {_LOCK})
            if kind is None or not kept:
                if fcntl is None:  # such systems remove no open file
                    self._release()
                # The lock goes last: whoever finds it gone makes a folder of its own.
                (self.path / _LOCK).unlink()
                self.path.rmdir()
        except OSError:  # what was to be written is in its place, or the error that brought us here matters more
            pass
        finally:
            self._release()

    def folder(self, name: str) -> Path:
        """A folder in here that lasts as long as the run."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return path

    def begin(self, identity: dict[str, Any]) -> None:
        """Begin a journal; what another run left is replaced only when this one is worth keeping itself."""
        left = unfinished(self.target)
        self._replaces = left is not None and left.rows > 0
        self.journal = Journal(self.path / (_NEW if self._replaces else _JOURNAL))
        self.journal.append(json.dumps(identity).encode())

    def left(self) -> tuple[dict[str, Any], Reading] | None:
        """What another run said of itself, and its records (that first one among them)."""
        reading = Reading(self.path / _JOURNAL)
        first = next(iter(reading), None)
        return (json.loads(first.data), reading) if first is not None else None

    def go_on(self, reading: Reading, rows: int) -> None:
        """Append to what another run left, once its records were read to their end."""
        self.journal = Journal(reading.path, reading.end)
        self.journal.rows = rows

    def append(self, data: bytes, rows: int) -> None:
        """Note down what was found in some rows."""
        assert self.journal is not None
        self.journal.append(data, rows)
        if self._replaces and self.journal.rows >= WORTH_KEEPING:
            self._replace()

    def _replace(self) -> None:
        """Put the new journal in the place of the one that another run left."""
        assert self.journal is not None
        new, old, rows = self.journal.path, self.path / _JOURNAL, self.journal.rows
        self.journal.close()
        os.replace(new, old)
        self.journal = Journal(old, old.stat().st_size)
        self.journal.rows = rows
        self._replaces = False

    def _clear(self, kept: set[str]) -> None:
        for part in self.path.iterdir():
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part)
            elif part.name not in kept:
                part.unlink()

    def _locked(self) -> IO[bytes]:
        while True:
            self.path.mkdir(mode=0o700, exist_ok=True)
            if self.path.is_symlink():
                raise InputError(f"{self.path} is a link; jobscam works in that folder, so remove the link")
            try:
                file = (self.path / _LOCK).open("ab")
            except FileNotFoundError:
                continue  # a run that ended took the folder along
            if fcntl is None:
                return file
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                raise InputError(f"another run is writing {self.target}; wait for its end or name another file") from None
            # The run that had the lock may have removed the file in the meantime: then what is locked is a ghost.
            try:
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path / _LOCK)):
                    return file
            except FileNotFoundError:
                pass
            file.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
