"""Putting a finished file in its place, in one step and so that a power cut cannot take it back."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from jobscam.errors import InputError


def is_replaceable(path: str | Path) -> bool:
    """Whether a file made elsewhere can take this name: not standard output, a device, a pipe or a folder."""
    if str(path) == "-":
        return False
    # Asked by the name itself: what /dev/stdout leads to in a pipe has no name of its own.
    target = Path(path)
    return target.is_file() or not target.exists()


def check_place(path: str | Path) -> None:
    """See that a file could be there.

    Raises
    ------
    InputError
        If it is a folder, or its folder does not exist or must not be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file to write to")
    folder = target.resolve().parent
    if not target.exists() and not folder.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {folder}; make it, or name another file")
    # The file is made beside its place, or in a folder there, so that the folder must take files even if this one exists.
    if is_replaceable(target) and not os.access(folder, os.W_OK):
        raise InputError(f"{target} cannot be written: there is no permission to write to {folder}; name another file")


def put(made: Path, path: str | Path) -> None:
    """Give a finished file its name; a link at that name keeps pointing where it did, and an older file its rights.

    Parameters
    ----------
    made : Path
        The file; it is gone from there afterwards.
    path : str or Path
        Where :func:`is_replaceable` says yes.

    Raises
    ------
    OSError
        If it cannot be put there; what stood there still does.
    """
    target = Path(path).resolve()
    if target.exists():
        os.chmod(made, target.stat().st_mode & 0o777)
    # A name must not reach the disk before what it names.
    sync(made)
    try:
        os.replace(made, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(made, target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, reach the disk, as far as the system can do that."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # folders cannot be opened on some systems
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _carry(made: Path, target: Path) -> None:
    """Put a file in its place on another disk."""
    handle, beside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        shutil.copy(made, beside)
        sync(Path(beside))
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    made.unlink()
