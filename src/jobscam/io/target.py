"""A file that appears under its name only when it is complete."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from jobscam.errors import InputError
from jobscam.io.packed import Packer
from jobscam.io.place import is_replaceable, put


class Target:
    """Takes bytes, packs them if the suffix says so, and gives the file its name when the block ended well.

    Parameters
    ----------
    path : str or Path
        ``.gz``, ``.zst`` and ``.zip`` are packed, always to the same bytes; ``-`` is standard output.
    finish : callable, optional
        What writes the end of the file, called when the block ended well.

    Raises
    ------
    InputError
        If nothing can be written there.
    """

    def __init__(self, path: str | Path, finish: Callable[[], None] | None = None) -> None:
        self._temporary: str | None = None
        self._finish = finish
        # A link keeps pointing where it did; a pipe or device is written to and never replaced by a file.
        self._target = None if str(path) == "-" else Path(path).resolve() if is_replaceable(path) else Path(path)
        self._raw = self._open()
        try:
            self._packer = Packer(self._raw, Path(path).name)
        except BaseException:
            self._drop()
            raise
        self.stream: Any = self._packer.stream

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.stream.write(data)

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
        # Temporary files are private; this one gets the rights any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(self._temporary, 0o666 & ~mask)
        return io.BufferedWriter(io.FileIO(handle, "wb"), 256 * 1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                if self._finish is not None:
                    self._finish()
                self._packer.close()
            if self._target is None:
                self._raw.flush()
                return
            if kind is None:
                self._raw.close()
                if self._temporary is not None:
                    put(Path(self._temporary), self._target)
                    self._temporary = None
        finally:
            if self._target is not None and not self._raw.closed:
                # What was begun may want to write its end: it can, the file is thrown away.
                with suppress(Exception):
                    self._packer.close()
            self._drop()

    def _drop(self) -> None:
        if self._target is not None:
            with suppress(OSError):
                self._raw.close()
        if self._temporary is not None:
            Path(self._temporary).unlink(missing_ok=True)
